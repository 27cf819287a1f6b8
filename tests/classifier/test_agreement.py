"""Agreement, as two textbooks have it."""

import pytest

from classifier.agreement import Agreement, agreement_of, answers_of
from classifier.thumbs import Thumbs
from db.database import Database
from db.sessions import DOWN, NONE, UNSURE, UP


def test_kappa_of_two_as_cohen_has_it() -> None:
    # 50 proposals, 20 both yes, 15 both no, 5 and 10 apart: po .7, pe .5 (Wikipedia's example).
    table = {(UP, UP): 20, (UP, DOWN): 5, (DOWN, UP): 10, (DOWN, DOWN): 15}
    pairs = [pair for pair, n in table.items() for _ in range(n)]
    told = agreement_of({str(n): {"a": a, "b": b} for n, (a, b) in enumerate(pairs)})
    assert told is not None
    assert (told.people, told.photos, len(told.disputed)) == (("a", "b"), 50, 15)
    assert (told.measure, told.value) == ("Cohen's kappa", pytest.approx(0.4))


def test_alpha_of_more_with_gaps_as_krippendorff_has_it() -> None:
    # Computing Krippendorff's Alpha-Reliability (2011), C: binary data, two observers, alpha .095;
    # a third who says nothing of most photos makes it alpha instead of kappa.
    first = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    second = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    both = {str(n): {"a": a, "b": b} for n, (a, b) in enumerate(zip(first, second, strict=True))}
    told = agreement_of(both)
    assert told is not None
    assert told.measure == "Cohen's kappa"
    told = agreement_of({**both, "alone": {"c": UP, "d": UP}})
    assert told is not None
    assert told.measure == "Krippendorff's alpha"
    # By hand: 22 values, 12 zeros and 10... of which the coincidences off the diagonal are 8.
    zeros = first.count(0) + second.count(0)
    ones = 22 - zeros
    assert told.value == pytest.approx(1 - (22 - 1) * 8 / (2 * zeros * ones))
    assert told.people == ("a", "b", "c", "d")


@pytest.mark.parametrize("people", ["ab", "abc"])
def test_thumbs_that_are_all_the_same_have_no_measure(people: str) -> None:
    told = agreement_of({"x": dict.fromkeys(people, UP), "y": dict.fromkeys(people, UP)})
    assert told == Agreement(tuple(people), 2, (), told.measure if told else "", None)
    assert agreement_of({}) is None


def test_only_a_yes_and_a_no_of_people_who_signed_in_count(database: Database) -> None:
    thumbs = Thumbs("s", database.sessions, {})
    for by, labels in (
        ("ann", {"a": UP, "b": UP, "c": UP, "d": UP, "e": UP}),
        ("bob", {"a": DOWN, "b": UNSURE, "c": DOWN}),
        ("bob", {"c": NONE}),
        ("", {"d": DOWN}),
        ("bob", {"e": DOWN}),
        ("bob", {"e": UP}),
    ):
        thumbs.give(labels, by=by)
    assert answers_of(thumbs) == {"a": {"ann": UP, "bob": DOWN}, "e": {"ann": UP, "bob": UP}}
