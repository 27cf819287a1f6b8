"""What a map shows: points in a plane, each with a score and perhaps a thumb."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from classifier.ranking import Ranking
from db.maps import PhotoMap
from db.sessions import DOWN, NONE, UP

MOST = 60  # photos on a desk
_SHAPES = {UP: 1, DOWN: 2}  # what map.js calls the marks
_FINEST = 65_535  # places are whole numbers up to this


@dataclass(frozen=True, eq=False)
class Points:
    """The photos of a map that are still in the collection, the best one last, to be drawn on top.

    Attributes:
        ids: n photo ids.
        places: float32 (n, 2), from 0 to 1.
        scores: float32 (n,), ascending.
        marks: of the session, by photo id.
    """

    ids: Sequence[str]
    places: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    marks: Mapping[str, int]

    @classmethod
    def of(cls, laid_out: PhotoMap, ranking: Ranking, marks: Mapping[str, int]) -> "Points":
        """The points of a map under a classifier."""
        row = {photo: place for place, photo in enumerate(laid_out.ids)}
        rows = np.asarray([row.get(photo, -1) for photo in reversed(ranking.ids)], dtype=np.intp)
        there = rows >= 0
        rows = rows[there]
        scores = ranking.scores[::-1][there]
        return cls([laid_out.ids[at] for at in rows], laid_out.places[rows], scores, marks)

    @property
    def stamp(self) -> str:
        """Tells these points from others, so that a choice among others is known as such."""
        return hashlib.blake2b("\n".join(self.ids).encode(), digest_size=8).hexdigest()

    def chosen(self, sent: object) -> list[str]:
        """The photos that a browser chose, at most MOST: those without thumbs, and the best, first.

        Args:
            sent: `stamp`, and `points`, places in `ids`.

        Returns:
            Their ids; none where other points were on screen.
        """
        if not isinstance(sent, Mapping) or sent.get("stamp") != self.stamp:
            return []
        points = sent.get("points")
        if not isinstance(points, Sequence) or not all(type(p) is int for p in points):
            return []
        best = sorted({p for p in points if 0 <= p < len(self.ids)}, reverse=True)
        photos = [self.ids[p] for p in best]
        return sorted(photos, key=lambda photo: self.marks.get(photo, NONE) != NONE)[:MOST]

    def sent(self) -> dict[str, Any]:
        """What map.js draws: x and y as uint16, scores and marks as uint8, all in base64."""
        low, high = (float(self.scores[0]), float(self.scores[-1])) if len(self.ids) else (0.0, 0.0)
        share = (self.scores - low) / ((high - low) or 1)
        marks = [_SHAPES.get(self.marks.get(photo, NONE), 0) for photo in self.ids]
        return {
            "stamp": self.stamp,
            "most": MOST,
            "low": low,
            "high": high,
            "places": _packed(self.places * _FINEST, "<u2"),
            "scores": _packed(share * 255, "u1"),
            "marks": _packed(np.asarray(marks), "u1"),
        }


def _packed(numbers: npt.NDArray[Any], kind: str) -> str:
    return b64encode(np.rint(numbers).astype(kind).tobytes()).decode()
