"""Search and refinement on each engine beside NumPy's exact scan: `python -m tests.bench.search`.

Prints ratios: times on a shared machine wander, but both sides wander together. The engines `http`
and `dress` are chDB behind the tests' server (see tests/bench/engines.py): they tell what the way
over HTTP costs, and nothing of a ClickHouse or MyScale server.

`--world FILE …` draws vectors and queries from real ones; `--keep FOLDER` leaves the filled and
indexed tables there, and takes them from there the next time.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from classifier.session import Session
from db.collections import Collection
from db.database import Database, open_database
from db.photo import Photo
from db.photos import PhotoTable
from db.sessions import DOWN, UP
from tests.bench.engines import ENGINES, database_urls
from tests.bench.geometry import BLOCK, DIMENSION, Geometry, clusters, real

Matrix = npt.NDArray[np.float32]
K = 9
EXCLUDED = (0, 9, 200, 900, 2000)
ROUNDS = 8


@dataclass(frozen=True)
class Engine:
    """A filled and indexed table on one engine."""

    name: str
    database: Database
    collection: Collection
    table: PhotoTable


def main() -> None:
    """Fill a table on each engine with vectors, index it, and search it."""
    parser = argparse.ArgumentParser(description="Search beside NumPy's exact scan")
    parser.add_argument("--rows", type=int, default=25_000)
    parser.add_argument("--repetitions", type=int, default=1)
    parser.add_argument("--engines", nargs="+", default=["embedded"], choices=ENGINES)
    parser.add_argument("--world", nargs="+", type=Path, default=[], metavar="FILE")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    geometry = real(options.world) if options.world else clusters()
    with ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = options.keep.resolve() if options.keep else temporary
        urls = stack.enter_context(database_urls(options.engines, folder))
        engines = [prepared(name, url, options.rows, geometry, stack) for name, url in urls.items()]
        vectors = np.empty((options.rows, DIMENSION), dtype=np.float32)
        for place, block in enumerate(geometry.blocks(options.rows)):
            vectors[place * BLOCK : place * BLOCK + len(block)] = block
        queries = np.tile(geometry.queries, (options.repetitions, 1))
        print("\nsearch    excluded  recall@9  ms: median  least  / NumPy: median  least")
        for excluded in EXCLUDED:
            print(compared(engines, vectors, queries, excluded), flush=True)
        print("\nlabelling  a thumb ms  a refinement ms  / its search alone  (medians)")
        for engine in engines:
            print(labelling(engine, queries[0]), flush=True)


def prepared(name: str, url: str, rows: int, geometry: Geometry, stack: ExitStack) -> Engine:
    """An engine with its table; says how long that took and how large it is."""
    database = open_database(url)
    stack.callback(database.close)
    collection = Collection("bench", "m", "f", geometry.name)
    table = database.collections.open(collection)
    stored = table.count()
    if stored and (stored != rows or database.collections.all()[0].source != geometry.name):
        raise SystemExit(f"{url} holds {stored:,} other rows: give another folder to --keep")
    insert = timed(lambda: stored or fill(table, rows, geometry))
    build = timed(table.build_index)
    sizes = database.connection.rows(
        "SELECT sum(data_compressed_bytes) AS data, "
        "sum(secondary_indices_compressed_bytes) AS index FROM system.parts "
        "WHERE active AND table = 'bench' AND database = currentDatabase()"
    )[0]
    times = "kept" if stored else f"insert {insert:.1f} s, index {build:.1f} s"
    query = geometry.queries[0]
    print(
        f"{name}: {rows:,} rows, {times}, "
        f"data {sizes['data'] / 1e6:.0f} MB, index {sizes['index'] / 1e6:.0f} MB, "
        f"first search {timed(lambda: table.search(query, K)) * 1e3:.0f} ms",
        flush=True,
    )
    return Engine(name, database, collection, table)


def fill(table: PhotoTable, rows: int, geometry: Geometry) -> None:
    """Insert the collection, block by block; every tenth block is told."""
    first = 0
    for number, vectors in enumerate(geometry.blocks(rows)):
        ids = [photo_id(first + place) for place in range(len(vectors))]
        photos = [Photo(i, f"https://example.org/{i}") for i in ids]
        seconds = timed(lambda p=photos, v=vectors: table.add(p, v))
        first += len(vectors)
        if number % 10 == 9:
            print(f"{first:,}: {seconds / len(vectors) * 1e6:.0f} µs a row, {memory():.0f} MB")


def memory() -> float:
    """What the process holds in memory now, in MB; 0 where the system doesn't tell."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return 0.0
    return int(status.read_text().split()[1]) * resource.getpagesize() / 1e6


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
    lines = [
        f"{name:8}  {excluded:8d}  {hits[name] / (K * len(queries)):8.3f}  "
        f"{np.median(taken) * 1e3:10.1f}  {min(taken) * 1e3:5.1f}  "
        f"{np.median(taken) / np.median(exact):15.2f}  {min(taken) / min(exact):5.2f}"
        for name, taken in times.items()
    ]
    numpys = f"{np.median(exact) * 1e3:10.1f}  {min(exact) * 1e3:5.1f}"
    return "\n".join([*lines, f"NumPy     {excluded:8d}            {numpys}"])


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
    text_fingerprint: str = "f"

    def encode_text(self, prompts: list[str]) -> Matrix:
        """The vector, for every prompt."""
        return np.stack([self.vector] * len(prompts))


def labelling(engine: Engine, query: Matrix) -> str:
    """One line: how long a thumb and a refinement take in a session of some rounds."""
    tower = Tower(query)
    session = Session.start(
        engine.database,
        engine.collection,
        tower,  # type: ignore[arg-type]
        "bench",
        centring=0.0,
    )
    session.warm_up()
    thumbs, refinements, searches = [], [], []
    for _ in range(ROUNDS):
        for place, photo in enumerate(session.current.photos):

            def give(photo: str = photo.id, thumb: int = (UP, DOWN)[place % 2]) -> None:
                session.label(photo, thumb)

            thumbs.append(timed(give))
        refinements.append(timed(session.refine))
        shown = [photo.id for made in session.rounds[:-1] for photo in made.photos]
        weight = session.current.weight

        def search(weight: Matrix = weight, shown: list[str] = shown) -> None:
            engine.table.search(weight, K, shown)

        searches.append(timed(search))
    a_thumb, refined, searched = (
        float(np.median(t)) * 1e3 for t in (thumbs, refinements, searches)
    )
    return f"{engine.name:9}  {a_thumb:10.1f}  {refined:15.1f}  {refined / searched:18.2f}"


def timed(work: Callable[[], object]) -> float:
    """Seconds of wall time that the work took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
