"""A session's terms: what it searches for, what it is called, and with whom it is shared."""

from dataclasses import replace
from threading import RLock
from typing import Any

from classifier.asking import NAME_LIMIT
from db.errors import ExplorerError, GoneError
from db.sessions import LABELLING, NOBODY, READING, SessionRow, Sessions
from db.words import one_line


class Terms:
    """The row of one session; safe to share between threads.

    Attributes:
        row: as it is now.
    """

    def __init__(self, row: SessionRow, sessions: Sessions) -> None:
        self.row = row
        self._sessions = sessions
        self._lock = RLock()

    def restore(self) -> None:
        """Take in what another process changed.

        Raises:
            GoneError: the session was deleted.
        """
        with self._lock:
            self.row = self._there(self._sessions.find(self.row.id))

    def without(self, fact: str, value: str) -> None:
        """Take one condition of the filter away, from the next round on; thumbs stay.

        Args:
            fact: a field of Filter.
            value: one of the values it asks for; where it is none, nothing is done.
        """
        with self._lock:
            values = getattr(self.row.only, fact)
            kept = tuple(other for other in values if other != value)
            if kept != values:
                self._change(only=replace(self.row.only, **{fact: kept}))

    def rename(self, name: str) -> None:
        """Call the session something else than its prompt; by "" its prompt again."""
        self._change(name=one_line(name)[:NAME_LIMIT])

    def share(self, shared: str) -> None:
        """Share it with NOBODY, or for READING or LABELLING with all who have its address.

        Raises:
            ExplorerError: there is no such way of sharing.
        """
        if shared not in (NOBODY, READING, LABELLING):
            raise ExplorerError(f"A session can't be shared for {shared!r}: reload the page")
        self._change(shared=shared)

    def _change(self, **changes: Any) -> None:
        with self._lock:
            self.row = self._there(self._sessions.update(self.row.id, **changes))

    def _there(self, row: SessionRow | None) -> SessionRow:
        if row is None:
            raise GoneError(f"The session {self.row.title!r} was deleted: start a new one")
        return row
