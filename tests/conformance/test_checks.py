import pytest

from db.database import Database
from db.sessions import DOWN, NONE, UP


def test_the_latest_sample_counts_with_its_latest_thumbs(database: Database) -> None:
    checks = database.checks
    assert checks.latest("mine") is None
    checks.draw("mine", 0.2, ["old"])
    checks.draw("mine", 0.3, ["b", "a'b\\", "c"])
    checks.draw("other", 0.9, ["d"])
    check = checks.latest("mine")
    assert check is not None
    assert check.threshold == pytest.approx(0.3)
    assert list(check.labels.items()) == [("b", NONE), ("a'b\\", NONE), ("c", NONE)]
    checks.label("mine", check, "a'b\\", UP)
    checks.label("mine", check, "c", UP)
    checks.label("mine", check, "c", DOWN)
    again = checks.latest("mine")
    assert again is not None
    assert again.labels == {"b": NONE, "a'b\\": UP, "c": DOWN}
