"""Search and refinement on each engine beside NumPy's exact scan: `python -m tests.bench.search`.

Prints ratios: times on a shared machine wander, but both sides wander together. The engines `http`
and `dress` are chDB behind the tests' server (see tests/bench/engines.py): they tell what the way
over HTTP costs, and nothing of a ClickHouse or MyScale server.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from classifier.session import Session
from db.collections import Collection
from db.database import Database, open_database
from db.photos import Photo, PhotoTable
from db.sessions import DOWN, UP
from tests.bench.engines import ENGINES, database_urls

Matrix = npt.NDArray[np.float32]
K = 9
EXCLUDED = (0, 9, 200, 900, 2000)
BLOCK = 50_000
ROUNDS = 8


@dataclass(frozen=True)
class Engine:
    """A filled and indexed table on one engine."""

    name: str
    database: Database
    collection: Collection
    table: PhotoTable


def main() -> None:
    """Fill a table on each engine with clustered vectors, index it, and search it."""
    parser = argparse.ArgumentParser(description="Search beside NumPy's exact scan")
    parser.add_argument("--rows", type=int, default=25_000)
    parser.add_argument("--queries", type=int, default=40)
    parser.add_argument("--engines", nargs="+", default=["embedded"], choices=ENGINES)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls = stack.enter_context(database_urls(options.engines, folder))
        engines = [prepared(name, url, options.rows, stack) for name, url in urls.items()]
        vectors = np.concatenate(list(blocks(options.rows)))
        queries = clustered(options.queries, seed=1)
        print("\nsearch    excluded  recall@9  ms      / NumPy")
        for excluded in EXCLUDED:
            print(compared(engines, vectors, queries, excluded), flush=True)
        print("\nlabelling  a thumb ms  a refinement ms  (medians)")
        for engine in engines:
            print(labelling(engine, queries[0]), flush=True)


def prepared(name: str, url: str, rows: int, stack: ExitStack) -> Engine:
    """An engine with its table; says how long that took and how large it is."""
    database = open_database(url)
    stack.callback(database.close)
    collection = Collection("bench", "m", "f", "synthetic")
    table = database.collections.open(collection)
    insert = timed(lambda: fill(table, rows))
    build = timed(table.build_index)
    sizes = database.connection.rows(
        "SELECT sum(data_compressed_bytes) AS data, "
        "sum(secondary_indices_compressed_bytes) AS index FROM system.parts "
        "WHERE active AND table = 'bench' AND database = currentDatabase()"
    )[0]
    print(
        f"{name}: {rows:,} rows, insert {insert:.1f} s, index {build:.1f} s, "
        f"data {sizes['data'] / 1e6:.0f} MB, index {sizes['index'] / 1e6:.0f} MB",
        flush=True,
    )
    return Engine(name, database, collection, table)


def fill(table: PhotoTable, rows: int) -> None:
    """Insert the synthetic collection, block by block."""
    first = 0
    for vectors in blocks(rows):
        ids = [photo_id(first + place) for place in range(len(vectors))]
        table.add([Photo(i, f"https://example.org/{i}") for i in ids], vectors)
        first += len(vectors)


def blocks(rows: int) -> Iterator[Matrix]:
    """The synthetic collection, always the same, in blocks that fit into memory as float64."""
    for seed, first in enumerate(range(0, rows, BLOCK)):
        yield clustered(min(BLOCK, rows - first), seed=1000 + seed)


def photo_id(place: int) -> str:
    """The id of the photo of that place."""
    return f"p{place:08d}"


def compared(engines: list[Engine], vectors: Matrix, queries: Matrix, excluded: int) -> str:
    """A line an engine: recall and median times, by turns with the exact scan, query by query."""
    times: dict[str, list[float]] = {engine.name: [] for engine in engines}
    hits = dict.fromkeys(times, 0)
    exact = []
    for query in queries:
        ranking = nearest(vectors, query, excluded + K)
        hidden, truth = ranking[:excluded], {photo_id(place) for place in ranking[excluded:]}
        ids = [photo_id(place) for place in hidden]

        def scan(query: Matrix = query, hidden: npt.NDArray[np.intp] = hidden) -> None:
            exact_scan(vectors, query, hidden)

        exact.append(timed(scan))
        for engine in engines:
            found: set[str] = set()

            def search(
                table: PhotoTable = engine.table,
                query: Matrix = query,
                ids: list[str] = ids,
                found: set[str] = found,
            ) -> None:
                found |= {n.photo.id for n in table.search(query, K, ids)}

            times[engine.name].append(timed(search))
            hits[engine.name] += len(truth & found)
    numpys = float(np.median(exact)) * 1e3
    lines = [
        f"{name:8}  {excluded:8d}  {hits[name] / (K * len(queries)):8.3f}  "
        f"{np.median(taken) * 1e3:6.1f}  {np.median(taken) * 1e3 / numpys:7.2f}"
        for name, taken in times.items()
    ]
    return "\n".join([*lines, f"NumPy     {excluded:8d}            {numpys:6.1f}"])


def nearest(vectors: Matrix, query: Matrix, n: int) -> npt.NDArray[np.intp]:
    """The places of the n nearest rows, nearest first."""
    scores = vectors @ query
    some = np.argpartition(-scores, n)[:n]
    found: npt.NDArray[np.intp] = some[np.argsort(-scores[some], kind="stable")]
    return found


def exact_scan(vectors: Matrix, query: Matrix, hidden: npt.NDArray[np.intp]) -> Matrix:
    """The k nearest rows with their vectors, as a program without a database would do it."""
    scores = vectors @ query
    scores[hidden] = -np.inf
    found: Matrix = vectors[nearest_of(scores)]
    return found


def nearest_of(scores: Matrix) -> npt.NDArray[np.intp]:
    """The places of the K highest scores."""
    some = np.argpartition(-scores, K)[:K]
    found: npt.NDArray[np.intp] = some[np.argsort(-scores[some])]
    return found


@dataclass(frozen=True, eq=False)
class Tower:
    """Stands where CLIP would: the prompt's vector is given."""

    vector: Matrix
    model_id: str = "m"
    fingerprint: str = "f"

    def encode_text(self, prompts: list[str]) -> Matrix:
        """The vector, for every prompt."""
        return np.stack([self.vector] * len(prompts))


def labelling(engine: Engine, query: Matrix) -> str:
    """One line: how long a thumb and a refinement take in a session of some rounds."""
    tower = Tower(query)
    session = Session.start(engine.database, engine.collection, tower, "bench")  # type: ignore[arg-type]
    session.whitening()
    thumbs, refinements = [], []
    for _ in range(ROUNDS):
        for place, photo in enumerate(session.current.photos):

            def give(photo: str = photo.id, thumb: int = (UP, DOWN)[place % 2]) -> None:
                session.label(photo, thumb)

            thumbs.append(timed(give))
        refinements.append(timed(session.refine))
    a_thumb, refined = (float(np.median(t)) * 1e3 for t in (thumbs, refinements))
    return f"{engine.name:9}  {a_thumb:10.1f}  {refined:15.1f}"


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
