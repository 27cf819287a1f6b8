"""What a collection's vectors have in common, so that a refit can tell it from what a thumb says.

CLIP vectors share a mean and a few strong directions (a drawing's background, a photograph's kind);
two photos differ along those whatever they show. Measured in units of the collection's own spread,
a difference along a strong direction weighs little, and a fine one counts.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from db.dialect import Vector

Matrix = npt.NDArray[np.float32]

# Of the mean eigenvalue, added to each: 2,000 photos don't tell 512 directions apart well.
SHRINKAGE = 0.3


@dataclass(frozen=True, eq=False)
class Whitening:
    """The first two moments of a collection.

    Attributes:
        mean: float32 (512,).
        covariance: float32 (512, 512), scaled to a mean eigenvalue of 1, plus SHRINKAGE · I.
        precision: float32 (512, 512), its inverse.
    """

    mean: Vector
    covariance: Matrix
    precision: Matrix

    @classmethod
    def of(cls, vectors: Matrix) -> "Whitening":
        """Measure a collection, or a sample of it.

        Args:
            vectors: float32 (n, d), unit norm, in any number; of fewer than two nothing can be
                learnt, and no direction is told from another.
        """
        d = vectors.shape[1]
        mean = vectors.mean(axis=0) if len(vectors) else np.zeros(d, dtype=np.float32)
        with one_thread():
            centred = (vectors - mean).astype(np.float64)
            scatter = centred.T @ centred  # (d, d)
            total = np.trace(scatter)
            shape = scatter * (d / total) if total > 0 else np.eye(d)
            covariance = shape + SHRINKAGE * np.eye(d)
            precision = np.linalg.inv(covariance)
        return cls(mean, covariance.astype(np.float32), precision.astype(np.float32))


def one_thread() -> AbstractContextManager[object]:
    """A context in which NumPy's matrix products use one thread: their last bits depend on it."""
    limited: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limited


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
