"""The statements of a search: rows that are filtered and scanned, or that an index finds."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import sqrt

import numpy as np
import numpy.typing as npt

from db.names import quoted

Vector = npt.NDArray[np.float32]

# Rows below which a scan takes no longer than an index does, and misses nothing.
SCANNED = 5000
# Times the square root of the rows, the hits beyond which a scan is quicker than the index: so it
# was at 25,000 rows and at a million, where a hit takes longer, being read from a block of its own.
_HITS = 20
# Candidates that a search of the index keeps, by the number of rows and of hits. Prompts lie far
# from all photos: of 25,000 vectors like CLIP's, 1,024 candidates leave their recall@9 at .95, the
# engine's own 256 at .92, and 4,096 at .99; of a million, these find .90, and twice as many .93.
_CANDIDATES = (1024, 4096)
_CANDIDATES_OF_MANY = 8192
_ROWS_A_CANDIDATE = 6
_CANDIDATES_A_HIT = 4
# Rows beyond which an index has twice the links, which takes twice as long to build: of a million,
# prompts then find .97, and no group of photos is out of reach of all.
MANY = 100_000
# An index finds deleted rows too. Were they left out at once, further ones of a part without any
# would take their places; left out of the rows that are read by their ids, they leave too few.
_WITH_DELETED = "apply_deleted_mask = 0"
# Excluded ids that a statement holds: reading 2,000 takes longer than a second statement.
_EXCLUDED_IN_TEXT = 200
# For a few rows, or for ids alone, a second step for the columns takes longer than reading all.
_AT_ONCE = "query_plan_optimize_lazy_materialization = 0"


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


@dataclass(frozen=True)
class Query:
    """One way to answer a search.

    Attributes:
        sql: the statement; its rows come nearest first, and excluded ones may be among them.
        nearest: where `sql` gives ids alone, the statement that takes the k nearest of those that
            are bound as `%(among)s`; else "".
        among: how many ids it is to be given.
        unless: a query that finds more than 0 while this one would answer wrongly, or "".
    """

    sql: str
    nearest: str = ""
    among: int = 0
    unless: str = ""


@dataclass(frozen=True, eq=False)
class Unreached:
    """Photos of one table that its index doesn't find.

    Attributes:
        ids: n of them.
        vectors: float32 (n, 512), of unit norm.
    """

    ids: tuple[str, ...] = ()
    vectors: npt.NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), "f4"))

    def nearer(self, vector: Vector, distance: float) -> list[str]:
        """The ids of those that are nearer to a vector than a cosine distance."""
        if not self.ids:
            return []
        distances = 1 - self.vectors @ (vector / np.linalg.norm(vector))
        return [self.ids[place] for place in np.flatnonzero(distances < distance)]


def vector_literal(vector: Vector) -> str:
    """A vector's direction as an SQL array.

    Fixed point, because MyScale wants a decimal point in every element and `1e-05` has none; of
    unit length, so that nine decimals are enough.
    """
    unit = vector / np.linalg.norm(vector)
    return "[" + ",".join(f"{value:.9f}" for value in unit) + "]"


def vector_bytes(vector: Vector) -> str:
    """A vector as an SQL expression of Array(Float32), which is read in a third of the time.

    Not for MyScale, whose search wants an array that is written out.
    """
    return f"reinterpret(unhex('{vector.astype('<f4').tobytes().hex()}'), 'Array(Float32)')"


def index_first(search: Search, distance: str) -> list[Query]:
    """Queries for ClickHouse from 25.8 on: its index's, if it is worth asking, then a scan's.

    The index is asked for ids alone, and for more than k: the rows that it finds are then ordered
    by their own vectors. It must not be asked for vectors: with those, it returns wrong rows in
    place of deleted ones. No WHERE may stand beside its ORDER BY … LIMIT, as it would be applied to
    the index's hits alone.

    Args:
        search: what to find.
        distance: the name of the distance.
    """
    wanted = search.k + search.excluded
    exact = _query(search, distance, wanted, "query_plan_try_use_vector_search = 0")
    if search.condition or search.rows < SCANNED or wanted > _HITS * sqrt(search.rows):
        return [exact]
    found = wanted + search.k // 3 + search.excluded // 32  # an index of bf16 errs by a few
    candidates = max(_candidates(search.rows), _CANDIDATES_A_HIT * found)
    settings = (
        f"hnsw_candidate_list_size_for_search = {candidates}, "
        f"max_limit_for_vector_search_queries = {found}, "
        "vector_search_filter_strategy = 'prefilter', max_threads = 1"
    )
    return [_query(search, distance, found, settings, indexed=True), exact]


def _candidates(rows: int) -> int:
    least, most = _CANDIDATES
    return _CANDIDATES_OF_MANY if rows > MANY else min(max(rows // _ROWS_A_CANDIDATE, least), most)


def _query(
    search: Search, distance: str, found: int, settings: str, *, indexed: bool = False
) -> Query:
    """One statement, or two where so many are excluded that their ids would slow one down."""
    to_query = _distance(distance, search.vector)
    chosen = f" WHERE {search.condition}" if search.condition else ""
    ids = f"SELECT id FROM {quoted(search.table)}{chosen} ORDER BY {to_query} LIMIT {found}"
    if search.excluded > _EXCLUDED_IN_TEXT:
        settings = f"{settings}, {_AT_ONCE}"
        first = f"{settings}, {_WITH_DELETED}" if indexed else settings
        nearest = f"{nearest_among(search, distance)} SETTINGS {settings}"
        return Query(f"{ids} SETTINGS {first}", nearest, found - search.excluded)
    if indexed:
        search = replace(search, condition=f"id IN ({ids} SETTINGS {_WITH_DELETED})")
        settings = f"{settings}, {_AT_ONCE}"
    return Query(f"{_nearest(search, distance, _where(search))} SETTINGS {settings}")


def nearest_among(search: Search, distance: str) -> str:
    """A query of the k nearest rows among those whose ids are bound as `%(among)s`."""
    return _nearest(search, distance, " WHERE id IN %(among)s")


def ids_by_index(table: str, vector: Vector, n: int) -> str:
    """A query of the ids of the n rows that the index of a table finds near a vector."""
    return (
        f"SELECT id FROM {quoted(table)} ORDER BY {_distance('cosineDistance', vector)} LIMIT {n} "
        f"SETTINGS hnsw_candidate_list_size_for_search = {n}, "
        f"max_limit_for_vector_search_queries = {n}, max_threads = 1"
    )


def _nearest(search: Search, distance: str, where: str) -> str:
    return (
        f"SELECT {_columns(search)}, {_distance(distance, search.vector)} AS dist "
        f"FROM {quoted(search.table)}{where} ORDER BY dist LIMIT {search.k}"
    )


def _distance(distance: str, vector: Vector) -> str:
    return f"{distance}(vector, {vector_bytes(vector)})"


def filter_first(search: Search, distance: str) -> str:
    """A query that filters rows and orders what is left by their distance."""
    return f"{_select(search, distance)}{_where(search)} ORDER BY dist LIMIT {search.k}"


def _select(search: Search, distance: str) -> str:
    vector = vector_literal(search.vector)
    return (
        f"SELECT {_columns(search)}, {distance}(vector, {vector}) AS dist "
        f"FROM {quoted(search.table)}"
    )


def _columns(search: Search) -> str:
    return ", ".join([*search.columns[:2], "vector", *search.columns[2:]])


def _where(search: Search) -> str:
    conditions = [search.condition] if search.condition else []
    if search.excluded:
        conditions.append("id NOT IN %(excluded)s")
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
