import numpy as np
import pytest

from db.checks import Check, Checks, Strata
from db.database import Database
from db.sessions import DOWN, NONE, UP
from tests.conftest import unit_vectors

THREE = Strata(unit_vectors(1)[0], (0.3, 0.1), (5, 2**64 - 1, 7))


def drawn(checks: Checks, classifier: str, threshold: float, photos: list[str]) -> Check:
    checks.draw(classifier, checks.moment(classifier), threshold, photos, THREE)
    check = checks.latest(classifier)
    assert check is not None
    return check


def test_the_latest_sample_counts_with_its_latest_thumbs(database: Database) -> None:
    checks = database.checks
    assert checks.latest("mine") is None
    drawn(checks, "mine", 0.2, ["old"])
    check = drawn(checks, "mine", 0.3, ["b", "a'b\\", "c"])
    drawn(checks, "other", 0.9, ["d"])
    assert check.threshold == pytest.approx(0.3)
    assert list(check.labels.items()) == [("b", NONE), ("a'b\\", NONE), ("c", NONE)]
    checks.label("mine", check, "a'b\\", UP)
    checks.label_all("mine", check, ["b", "c"], UP)
    checks.label("mine", check, "c", DOWN)
    again = checks.latest("mine")
    assert again is not None
    assert again.labels == {"b": UP, "a'b\\": UP, "c": DOWN}


def test_strata_are_stored_and_a_larger_sample_keeps_its_thumbs(database: Database) -> None:
    checks = database.checks
    check = drawn(checks, "mine", 0.3, ["a", "b"])
    assert check.strata is not None
    assert np.array_equal(check.strata.weight, THREE.weight)
    assert (check.strata.lows, check.strata.cuts) == (THREE.lows, THREE.cuts)
    checks.label("mine", check, "a", UP)
    larger = Strata(THREE.weight, THREE.lows, (6, 2**64 - 1, 9))
    checks.extend("mine", check, ["c", "a", "b"], larger)
    again = checks.latest("mine")
    assert again is not None
    assert again.drawn == check.drawn
    assert list(again.labels.items()) == [("a", UP), ("b", NONE), ("c", NONE)]
    assert again.strata is not None
    assert again.strata.cuts == larger.cuts


def test_a_sample_of_an_earlier_version_has_no_strata(database: Database) -> None:
    columns = ("classifier", "drawn", "threshold", "place", "photo", "label", "sequence")
    database.connection.insert_rows("checks", columns, [["mine", 5, 0.25, 0, "a", UP, 5]])
    check = database.checks.latest("mine")
    assert check is not None
    assert (check.labels, check.strata) == ({"a": UP}, None)
