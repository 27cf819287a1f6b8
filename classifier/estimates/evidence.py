"""What a check sample tells of a classifier, at any threshold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier.estimates.amounts import Amount, Cell, how_many, share_of_both

Scores = npt.NDArray[np.float32]

# An interval that is wider than this says too little for its middle to be told. Samples that come
# out high have the narrower ones for their estimate, so that a looser rule would tell these first.
_WIDEST_SHARE = 0.5
_WIDEST_AMOUNT = 0.7  # of the estimate itself
PLACES = 120


@dataclass(frozen=True)
class Quality:
    """How good a classifier is at a threshold.

    Attributes:
        kept: how many photos score at least the threshold.
        precision: which share of these is right.
        found: how many of these are right.
        total: how many photos of the whole collection are right.
        recall: which share of all right ones is kept.
        marked: how many photos of the sample are marked.
        right: how many of these are right and kept.
        marked_kept: how many of these are kept.
    """

    kept: int
    precision: Amount
    found: Amount
    total: Amount
    recall: Amount
    marked: int
    right: int
    marked_kept: int

    @property
    def tells_precision(self) -> bool:
        """Whether there are enough marks for it to be told."""
        told = self.kept > 0 and not self.precision.is_guess
        return told and self.precision.width <= _WIDEST_SHARE

    @property
    def tells_total(self) -> bool:
        """Whether there are enough marks for the total, and with it the recall, to be told."""
        return not self.total.is_guess and self.total.width <= _WIDEST_AMOUNT * self.total.value


@dataclass(frozen=True, eq=False)
class Stratum:
    """One stratum: all its photos, and those of the sample that are marked.

    Attributes:
        scores: float32, ascending, of all its photos under the classifier that is judged.
        right: float32, of the photos marked yes.
        wrong: float32, of the photos marked no.
    """

    scores: Scores
    right: Scores
    wrong: Scores

    def cell(self, low: float, high: float) -> Cell:
        """The part of it that scores from `low` to less than `high`."""
        ends = np.searchsorted(self.scores, np.asarray([low, high], dtype=np.float32))
        size = int(ends[1] - ends[0])
        right, wrong = (_within(marked, low, high) for marked in (self.right, self.wrong))
        marked = len(self.right) + len(self.wrong)
        otherwise = len(self.right) / marked if marked else None
        return Cell(size, right + wrong, right, otherwise)


class Evidence:
    """A check sample, stratum by stratum.

    The sample of each stratum is a simple random one, so that the part of it on one side of any
    threshold is one of the photos there. Nothing is taken for granted of how right photos lie along
    the score: what no mark tells is not told.
    """

    def __init__(self, strata: Sequence[Stratum]) -> None:
        self._strata = strata

    def at(self, threshold: float) -> Quality:
        """How good the classifier is at a threshold."""
        kept = [stratum.cell(threshold, np.inf) for stratum in self._strata]
        rest = [stratum.cell(-np.inf, threshold) for stratum in self._strata]
        found, missed = how_many(kept), how_many(rest)
        size = sum(cell.size for cell in kept)
        return Quality(
            size,
            found.over(size) if size else Amount(0.5, 0.0, 1.0),
            found,
            how_many([*kept, *rest]),
            share_of_both(found, missed),
            sum(cell.marked for cell in [*kept, *rest]),
            sum(cell.right for cell in kept),
            sum(cell.marked for cell in kept),
        )

    def curve(self) -> list[tuple[float, Quality]]:
        """The quality at thresholds from the strictest on, as far down as the sample can tell.

        The places are spread evenly over the logarithm of how many photos are kept.
        """
        scores = np.sort(np.concatenate([stratum.scores for stratum in self._strata]))
        places = np.unique(np.geomspace(1, len(scores), PLACES).astype(int))
        # Between two scores, so that whoever rounds either keeps the same photos.
        below = np.append(scores[:1], scores).astype(np.float64)
        thresholds = [float(scores[-place] + below[-place - 1]) / 2 for place in places]
        return [(threshold, self.at(threshold)) for threshold in dict.fromkeys(thresholds)]

    def more_needed(self, threshold: float) -> int:
        """About how many more marks below a threshold it takes until the total can be told.

        Where hardly any of them is right, an interval is the narrower the more there are.
        """
        rest = [stratum.cell(-np.inf, threshold) for stratum in self._strata]
        total = self.at(threshold).total
        if not total.value or total.is_guess:
            return 0
        times = total.width / (_WIDEST_AMOUNT * total.value)
        marked = sum(cell.marked for cell in rest)
        most = sum(cell.size for cell in rest) - marked
        return min(most, _rounded(round(marked * max(0.0, times - 1))))


def threshold_for(
    curve: Sequence[tuple[float, Quality]], precision: float, surely: bool
) -> float | None:
    """The lowest threshold of a curve above which a classifier is as precise as that, if any is.

    Args:
        curve: of `Evidence.curve`.
        precision: 0 to 1.
        surely: whether the lower end of the interval has to reach it; else the estimate has to.
    """
    reached = [
        threshold
        for threshold, quality in curve
        if quality.tells_precision
        and (quality.precision.low if surely else quality.precision.value) >= precision
    ]
    return min(reached, default=None)


def _rounded(n: int) -> int:
    """To one digit that counts, upwards: it is a guess."""
    unit = int(10 ** (len(str(n)) - 1))
    return -(-n // unit) * unit


def _within(scores: Scores, low: float, high: float) -> int:
    return int(np.count_nonzero((scores >= np.float32(low)) & (scores < np.float32(high))))
