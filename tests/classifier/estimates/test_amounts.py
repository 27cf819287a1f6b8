import numpy as np
import pytest
from scipy.stats import hypergeom

from classifier.estimates.amounts import Amount, Cell, how_many, share_of_both
from classifier.estimates.limits import limits

MISS = 0.025 - 1e-9


@pytest.mark.parametrize("size", [1, 7, 40, 333])
def test_limits_are_the_ends_of_what_mid_p_does_not_refuse(size: int) -> None:
    rng = np.random.default_rng(size)
    for marked in {0, 1, size // 2, size, *rng.integers(0, size + 1, 4).tolist()}:
        for right in {0, marked // 3, marked, int(rng.integers(0, marked + 1))}:
            there = np.arange(right, size - (marked - right) + 1)
            half = hypergeom.pmf(right, size, there, marked) / 2
            above = hypergeom.sf(right, size, there, marked) + half
            below = hypergeom.cdf(right, size, there, marked) - half
            possible = there[(above >= MISS) & (below >= MISS)]
            assert limits(right, marked, size) == (possible.min(), possible.max())


def test_limits_by_hand() -> None:
    # None of n right: half the chance of that is 2.5 % at a share of about 3 / n.
    assert limits(0, 100, 1_000_000) == (0, pytest.approx(29_513, rel=0.001))
    assert limits(100, 100, 1_000_000)[1] == 1_000_000
    assert limits(0, 0, 50) == (0, 50)
    assert limits(3, 10, 10) == (3, 3)
    assert limits(0, 0, 0) == (0, 0)


def test_cells_count_by_their_size() -> None:
    total = how_many([Cell(100, 10, 9), Cell(900, 10, 1)])
    assert total.value == pytest.approx(90 + 90)
    low, high = limits(9, 10, 100), limits(1, 10, 900)
    assert total.low == pytest.approx(180 - np.hypot(90 - low[0], 90 - high[0]))
    assert total.high == pytest.approx(180 + np.hypot(low[1] - 90, high[1] - 90))


def test_what_was_seen_bounds_what_there_is() -> None:
    assert how_many([Cell(10, 10, 4)]) == Amount(4, 4, 4)
    assert how_many([]) == Amount(0, 0, 0)
    nothing_known = how_many([Cell(60, 0, 0, otherwise=0.25)])
    assert nothing_known == Amount(15, 0, 60)
    assert how_many([Cell(60, 0, 0), Cell(40, 0, 0)]) == Amount(50, 0, 100, is_guess=True)
    for right in range(6):
        total = how_many([Cell(30, 5, right), Cell(8, 8, 2)])
        assert right + 2 <= total.low <= total.value <= total.high <= 30 - (5 - right) + 2


def test_the_share_of_two_amounts() -> None:
    recall = share_of_both(Amount(140, 131, 148), Amount(20, 8, 60))
    assert recall.value == pytest.approx(0.875)
    # Between the two ends at their worst together, and within those of each alone.
    assert 131 / (131 + 60) < recall.low < 140 / (140 + 60) + 0.01
    assert 140 / (140 + 8) - 0.01 < recall.high < 148 / (148 + 8)


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        (Amount(5, 5, 5), Amount(0, 0, 0), Amount(1, 1, 1)),
        (Amount(0, 0, 0), Amount(5, 5, 5), Amount(0, 0, 0)),
        (Amount(0, 0, 0), Amount(0, 0, 0), Amount(0.5, 0, 1)),
        (Amount(5, 0, 10), Amount(0, 0, 40), Amount(1, 0, 1)),
        (Amount(5, 0, 10), Amount(0, 0, 0), Amount(1, 1, 1)),
        (Amount(3, 3, 3), Amount(1, 1, 1), Amount(0.75, 0.75, 0.75)),
    ],
)
def test_shares_at_their_ends(one: Amount, other: Amount, share: Amount) -> None:
    found = share_of_both(one, other)
    assert (found.value, found.low, found.high) == pytest.approx(
        (share.value, share.low, share.high)
    )


def test_any_sample_gives_intervals_in_order() -> None:
    rng = np.random.default_rng(5)
    for _ in range(2000):
        cells = []
        for _ in range(int(rng.integers(1, 5))):
            size = int(rng.integers(0, 60))
            marked = int(rng.integers(0, size + 1))
            cells.append(Cell(size, marked, int(rng.integers(0, marked + 1)), float(rng.random())))
        total = how_many(cells)
        recall = share_of_both(how_many(cells[:1]), how_many(cells[1:]))
        assert total.low - 1e-9 <= total.value <= total.high + 1e-9, cells
        assert 0 <= recall.low <= recall.value + 1e-9, cells
        assert recall.value <= recall.high + 1e-9 <= 1 + 2e-9, cells
