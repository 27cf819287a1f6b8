from dataclasses import replace

import numpy as np
import pytest

from classifier.estimates.evidence import Evidence, Stratum, threshold_for
from classifier.estimates.population import Population
from db.sessions import DOWN, UNSURE, UP
from tests.conftest import unit_vectors

WEIGHT = unit_vectors(1)[0]


def population(n: int = 3000, kept: int = 100, drawn: int = 77) -> Population:
    scores = np.linspace(0.9, 0.1, n, dtype=np.float32)
    ids = [f"p{place}" for place in range(n)]
    return Population.new(WEIGHT, ids, scores, drawn, float(scores[kept - 1]) if kept else 1.0)


def places(sample: list[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.asarray([int(photo[1:]) for photo in sample])


def test_a_sample_has_photos_of_all_strata_those_above_the_threshold_first() -> None:
    found = places(population().enlarged(30, 50).sample())
    assert len(set(found.tolist())) == 80
    assert (found[:30] < 100).all()
    assert (found[30:] >= 100).all()
    ends = [0, 50, 100, 200, 500, 2000, 3000]
    assert np.histogram(found, ends)[0].tolist() == [15, 15, 6, 7, 7, 30]
    assert found[:30].tolist() != sorted(found[:30])


@pytest.mark.parametrize(("n", "kept"), [(1, 1), (1, 0), (40, 40), (40, 0), (60, 1), (200, 190)])
def test_collections_of_any_size_are_drawn_from(n: int, kept: int) -> None:
    chosen = population(n, kept).enlarged(30, 50)
    found = places(chosen.sample())
    assert np.count_nonzero(found < kept) == min(30, kept)
    assert np.count_nonzero(found >= kept) == min(50, n - kept)
    assert chosen.evidence({}).at(chosen.threshold).kept == kept
    assert chosen.left() == (max(0, kept - 30), max(0, n - kept - 50))


def test_another_key_draws_other_photos_and_the_same_key_the_same() -> None:
    one, same, other = (population(drawn=key).enlarged(30, 50).sample() for key in (1, 1, 2))
    assert one == same
    assert set(one) != set(other)


def test_each_photo_is_as_likely_to_be_drawn() -> None:
    drawn = np.zeros(100)
    for key in range(2000):
        drawn[places(population(120, 100, key).enlarged(20, 0).sample())] += 1
    # 400 each, by a standard deviation of 18.
    assert drawn.min() > 310
    assert drawn.max() < 490


def test_a_larger_sample_keeps_its_photos() -> None:
    small = population().enlarged(30, 50)
    large = small.enlarged(20, 60)
    assert set(small.sample()) < set(large.sample())
    assert len(large.sample()) == 160


def test_equal_scores_lie_in_one_stratum() -> None:
    scores = np.repeat(np.float32([0.9, 0.5, 0.2]), 100)
    ids = [f"p{place}" for place in range(300)]
    chosen = Population.new(WEIGHT, ids, scores, 5, 0.5).enlarged(10, 10)
    assert chosen.evidence({}).at(0.5).kept == 200
    assert len(chosen.sample()) == 20


def test_unsure_and_unknown_photos_count_as_not_marked() -> None:
    chosen = population().enlarged(30, 50)
    sample = chosen.sample()
    labels = {sample[0]: UP, sample[1]: DOWN, sample[2]: UNSURE, "gone": UP}
    quality = chosen.evidence(labels).at(chosen.threshold)
    assert (quality.marked, quality.marked_kept, quality.right) == (2, 2, 1)
    assert not quality.tells_precision
    assert not quality.tells_total


def test_thumbs_on_other_photos_change_nothing() -> None:
    chosen = population().enlarged(30, 50)
    marks = dict.fromkeys(chosen.sample(), UP)
    assert chosen.evidence(marks).at(0.5).total.value == pytest.approx(3000)


def test_without_a_mark_anything_is_possible() -> None:
    quality = population().evidence({}).at(0.5)
    assert (quality.total.low, quality.total.high) == (0, 3000)
    assert (quality.recall.low, quality.recall.high) == (0, 1)
    assert not quality.tells_total


def evidence() -> Evidence:
    """Two strata, all marked: right down to .6, and half of them below that."""
    scores = np.linspace(0, 1, 101, dtype=np.float32)
    right = (scores >= np.float32(0.6)) | (np.arange(101) % 2 == 0)
    parts = [scores >= 0.5, scores < 0.5]
    return Evidence([Stratum(scores[p], scores[p & right], scores[p & ~right]) for p in parts])


def test_a_census_is_certain() -> None:
    quality = evidence().at(0.6)
    assert quality.precision.value == quality.precision.low == quality.precision.high == 1
    assert quality.total.low == quality.total.high == 71
    assert quality.recall.low == quality.recall.high == pytest.approx(41 / 71)
    assert quality.tells_total


def test_the_lowest_threshold_that_is_so_precise() -> None:
    curve = evidence().curve()
    for wanted in (0.75, 0.95, 1.0):
        threshold = threshold_for(curve, wanted, surely=False)
        assert threshold is not None
        assert evidence().at(threshold).precision.value >= wanted
        lower = [place for place, _ in curve if place < threshold]
        assert all(evidence().at(place).precision.value < wanted for place in lower)
    assert threshold_for(curve, 1.01, surely=False) is None


def test_surely_takes_the_lower_end_of_the_interval() -> None:
    chosen = population(2000, 400).enlarged(60, 20)
    marks = {p: UP if int(p[1:]) < 300 else DOWN for p in chosen.sample()}
    curve = chosen.evidence(marks).curve()
    likely, surely = (threshold_for(curve, 0.8, surely=how) for how in (False, True))
    assert likely is not None
    assert surely is not None
    assert surely > likely


def test_how_many_more_marks_it_takes() -> None:
    chosen = population(25_000, 150).enlarged(30, 50)
    marks = {p: UP if int(p[1:]) < 140 else DOWN for p in chosen.sample()}
    found = chosen.evidence(marks)
    more = found.more_needed(chosen.threshold)
    larger = chosen.enlarged(0, more + more // 2)
    again = {p: UP if int(p[1:]) < 140 else DOWN for p in larger.sample()}
    assert not found.at(chosen.threshold).tells_total
    assert larger.evidence(again).at(chosen.threshold).tells_total
    assert larger.evidence(again).more_needed(chosen.threshold) == 0


def test_photos_that_come_in_are_drawn_as_likely() -> None:
    chosen = population(drawn=9).enlarged(40, 60)
    ids = [*chosen.ids, *(f"new{place}" for place in range(3000))]
    both = np.concatenate([chosen.scores, chosen.scores])
    doubled = replace(
        chosen, ids=ids, scores=both, places=np.concatenate([chosen.places, chosen.places])
    )
    came = set(doubled.sample()) - set(chosen.sample())
    assert set(chosen.sample()) < set(doubled.sample())
    assert 60 <= len(came) <= 140
