"""Thumbs on their way into the database, which may be away for a while."""

from collections.abc import Sequence

from db.errors import ExplorerError
from db.sessions import LabelRow, Sessions


class Outbox:
    """Keeps what the database has not taken; its owner sees to it that one thread calls at once."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._rows: list[LabelRow] = []
        self.trouble = ""

    def __len__(self) -> int:
        return len(self._rows)

    def send(self, rows: Sequence[LabelRow]) -> None:
        """Store rows, after those that wait; where the database doesn't take them, they wait too.

        A row that was stored although no answer came is sent again: it counts once.
        """
        self._rows += rows
        if not self._rows:
            return
        try:
            self._sessions.add_labels(self._rows)
        except ExplorerError as error:
            self.trouble = str(error)
        else:
            self._rows, self.trouble = [], ""
