"""How the three engines differ: the only place that knows.

Sources: the article's SQL for MyScale; ClickHouse's documentation of `vector_similarity` indexes
for the embedded engine and for ClickHouse servers. Statements hold `%(name)s` where a value is
bound; table names were validated, and a vector is formatted here, float by float.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DIMENSION = 512
INDEX = "vindex"

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Search:
    """A nearest-neighbour query.

    Attributes:
        table: the photo table.
        columns: the columns to return beside `vector` and `dist`.
        vector: float32 (512,), of any length: the distance is the cosine distance.
        k: how many rows.
        rows: how many the table has.
        excluded: how many ids are bound as `%(excluded)s`.
        condition: a WHERE expression over facts, or nothing.
    """

    table: str
    columns: Sequence[str]
    vector: Vector
    k: int
    rows: int
    excluded: int = 0
    condition: str = ""


def vector_literal(vector: Vector) -> str:
    """A vector's direction as an SQL array.

    Fixed point, because MyScale wants a decimal point in every element and `1e-05` has none; of
    unit length, so that nine decimals are enough.
    """
    unit = vector / np.linalg.norm(vector)
    return "[" + ",".join(f"{value:.9f}" for value in unit) + "]"


class Dialect(ABC):
    """What one engine needs said in its own words."""

    name: str

    def set_up(self) -> list[str]:
        """Statements to run once a connection."""
        return []

    @abstractmethod
    def create_photos(self, table: str, facts: str) -> str:
        """The statement that creates a photo table; `facts` are the columns after the vector."""

    @abstractmethod
    def build_index(self, table: str) -> list[str]:
        """The statements that order the rows and start building the vector index."""

    @abstractmethod
    def index_state(self) -> str:
        """A query of the index of `%(table)s`.

        Its columns: `state` (none, building, built or failed), `detail` (why it failed) and
        `progress` (0 to 1, or NULL where the engine doesn't tell).
        """

    @abstractmethod
    def searches(self, search: Search) -> list[str]:
        """Statements to try in turn until one leaves k rows; the last one misses none.

        They return rows nearest first; excluded ones may be among them.
        """

    def scores(self, table: str, weight: Vector) -> str:
        """A query of `id` and `score` for the whole table, best first, without the index."""
        return (
            f"SELECT id, 1 - cosineDistance(vector, {vector_literal(weight)}) AS score "
            f"FROM {table} ORDER BY score DESC, id"
        )


class ClickHouse(Dialect):
    """A ClickHouse server, 25.8 or newer."""

    name = "ClickHouse"
    distance = "cosineDistance"

    # The engine asks its index for no more rows than max_limit_for_vector_search_queries.
    INDEX_LIMIT = 1000
    # Below so many rows a hit, reading the granules that the index names costs as much as a scan.
    ROWS_A_HIT = 200
    # Candidates that an HNSW search keeps. At the engine's own 256, recall@9 falls to .98 on 6,000
    # clustered vectors; with two candidates a hit, a tenth of the 900 nearest is lost.
    CANDIDATES = 1024
    CANDIDATES_A_HIT = 8

    def create_photos(self, table: str, facts: str) -> str:
        """See Dialect. Small granules and raw vectors, because nine rows lie in nine granules."""
        return (
            f"CREATE TABLE IF NOT EXISTS {table} ("
            "id String, url String, vector Array(Float32) CODEC(NONE), "
            f"{facts}, CONSTRAINT vec_len CHECK length(vector) = {DIMENSION}"
            ") ENGINE = MergeTree ORDER BY id SETTINGS index_granularity = 64"
        )

    def build_index(self, table: str) -> list[str]:
        """See Dialect. The mutation runs by itself; index_state tells when it is done."""
        return [
            f"OPTIMIZE TABLE {table} FINAL",
            f"ALTER TABLE {table} ADD INDEX IF NOT EXISTS {INDEX} vector TYPE "
            f"vector_similarity('hnsw', 'cosineDistance', {DIMENSION}, 'f32', 16, 64)",
            f"ALTER TABLE {table} MATERIALIZE INDEX {INDEX}",
        ]

    def index_state(self) -> str:
        """See Dialect. A part without index files, as a killed build leaves, is not indexed."""
        table = "database = currentDatabase() AND table = %(table)s"
        return (
            "SELECT multiIf(reason != '', 'failed', defined = 0, 'none', pending > 0, 'building', "
            "bare > 0, 'none', 'built') AS state, reason AS detail, progress FROM (SELECT "
            f"(SELECT count() FROM system.data_skipping_indices WHERE {table} "
            f"AND name = '{INDEX}') AS defined, "
            f"(SELECT count() FROM system.mutations WHERE {table} AND NOT is_done) AS pending, "
            f"(SELECT count() FROM system.parts WHERE {table} AND active "
            "AND secondary_indices_compressed_bytes = 0) AS bare, "
            f"(SELECT max(progress) FROM system.merges WHERE {table} AND is_mutation) AS progress, "
            f"(SELECT max(latest_fail_reason) FROM system.mutations WHERE {table} "
            "AND NOT is_done) AS reason)"
        )

    def searches(self, search: Search) -> list[str]:
        """See Dialect.

        No WHERE stands beside an index's ORDER BY … LIMIT: it would filter the index's hits and
        leave too few rows, or wrong ones. The index is asked for k + excluded rows and the caller
        drops the excluded ones. Where that is not possible (facts, large limits) or doesn't pay,
        rows are filtered first and scanned.
        """
        wanted = search.k + search.excluded
        select = _select(search, self.distance)
        exact = (
            f"{select}{_where(search)} ORDER BY dist LIMIT {search.k} "
            "SETTINGS query_plan_try_use_vector_search = 0"
        )
        if search.condition or wanted > self.INDEX_LIMIT or wanted * self.ROWS_A_HIT > search.rows:
            return [exact]
        candidates = max(self.CANDIDATES, self.CANDIDATES_A_HIT * wanted)
        indexed = (
            f"{select} ORDER BY dist LIMIT {wanted} "
            f"SETTINGS hnsw_candidate_list_size_for_search = {candidates}"
        )
        return [indexed, exact]


class Embedded(ClickHouse):
    """chDB: ClickHouse in this process."""

    name = "chDB (embedded)"
    distance = "distance"

    def set_up(self) -> list[str]:
        """See Dialect. The article's `distance()`, kept by the engine after the process ends."""
        return ["CREATE OR REPLACE FUNCTION distance AS (a, b) -> cosineDistance(a, b)"]


class MyScale(Dialect):
    """MyScale, with the article's own statements; built on ClickHouse 23.3."""

    name = "MyScale"

    def create_photos(self, table: str, facts: str) -> str:
        """See Dialect."""
        return (
            f"CREATE TABLE IF NOT EXISTS {table} (id String, url String, vector Array(Float32), "
            f"{facts}, CONSTRAINT vec_len CHECK length(vector) = {DIMENSION}"
            ") ENGINE = MergeTree ORDER BY id"
        )

    def build_index(self, table: str) -> list[str]:
        """See Dialect. One part first: MyScale builds a segment of the index a part."""
        return [
            f"OPTIMIZE TABLE {table} FINAL",
            f"ALTER TABLE {table} ADD VECTOR INDEX {INDEX} vector TYPE MSTG('metric_type=Cosine')",
        ]

    def index_state(self) -> str:
        """See Dialect."""
        return (
            "SELECT multiIf(status = 'Built', 'built', status = 'Error', 'failed', 'building') "
            "AS state, latest_fail_reason AS detail, NULL AS progress FROM system.vector_indices "
            "WHERE database = currentDatabase() AND table = %(table)s"
        )

    def searches(self, search: Search) -> list[str]:
        """See Dialect. MyScale filters first, so the article's one statement is always right."""
        return [f"{_select(search, 'distance')}{_where(search)} ORDER BY dist LIMIT {search.k}"]


def _select(search: Search, distance: str) -> str:
    columns = ", ".join([*search.columns[:2], "vector", *search.columns[2:]])
    vector = vector_literal(search.vector)
    return f"SELECT {columns}, {distance}(vector, {vector}) AS dist FROM {search.table}"


def _where(search: Search) -> str:
    conditions = [search.condition] if search.condition else []
    if search.excluded:
        conditions.append("id NOT IN %(excluded)s")
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
