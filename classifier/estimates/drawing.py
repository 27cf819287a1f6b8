"""Which photos chance puts into a check sample.

Every photo has a number of its own, a hash of its id under the sample's key, and a stratum's sample
is its photos up to a number (permanent random numbers). So a sample that is made larger keeps its
photos, and photos that come in later are in it as likely as those that were there.

Source: E. Ohlsson, "Coordination of samples using permanent random numbers", in Business Survey
Methods (Wiley, 1995).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from db.checks import Strata
from db.dialect import Vector

Numbers = npt.NDArray[np.uint64]
Places = npt.NDArray[np.intp]
Scores = npt.NDArray[np.float32]

# Where strata below the threshold end, in photos kept: right ones are the rarer the lower.
_BELOW = (1, 4, 19)
_SMALLEST = 25  # photos
# Of the photos drawn below the threshold, so many are from its last stratum, the largest by far.
DEEP = 0.6


def strata_of(weight: Vector, scores: Scores, threshold: float) -> Strata:
    """Divide a collection by score, around a threshold.

    Args:
        weight: float32 (512,), of the classifier.
        scores: float32 (n,), descending, n > 0.
        threshold: a score.
    """
    n = len(scores)
    kept = int(np.count_nonzero(scores >= np.float32(threshold)))
    unit = max(kept, _SMALLEST)
    ends = [kept // 2] if kept >= 2 * _SMALLEST else []
    lows = [float(scores[end - 1]) for end in ends]
    lows += [float(np.float32(threshold))] if kept else []
    lows += [float(scores[kept + unit * m - 1]) for m in _BELOW if kept + unit * (m + 1) <= n]
    lows = list(dict.fromkeys(lows))  # equal scores lie in one stratum
    return Strata(weight, tuple(lows), (0,) * (len(lows) + 1))


def above_alone(weight: Vector, threshold: float) -> Strata:
    """What a sample was drawn from that an earlier version of the explorer drew."""
    return Strata(weight, (float(np.float32(threshold)),), (0, 0))


def stratum_of(strata: Strata, scores: Scores) -> Places:
    """The stratum of each photo, 0 for the highest: intp (n,), by its scores float32 (n,)."""
    lows = np.asarray(strata.lows[::-1], dtype=np.float32)
    return len(lows) - np.searchsorted(lows, scores, side="right")


def numbers_of(ids: Sequence[str], drawn: int) -> Numbers:
    """The number that each photo has under a sample's key."""
    values = np.asarray(ids, dtype=object)
    return pd.util.hash_array(values, hash_key=f"{drawn:016x}", categorize=False)


def enlarged(
    strata: Strata, threshold: float, places: Places, numbers: Numbers, above: int, below: int
) -> Strata:
    """Raise the cuts, so that more photos are in the sample.

    Args:
        strata: as it is.
        threshold: the one that they were made around.
        places: each photo's stratum, intp (n,).
        numbers: each photo's number, uint64 (n,).
        above: how many photos to add above the threshold, where there are so many.
        below: how many below it.
    """
    kept = [place for place, low in enumerate(strata.lows) if low >= np.float32(threshold)]
    rest = [place for place in range(len(strata.cuts)) if place not in kept]
    wanted = dict(zip(kept, split(above, len(kept), 0.0), strict=True))
    wanted |= dict(zip(rest, split(below, len(rest), DEEP), strict=True))
    cuts = list(strata.cuts)
    for place, more in sorted(wanted.items()):
        outside = np.sort(numbers[(places == place) & (numbers > np.uint64(cuts[place]))])
        taken = min(more, len(outside))
        if taken:
            cuts[place] = int(outside[taken - 1])
        # What a small stratum doesn't have is drawn from the next one of its side.
        if place + 1 in wanted and (place in kept) == (place + 1 in kept):
            wanted[place + 1] += more - taken
    return replace(strata, cuts=tuple(cuts))


def drawn_from(strata: Strata, places: Places, numbers: Numbers) -> npt.NDArray[np.bool_]:
    """Whether each photo is in the sample: bool (n,)."""
    cuts = np.asarray(strata.cuts, dtype=np.uint64)
    inside: npt.NDArray[np.bool_] = numbers <= cuts[places]
    return inside


def split(n: int, parts: int, last: float) -> list[int]:
    """Cut a number in parts as equal as can be, of which the last one has a share of its own."""
    if parts <= 1 or not last:
        return [n * (part + 1) // parts - n * part // parts for part in range(parts)]
    deep = round(n * last)
    return [*split(n - deep, parts - 1, 0.0), deep]
