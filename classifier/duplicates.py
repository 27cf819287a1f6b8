"""Near-duplicates in one round: photos that one thumb can stand for."""

import numpy as np
import numpy.typing as npt

# Cosine from which on two photos are stacked. Of real CLIP vectors, all pairs above it have the
# same labels; at .97 one in eleven has not (python -m tests.bench.duplicates; RESULTS.md).
LIMIT = 0.98


def stacks(vectors: npt.NDArray[np.float32], limit: float = LIMIT) -> list[list[int]]:
    """The places of n photos, those of near-duplicates together, in order of their first one.

    Every photo of a stack resembles its first one, so no chain of small steps joins what differs.

    Args:
        vectors: float32 (n, 512), unit norm.
        limit: the cosine from which on two photos count as the same.
    """
    found: list[list[int]] = []
    cosines = vectors @ vectors.T  # (n, n)
    for place in range(len(vectors)):
        home = next((stack for stack in found if cosines[stack[0], place] >= limit), None)
        if home is None:
            found.append([place])
        else:
            home.append(place)
    return found
