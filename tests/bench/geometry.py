"""Collections of any size to search: clusters drawn by chance, or the geometry of real vectors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]

DIMENSION = 512
BLOCK = 50_000
# Of the worlds' own spread, added to each vector that is drawn again: their 4,752 vectors have a
# median cosine of .91 to their nearest one, as many drawn like this .89.
NOISE = np.float32(0.5)
# Of each kind, at most.
QUERIES = 10


@dataclass(frozen=True, eq=False)
class Geometry:
    """What vectors and queries are drawn from.

    Attributes:
        name: for the table's head.
        centres: float32 (c, 512); one of them is the middle of each vector.
        spread: float32 (512, 512), a square root of the covariance of what is added to it.
        queries: float32 (q, 512), unit norm.
    """

    name: str
    centres: Matrix
    spread: Matrix
    queries: Matrix

    def blocks(self, rows: int) -> Iterator[Matrix]:
        """The collection, always the same, in blocks of at most BLOCK rows of unit norm."""
        for seed, first in enumerate(range(0, rows, BLOCK)):
            n = min(BLOCK, rows - first)
            yield drawn(self.centres, self.spread, n, seed=1000 + seed)


def clusters() -> Geometry:
    """200 clusters that spread evenly in all directions: harder for an index than photographs."""
    rng = np.random.default_rng(42)
    centres = rng.standard_normal((200, DIMENSION), dtype=np.float32)
    spread = np.eye(DIMENSION, dtype=np.float32) * np.float32(0.8)
    return Geometry("clusters", centres, spread, drawn(centres, spread, 4 * QUERIES, seed=1))


def real(files: Sequence[Path]) -> Geometry:
    """Real vectors drawn again and again, each time with noise that is spread as they are.

    Queries are, in equal parts, prompts as they are, prompts without what all prompts share, what
    a refinement makes of a prompt, and photos.

    Args:
        files: worlds, as `tests.bench.worlds` reads them.
    """
    worlds = [np.load(file) for file in files]
    # Worlds share photos.
    centres = unit(np.unique(_joined(worlds, "vectors").round(4), axis=0))
    prompts = unit(np.unique(_joined(worlds, "queries").round(5), axis=0))
    bank = _joined(worlds, "bank").mean(axis=0)
    mean = centres.mean(axis=0)
    values, axes = np.linalg.eigh(np.cov(centres.T))
    spread = (axes * np.sqrt(np.maximum(values, 0))).T.astype(np.float32) * NOISE
    photos = drawn(centres, spread, 3 * QUERIES, seed=1)
    some = prompts[:: max(1, len(prompts) // QUERIES)][:QUERIES]
    ups, downs = (unit(photos[part::3][: len(some)] - mean) for part in (1, 2))
    queries = [
        some,
        unit(some - bank),
        unit(some - bank) + 0.8 * ups - 0.5 * downs,
        photos[::3],
    ]
    return Geometry("real", centres, spread, unit(np.concatenate(queries)))


def drawn(centres: Matrix, spread: Matrix, n: int, seed: int) -> Matrix:
    """n vectors, each a centre by chance and noise of that spread, float32 (n, 512), unit norm."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((n, DIMENSION), dtype=np.float32) @ spread
    return unit(centres[rng.integers(len(centres), size=n)] + noise)


def _joined(worlds: Sequence[npt.NDArray[np.void]], name: str) -> Matrix:
    return np.concatenate([world[name].astype(np.float32) for world in worlds])


def unit(vectors: Matrix) -> Matrix:
    """The rows at unit norm, float32."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Matrix = (vectors / lengths).astype(np.float32)
    return scaled
