"""The sessions that are open in this process, one object each."""

import logging
from collections import OrderedDict
from threading import Lock

from classifier.session import Session
from db.database import Database
from db.errors import EngineError, GoneError

_LOG = logging.getLogger(__name__)

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
        if found is None:
            return self.put(Session.reopen(self._database, session_id))
        if not self._database.connection.is_alone:
            self._refresh(found)
        return self.put(found)

    def _refresh(self, session: Session) -> None:
        """Take in what other processes stored, so that all of them show the same."""
        if session.thumbs.unstored:
            return  # the database was away a moment ago: a page has to learn that without waiting
        try:
            session.refresh()
        except GoneError:
            self.forget(session.row.id)
            raise
        except EngineError as error:
            if not error.passes:
                raise
            # It can be labelled on meanwhile, as it was known: the thumbs wait, and say so.
            _LOG.info("What others did in %s is not known: %s", session.row.id, error)

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
