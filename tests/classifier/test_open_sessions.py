import pytest

from classifier import open_sessions
from classifier.open_sessions import OpenSessions
from classifier.session import Session
from db.database import Database
from db.errors import ExplorerError, GoneError
from db.sessions import UP
from tests.conftest import TextTower, filled


@pytest.fixture
def started(database: Database) -> list[Session]:
    collection, _, _ = filled(database, 40)
    return [Session.start(database, collection, TextTower(), "a lake") for _ in range(3)]  # type: ignore[arg-type]


def test_all_tabs_get_the_same_object(database: Database, started: list[Session]) -> None:
    sessions = OpenSessions(database)
    first = sessions.get(started[0].row.id)
    assert sessions.get(started[0].row.id) is first
    assert sessions.put(started[0]) is first, "the one that is open already"


def test_one_that_was_forgotten_is_opened_anew(database: Database, started: list[Session]) -> None:
    sessions = OpenSessions(database)
    first = sessions.get(started[0].row.id)
    sessions.forget(started[0].row.id)
    assert sessions.get(started[0].row.id) is not first
    sessions.forget("never heard of")


def test_an_unknown_session_is_gone(database: Database) -> None:
    with pytest.raises(GoneError, match="There is no session 'nope'"):
        OpenSessions(database).get("nope")


def test_unstored_thumbs_are_never_let_go(
    database: Database, started: list[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_sessions, "MOST", 1)
    sessions = OpenSessions(database)
    kept = sessions.put(started[0])
    with monkeypatch.context() as away:
        away.setattr(database.sessions, "add_labels", _refuse)
        kept.label(kept.current.photos[0].id, UP)
    assert kept.thumbs.unstored == 1
    second = sessions.put(started[1])
    sessions.put(started[2])
    assert sessions.get(kept.row.id) is kept
    assert sessions.get(second.row.id) is not second


def _refuse(_rows: object) -> None:
    raise ExplorerError("the database is away")
