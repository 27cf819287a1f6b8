"""Where to look on while nothing right was found: far and wide among the nearest."""

from collections.abc import Sequence

import numpy as np

from classifier.whitening import Matrix
from db.photo import Neighbour

# So many times a round's photos are looked at.
REACH = 5


def spread(found: Sequence[Neighbour], k: int) -> list[Neighbour]:
    """Of some photos k that are far from one another, the nearest one among them.

    Args:
        found: the nearest first.
        k: how many; where there are no more, all come.

    Returns:
        The nearest first.
    """
    if len(found) <= k:
        return list(found)
    vectors = np.stack([neighbour.vector for neighbour in found])
    return [found[place] for place in far_apart(vectors, k)]


def far_apart(vectors: Matrix, k: int) -> list[int]:
    """The places of k vectors that are far from one another, ascending; the first is among them.

    One after another is taken that is furthest from all that were taken before (the greedy k-center
    of Gonzalez, 1985).

    Args:
        vectors: float32 (n, d), unit norm, more than k.
        k: how many.
    """
    taken, cosine = [0], vectors @ vectors[0]  # of each to the nearest that was taken
    while len(taken) < k:
        furthest = int(cosine.argmin())
        taken.append(furthest)
        cosine = np.maximum(cosine, vectors @ vectors[furthest])
    return sorted(taken)
