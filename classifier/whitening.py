"""What a collection's vectors have in common, so that a refit can tell it from what a thumb says.

CLIP vectors share a mean and a few strong directions (a drawing's background, a photograph's kind);
two photos differ along those whatever they show. Measured in units of the collection's own spread,
a difference along a strong direction weighs little, and a fine one counts.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

from db.dialect import Vector

Matrix = npt.NDArray[np.float32]

# Of the mean eigenvalue, added to each: 2,000 photos don't tell 512 directions apart well.
SHRINKAGE = 0.3
# Photos of the collection that a refit takes for weak negatives.
POOL = 100


@dataclass(frozen=True, eq=False)
class Whitening:
    """The first two moments of a collection, and the coordinates in which it spreads evenly.

    A weight v there scores as `weight(v)` does here, but for a constant.

    Attributes:
        mean: float32 (512,).
        whiten: float32 (512, 512), C^-½ of the covariance C, which is scaled to a mean eigenvalue
            of 1 and shrunk by SHRINKAGE · I.
        colour: float32 (512, 512), its inverse C^½.
        pool: float32 (p, 512), at most POOL of the collection's photos, in those coordinates.
    """

    mean: Vector
    whiten: Matrix
    colour: Matrix
    pool: Matrix

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
            spread, directions = np.linalg.eigh(shape + SHRINKAGE * np.eye(d))
            whiten = (directions / np.sqrt(spread)) @ directions.T
            colour = (directions * np.sqrt(spread)) @ directions.T
            places = np.linspace(0, max(len(vectors) - 1, 0), min(POOL, len(vectors))).astype(int)
            pool = centred[places] @ whiten
        return cls(mean, *(matrix.astype(np.float32) for matrix in (whiten, colour, pool)))

    def photos(self, X: Matrix) -> Matrix:
        """Photos in these coordinates: float32 (n, 512) -> float32 (n, 512)."""
        whitened: Matrix = np.matmul(X - self.mean, self.whiten)
        return whitened

    def start(self, weight: Vector) -> Vector:
        """A weight in these coordinates: float32 (512,) -> float32 (512,)."""
        start: Vector = self.colour @ weight
        return start

    def weight(self, start: Vector) -> Vector:
        """What `start` undoes, float32 (512,), of unit norm."""
        weight = self.whiten @ start
        unit: Vector = (weight / np.linalg.norm(weight)).astype(np.float32)
        return unit


# Sessions of one collection share it: 2 MB, and an eigendecomposition.
_measured: "WeakValueDictionary[tuple[int, bytes], Whitening]" = WeakValueDictionary()


def measured(vectors: Matrix) -> Whitening:
    """`Whitening.of` the vectors, measured once for all who have the same at one time."""
    key = vectors.shape[1], blake2b(vectors.tobytes(), digest_size=16).digest()
    found = _measured.get(key)
    return _measured.setdefault(key, Whitening.of(vectors)) if found is None else found


def one_thread() -> AbstractContextManager[object]:
    """A context in which NumPy's matrix products use one thread: their last bits depend on it."""
    limited: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limited


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
