"""The sessions that are open in this process, one object each."""

from collections import OrderedDict
from threading import Lock

from classifier.session import Session
from db.database import Database

# Beyond as many, those that were not used for longest are let go; each can be opened again.
MOST = 200


class OpenSessions:
    """All tabs that show a session work with the same object, and see the same thumbs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: OrderedDict[str, Session] = OrderedDict()
        self._lock = Lock()

    def get(self, session_id: str) -> Session:
        """The session of that id, opened if it isn't yet.

        Raises:
            ExplorerError: there is none, or it can't be opened.
        """
        with self._lock:
            found = self._open.get(session_id)
        # Not under the lock: the database may let one wait, and others shall not wait for that.
        return self.put(found or Session.reopen(self._database, session_id))

    def put(self, session: Session) -> Session:
        """Keep a session; returns the one that is kept, where another was quicker."""
        with self._lock:
            kept = self._open.setdefault(session.row.id, session)
            self._open.move_to_end(session.row.id)
            self._make_room()
            return kept

    def forget(self, session_id: str) -> None:
        """Let a session go: it was deleted, or has to be opened anew."""
        with self._lock:
            self._open.pop(session_id, None)

    def _make_room(self) -> None:
        # Thumbs that the database has not taken yet are nowhere else.
        idle = [key for key, session in self._open.items() if not session.thumbs.unstored]
        for key in idle[: max(0, len(self._open) - MOST)]:
            del self._open[key]
