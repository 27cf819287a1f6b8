"""Thumbs on their way into the database, which may be away for a while."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from db.errors import ExplorerError
from db.sessions import LabelRow, Sessions


class Outbox:
    """Keeps what the database has not taken; its owner sees to it that one thread calls at once."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._rows: list[LabelRow] = []
        self._held = False
        self.trouble = ""

    def __len__(self) -> int:
        """How many rows the database refused; those on their way in another thread don't count."""
        return len(self._rows) if self.trouble else 0

    @property
    def waiting(self) -> int:
        """How many rows are not known to be stored, be it that they were not sent yet."""
        return len(self._rows)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Send what comes inside in one block, at the end: one takes as long as a hundred rows."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self.send(())

    def send(self, rows: Sequence[LabelRow]) -> None:
        """Store rows, after those that wait; where the database doesn't take them, they wait too.

        A row that was stored although no answer came is sent again: it counts once.
        """
        self._rows += rows
        if self._held or not self._rows:
            return
        try:
            self._sessions.add_labels(self._rows)
        except ExplorerError as error:
            self.trouble = str(error)
        else:
            self._rows, self.trouble = [], ""
