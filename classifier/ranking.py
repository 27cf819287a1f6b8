"""A saved classifier's ranking of a collection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from db.sessions import DOWN, UP

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Ranking:
    """A whole collection under one classifier.

    Attributes:
        ids: n photo ids, best first.
        scores: float32 (n,), descending, from -1 to 1.
        labels: UP or DOWN by photo id, of the photos that were given thumbs.
    """

    ids: Sequence[str]
    scores: Scores
    labels: Mapping[str, int]

    def kept(self, threshold: float) -> int:
        """How many photos score at or above a threshold."""
        return int(np.count_nonzero(self.scores >= np.float32(threshold)))

    def first_threshold(self) -> float:
        """Where to put the threshold before anyone moves it.

        Halfway between the mean scores of the two kinds of thumbs; without both kinds, at the
        hundredth photo.
        """
        up, down = self._mean(UP), self._mean(DOWN)
        if up is not None and down is not None:
            return (up + down) / 2
        return float(self.scores[min(100, len(self.scores)) - 1])

    def _mean(self, label: int) -> float | None:
        chosen = [
            score
            for photo, score in zip(self.ids, self.scores, strict=True)
            if self.labels.get(photo) == label
        ]
        return float(np.mean(chosen)) if chosen else None
