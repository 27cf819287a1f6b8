"""What a session showed, round by round, and what its thumbs say of that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from classifier.duplicates import stacks
from db.dialect import Vector
from db.photo import Neighbour, Photo
from db.sessions import UP, RoundRow


@dataclass(frozen=True, eq=False)
class Round:
    """What one search showed.

    Attributes:
        number: 1 for the prompt alone, one more with each round.
        liked: the id of the photo that it was to resemble, or "" for a refinement.
        why: what brought its photos on screen, as in db.sessions.RoundRow.
        weight: float32 (512,), what was searched with.
        photos: n photos, nearest first.
        vectors: float32 (n, 512), unit norm.
        scores: float32 (n,), the photos' scores under the weight.
        sequence: tells it from all others of its session, also where two processes gave two rounds
            the same number.
    """

    number: int
    liked: str
    why: str
    weight: Vector
    photos: tuple[Photo, ...]
    vectors: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    sequence: int

    @cached_property
    def stacks(self) -> list[list[int]]:
        """The places of the photos, near-duplicates together."""
        return stacks(self.vectors)

    @classmethod
    def of(cls, row: RoundRow, found: Sequence[Neighbour]) -> "Round":
        """A stored round with its photos, of which some may be gone by now."""
        weight = row.weight
        vectors = np.stack([n.vector for n in found]) if found else np.empty((0, len(weight)), "f4")
        scores = vectors @ (weight / np.linalg.norm(weight))
        photos = tuple(n.photo for n in found)
        return cls(row.round, row.liked, row.why, weight, photos, vectors, scores, row.sequence)


def training_set(
    rounds: Sequence[Round], labels: Mapping[str, int]
) -> tuple[npt.NDArray[np.float32], list[int]]:
    """Vectors float32 (n, 512) and labels of the n photos with thumbs, in order of showing.

    A photo that was shown again, as one at a threshold may be, counts once.

    Args:
        rounds: at least one.
        labels: UP or DOWN by photo id.
    """
    vectors = {
        photo.id: vector
        for shown in rounds
        for photo, vector in zip(shown.photos, shown.vectors, strict=True)
        if photo.id in labels
    }
    if not vectors:
        return np.empty((0, len(rounds[-1].weight)), dtype=np.float32), []
    return np.stack(list(vectors.values())), [labels[photo] for photo in vectors]


def share_of_ups(rounds: Sequence[Round], labels: Mapping[str, int]) -> list[float | None]:
    """The ups among the thumbs of each round; None for a round without thumbs."""
    shares: list[float | None] = []
    for shown in rounds:
        given = [labels[p.id] for p in shown.photos if p.id in labels]
        shares.append(given.count(UP) / len(given) if given else None)
    return shares


def turns(rounds: Sequence[Round]) -> list[float]:
    """By how many degrees each round's weight is turned from that of the round before."""
    units = [r.weight / np.linalg.norm(r.weight) for r in rounds]
    cosines = [float(a @ b) for a, b in pairwise(units)]
    return [float(np.degrees(np.arccos(min(1.0, cosine)))) for cosine in cosines]
