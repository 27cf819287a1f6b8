"""How many photos of a stratum may be right, given how many of its sample are."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

CONFIDENCE = 0.95
# On either side; what is exactly as unlikely is not left out for a rounding.
_MISS = (1 - CONFIDENCE) / 2 - 1e-9


@lru_cache(maxsize=50_000)  # the same few counts come again with each mark and each threshold
def limits(right: int, marked: int, size: int) -> tuple[int, int]:
    """The fewest and the most photos of a stratum that may be right, with 95 % confidence.

    Exact for a simple random sample without replacement, whose count of right ones is
    hypergeometric; an outcome as likely as not to be on the far side counts half (mid-P), so that
    coverage is .95 on average instead of at least .95. Where all are marked, it is their count.

    Args:
        right: how many of the marked are right.
        marked: how many were marked, each as likely to be as any other; 0 tells nothing.
        size: how many photos there are.

    Sources: H. O. Lancaster, "Significance tests in discrete distributions", JASA 56 (1961), for
    mid-P; A. Agresti and A. Gottard, "Nonconservative exact small-sample inference for discrete
    data", Computational Statistics & Data Analysis 51 (2007), for its intervals.
    """
    fewest, most = right, size - (marked - right)
    if not marked:
        return fewest, most
    low = _furthest(most, fewest, lambda there: _tails(right, marked, size, there)[1] >= _MISS)
    high = _furthest(fewest, most, lambda there: _tails(right, marked, size, there)[0] >= _MISS)
    return low, high


def _furthest(start: int, end: int, may_be: Callable[[int], bool]) -> int:
    """How far from `start`, which may be, towards `end` numbers may be."""
    if may_be(end):
        return end
    while abs(end - start) > 1:
        middle = (start + end) // 2
        start, end = (middle, end) if may_be(middle) else (start, middle)
    return start


def _tails(right: int, marked: int, size: int, there: int) -> tuple[float, float]:
    """The chances of at most and of at least so many right ones, `there` being so many in all.

    What is exactly as many counts half in both.
    """
    first, last = max(0, marked - (size - there)), min(marked, there)
    each = np.arange(first, last, dtype=np.float64)
    grows = np.log((there - each) * (marked - each))
    shrinks = np.log((each + 1) * (size - there - marked + each + 1))
    logs = np.concatenate([[0.0], np.cumsum(grows - shrinks)])
    chances = np.exp(logs - logs.max())
    chances /= chances.sum()
    place = right - first
    half = chances[place] / 2
    return float(chances[:place].sum() + half), float(chances[place + 1 :].sum() + half)
