"""Amounts that are estimated over several strata, with their 95 % intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, inf, sqrt

from classifier.estimates.limits import limits


@dataclass(frozen=True)
class Cell:
    """Photos of one stratum on one side of the threshold.

    Attributes:
        size: how many there are.
        marked: how many of the sample's are marked, yes or no.
        right: how many of these are right.
        otherwise: the share to take for theirs where none is marked, 0 to 1; or None where
            nothing is known.
    """

    size: int
    marked: int
    right: int
    otherwise: float | None = None

    @property
    def estimate(self) -> float:
        """How many are right; half of them where nothing is known."""
        if self.marked:
            return self.size * self.right / self.marked
        return self.size * (0.5 if self.otherwise is None else self.otherwise)

    @property
    def is_unknown(self) -> bool:
        """Whether no mark tells of it, nor of its stratum."""
        return bool(self.size) and not self.marked and self.otherwise is None


@dataclass(frozen=True)
class Amount:
    """An estimate, and the ends of its 95 % interval.

    Attributes:
        value: the estimate.
        low: the lower end.
        high: the upper end.
        is_guess: whether no mark tells of some part of it; the interval holds all the same.
    """

    value: float
    low: float
    high: float
    is_guess: bool = False

    @property
    def width(self) -> float:
        """From one end to the other."""
        return self.high - self.low

    def over(self, whole: float) -> "Amount":
        """It as a share of a whole that is known."""
        return Amount(self.value / whole, self.low / whole, self.high / whole, self.is_guess)


def how_many(cells: Sequence[Cell]) -> Amount:
    """How many photos of all cells together are right.

    Each cell's share counts by its size. The interval's ends lie as far from the estimate as the
    cells' own ends, squared, added and rooted (MOVER), which asks nothing of their shape: a stratum
    without a right one in its sample still adds what it may hide, and nothing below zero. Of a cell
    without a mark anything may be true, so all of it is added.

    Source: G. Y. Zou, W. Huang and X. Zhang, "A note on confidence interval estimation for a linear
    function of binomial proportions", Computational Statistics & Data Analysis 53 (2009).
    """
    value = sum(cell.estimate for cell in cells)
    below, above = 0.0, 0.0
    for cell in cells:
        if cell.marked:
            low, high = limits(cell.right, cell.marked, cell.size)
            below = hypot(below, cell.estimate - low)
            above = hypot(above, high - cell.estimate)
    blank = [cell for cell in cells if not cell.marked]
    below += sum(cell.estimate for cell in blank)
    above += sum(cell.size - cell.estimate for cell in blank)
    seen = sum(cell.right for cell in cells)
    wrong = sum(cell.marked - cell.right for cell in cells)
    size = sum(cell.size for cell in cells)
    guess = any(cell.is_unknown for cell in cells)
    return Amount(value, max(seen, value - below), min(size - wrong, value + above), guess)


def share_of_both(one: Amount, other: Amount) -> Amount:
    """Which share of two amounts together the first one is; the two are estimated apart.

    Source: R. G. Newcombe, "MOVER-R confidence intervals for ratios and products of two
    independently estimated quantities", Statistical Methods in Medical Research 25 (2016), here of
    the odds one : other.
    """
    both = one.value + other.value
    if not both:
        return Amount(0.5, 0.0, 1.0)
    low = _lower_odds(one, other)
    high = _lower_odds(other, one)  # the other way round, the upper end is the lower one
    return Amount(one.value / both, low / (1 + low) if low < inf else 1.0, 1 / (1 + high))


def _lower_odds(one: Amount, other: Amount) -> float:
    """The lower end of one : other, infinite where the other is surely nothing."""
    below, above = one.value - one.low, other.high - other.value
    certain = one.value**2 - below**2
    product = one.value * other.value
    across = product + sqrt((other.value * below) ** 2 + above**2 * certain)
    if across:
        return certain / across
    return inf if one.value and not above else 0.0
