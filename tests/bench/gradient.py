"""The article's refit inside the database, beside the one in this process.

    python -m tests.bench.gradient

A gradient is a sum over the labelled photos of x * (sigmoid(w * x) - y), so the database can
compute it and send 512 numbers instead of every vector. Compared on each engine, for the five
steps of a refit:

- ours: the vectors came with the photos that were shown, so nothing is asked of the database;
- fetched: as after a restart, they are read by id first;
- by step: one statement a step;
- at once: one statement for all five steps, each a scalar subquery of the next.

All four weights have to be the same to 1e-5.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from classifier.linear import LEARNING_RATE
from classifier.refit import refit_article
from db.collections import Collection
from db.database import Database, open_database
from db.dialect import Vector
from db.photos import PhotoTable
from db.sessions import LabelRow
from tests.bench.engines import ENGINES, database_urls
from tests.bench.geometry import Matrix, clusters
from tests.bench.search import fill, photo_id, timed

STEPS = 5
REPEATS = 3

# 1 - cosineDistance is ŵ·x for unit vectors, and older servers know it too.
_GRADIENT = (
    "SELECT sumForEach(arrayMap(v -> v * (1 / (1 + exp(cosineDistance(vector, {w}) - 1)) - y), "
    "vector)) AS gradient FROM (SELECT vector, id IN (SELECT photo FROM labels "
    "WHERE session = %(s)s AND label = 1) AS y FROM {table} "
    "WHERE id IN (SELECT photo FROM labels WHERE session = %(s)s))"
)


def main() -> None:
    """Fill each engine with the same vectors, and refit on growing numbers of them."""
    parser = argparse.ArgumentParser(description="The refit inside the database")
    parser.add_argument("--rows", type=int, default=25_000)
    parser.add_argument("--labels", type=int, nargs="+", default=[10, 100, 1000, 10_000])
    parser.add_argument("--engines", nargs="+", default=["embedded", "http"], choices=ENGINES)
    options = parser.parse_args()
    print("engine    labels  ours ms  fetched  by step  at once   (as ratios to ours)")
    with (
        tempfile.TemporaryDirectory() as folder,
        database_urls(options.engines, Path(folder)) as urls,
    ):
        for engine, url in urls.items():
            database = open_database(url)
            table = database.collections.open(Collection("bench", "m", "f", "synthetic"))
            fill(table, options.rows, clusters())
            for labels in options.labels:
                print(f"{engine:8}  {row(database, table, options.rows, labels)}")
            database.close()


def row(database: Database, table: PhotoTable, rows: int, labels: int) -> str:
    """One line: the four ways in turn, each the best of a few."""
    rng = np.random.default_rng(labels)
    places = np.sort(rng.choice(rows, labels, replace=False))
    ids = [photo_id(place) for place in places]
    y = (rng.random(labels) < 0.4).astype(int).tolist()
    X = np.stack([neighbour.vector for neighbour in table.get(ids)])
    start = clusters().queries[0]
    bound = {"s": f"{labels} labels"}
    database.sessions.add_labels(
        [LabelRow(bound["s"], n, n, 0, ids[n], y[n], 1) for n in range(labels)]
    )
    weights: dict[str, Vector] = {}

    def ours() -> None:
        weights["ours"] = refit_article(start, X, y)

    def fetched() -> None:
        found = np.stack([neighbour.vector for neighbour in table.get(ids)])
        weights["fetched"] = refit_article(start, found, y)

    def by_step() -> None:
        weight = start.astype(np.float64)
        for _ in range(STEPS):
            weight = weight / np.linalg.norm(weight)
            sql = _GRADIENT.format(w=_literal(weight), table=table.name)
            gradient = database.connection.rows(sql, bound)[0]["gradient"]
            weight = weight - LEARNING_RATE / labels * np.asarray(gradient)
        weights["by step"] = weight.astype(np.float32)

    def at_once() -> None:
        sql = _all_steps(start, table.name, labels)
        weight = database.connection.rows(sql, bound)[0]["weight"]
        weights["at once"] = np.asarray(weight, dtype=np.float32)

    ways = (ours, fetched, by_step, at_once)
    least = [min(timed(way) for _ in range(REPEATS)) for way in ways]
    for way, weight in weights.items():
        np.testing.assert_allclose(weight, weights["ours"], atol=1e-5, err_msg=way)
    ratios = "  ".join(f"{seconds / least[0]:7.1f}" for seconds in least[1:])
    return f"{labels:6d}  {least[0] * 1e3:7.1f}  {ratios}"


def _all_steps(start: Vector, table: str, labels: int) -> str:
    """All steps as scalars of one statement, each made of the one before it."""
    parts = [f"{_literal(start)} AS w0"]
    for step in range(STEPS):
        unit, gradient = f"u{step}", _GRADIENT.format(w=f"u{step}", table=table)
        parts.append(f"arrayMap(v -> v / sqrt(arraySum(a -> a * a, w{step})), w{step}) AS {unit}")
        parts.append(
            f"arrayMap((v, g) -> v - {LEARNING_RATE / labels} * g, {unit}, ({gradient})) "
            f"AS w{step + 1}"
        )
    return f"WITH {', '.join(parts)} SELECT w{STEPS} AS weight"


def _literal(vector: Matrix) -> str:
    return "[" + ",".join(f"{value:.9f}" for value in vector) + "]"


if __name__ == "__main__":
    main()
