"""Laying vectors out in two dimensions, by t-SNE: what is near stays near.

openTSNE's, whose time grows with the number of vectors and no faster, and which brings 13 MB beside
scikit-learn; umap-learn brings a compiler, whose first start took two minutes on a busy machine.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Places = npt.NDArray[np.float32]

SEED = 1
DIRECTIONS = 50  # of the vectors, those in which they differ most: the others are noise
PERPLEXITY = 30
EARLY, LATE = 200, 300  # iterations, of t-SNE's two phases
_FEW = 4  # distinct vectors that have no neighbourhoods to keep
_NEIGHBOURS = 0.3  # the share of the time that it takes to find the neighbours, about


def lay_out(vectors: Matrix, report: Callable[[float], None] = lambda _: None) -> Places:
    """Give each vector a place; the same vectors get the same places.

    Args:
        vectors: float32 (n, d), of any n; equal ones share a place.
        report: called now and then with the share of the work that is done, from 0 to 1.

    Returns:
        float32 (n, 2), from 0 to 1.
    """
    distinct, which = np.unique(vectors, axis=0, return_inverse=True)
    places = _on_a_circle(len(distinct)) if len(distinct) <= _FEW else _tsne(distinct, report)
    report(1.0)
    return _filling(places)[which.ravel()]


def _on_a_circle(n: int) -> Places:
    angles = 2 * np.pi * np.arange(n) / max(n, 1)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def _tsne(vectors: Matrix, report: Callable[[float], None]) -> Places:
    # Here, where nobody waits for a page: the import takes seconds.
    from openTSNE import TSNEEmbedding, affinity, initialization

    flat = _main_directions(vectors)
    report(0.02)
    perplexity = min(PERPLEXITY, (len(flat) - 1) / 3)
    near = affinity.PerplexityBasedNN(flat, perplexity=perplexity, random_state=SEED)
    report(_NEIGHBOURS)
    # From the two main directions on, so that the whole keeps its shape too.
    start = initialization.rescale(np.ascontiguousarray(flat[:, :2]))
    embedding = TSNEEmbedding(start, near, random_state=SEED)
    for n, before, force in (
        (EARLY, 0, {"exaggeration": 12, "momentum": 0.5}),
        (LATE, EARLY, {"momentum": 0.8}),
    ):

        def tell(iteration: int, _error: float, _embedding: object, before: int = before) -> None:
            done = (before + iteration) / (EARLY + LATE)
            report(_NEIGHBOURS + (1 - _NEIGHBOURS) * done)

        embedding.optimize(n, inplace=True, callbacks=tell, callbacks_every_iters=10, **force)
    return np.asarray(embedding, dtype=np.float32)


def _main_directions(vectors: Matrix) -> npt.NDArray[np.float64]:
    """The vectors along their DIRECTIONS main directions, the first one first: float64 (n, k)."""
    centred = vectors - vectors.mean(axis=0)
    _, directions = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    return np.ascontiguousarray(centred @ directions[:, : -DIRECTIONS - 1 : -1])


def _filling(places: Places) -> Places:
    """The same places, stretched so that they fill the square from 0 to 1."""
    if not len(places):
        return places
    low, high = places.min(axis=0), places.max(axis=0)
    filling: Places = ((places - low) / np.where(high > low, high - low, 1)).astype(np.float32)
    return filling
