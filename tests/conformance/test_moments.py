"""A clock that is set back two hours: what was done last counts all the same."""

import time

import numpy as np
import pytest

from db.contents import Content
from db.database import Database
from db.sessions import DOWN, NONE, UP, RoundRow, SessionRow
from tests.conformance.test_views import saved
from tests.conftest import STRATA, filled

HOUR = 3600 * 10**9


@pytest.fixture
def backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock shows two hours less than the one before."""
    start = time.time_ns()
    moments = iter(range(start, 0, -2 * HOUR))
    monkeypatch.setattr("time.time_ns", lambda: next(moments))


@pytest.mark.usefixtures("backwards")
def test_what_was_done_last_counts_whatever_the_clock_says(database: Database) -> None:
    _, table, _ = filled(database, 5)
    checks = database.checks
    for photos in (["old"], ["a", "b"]):
        checks.draw("c", checks.moment("c"), 0.5, photos, STRATA)
        check = checks.latest("c")
        assert check is not None
        assert check.labels == dict.fromkeys(photos, NONE)
    for label in (UP, DOWN, NONE, UP):
        checks.label("c", check, "a", label)
        latest = checks.latest("c")
        assert latest is not None
        assert latest.labels == {"a": label, "b": NONE}

    classifier = saved(database)
    for threshold in (0.5, 0.25):
        database.views.publish(classifier, threshold)
        view = database.views.of(classifier)
        assert view is not None
        assert view.threshold == threshold
    database.views.drop(classifier)
    assert database.views.of(classifier) is None

    for photo in ("first", "second"):
        database.sessions.add_round(RoundRow("s", 1, np.ones(512, dtype=np.float32), (photo,)))
    assert [found.photos for found in database.sessions.rounds("s")] == [("first",), ("second",)]
    database.sessions.add(SessionRow("s", "c", "f", "p", 9))
    for name in ("One", "Two"):
        database.sessions.update("s", name=name)
        found = database.sessions.find("s")
        assert found is not None
        assert found.name == name

    for size in (1, 2):
        database.contents.add(table.name, {"photo-00001": Content(size=size)})
        assert database.contents.of(table)["photo-00001"].size == size
    assert database.damage() == []
