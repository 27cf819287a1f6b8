"""Search speed and recall beside a NumPy exact scan, in one run: `python -m tests.bench.search`.

Prints ratios: times on a shared machine wander, but both sides wander together.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from db.collections import Collection
from db.database import open_database
from db.photos import Photo, PhotoTable

Matrix = npt.NDArray[np.float32]
K = 9
EXCLUDED = (0, 9, 200, 900, 2000)


def main() -> None:
    """Fill a table with clustered vectors, index it, and search it in both ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=25_000)
    parser.add_argument("--queries", type=int, default=40)
    options = parser.parse_args()
    vectors = clustered(options.rows, seed=0)
    queries = clustered(options.queries, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"chdb://{Path(folder) / 'database'}")
        table = database.collections.open(Collection("bench", "m", "f", "synthetic"))
        photos = [Photo(f"p{n:07d}", f"https://example.org/{n}") for n in range(options.rows)]
        insert = timed(lambda: table.add(photos, vectors))
        build = timed(table.build_index)
        print(f"{options.rows:,} rows: insert {insert:.1f} s, index {build:.1f} s")
        print("excluded  recall@9  search ms  NumPy ms  ratio")
        for excluded in EXCLUDED:
            print(row(table, vectors, queries, excluded))
        database.close()


def row(table: PhotoTable, vectors: Matrix, queries: Matrix, excluded: int) -> str:
    """One line: the median times of both ways, alternating query by query."""
    ours, exact, hits = [], [], 0
    for query in queries:
        ranking = np.argsort(-(vectors @ query), kind="stable")
        hidden = ranking[:excluded]
        ids = [f"p{n:07d}" for n in hidden]
        found: list[str] = []

        def search(query: Matrix = query, ids: list[str] = ids, found: list[str] = found) -> None:
            found += [n.photo.id for n in table.search(query, K, ids)]

        def scan(query: Matrix = query, hidden: npt.NDArray[np.intp] = hidden) -> None:
            exact_scan(vectors, query, hidden)

        ours.append(timed(search))
        exact.append(timed(scan))
        truth = {f"p{n:07d}" for n in ranking[excluded : excluded + K]}
        hits += len(truth & set(found))
    mine, numpys = np.median(ours) * 1e3, np.median(exact) * 1e3
    recall = hits / (K * len(queries))
    return f"{excluded:8d}  {recall:8.3f}  {mine:9.1f}  {numpys:8.1f}  {mine / numpys:5.1f}"


def exact_scan(vectors: Matrix, query: Matrix, hidden: npt.NDArray[np.intp]) -> Matrix:
    """The k nearest rows with their vectors, as a program without a database would do it."""
    scores = vectors @ query
    scores[hidden] = -np.inf
    nearest = np.argpartition(-scores, K)[:K]
    found: Matrix = vectors[nearest[np.argsort(-scores[nearest])]]
    return found


def clustered(n: int, seed: int) -> Matrix:
    """float32 (n, 512), unit norm, around 200 shared centres, as CLIP's vectors bunch."""
    centres = np.random.default_rng(42).normal(size=(200, 512))
    rng = np.random.default_rng(seed)
    vectors = centres[rng.integers(200, size=n)] + rng.normal(size=(n, 512)) * 0.8
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def timed(work: Callable[[], object]) -> float:
    """Seconds of wall time that the work took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
