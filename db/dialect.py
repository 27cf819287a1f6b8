"""How the engines differ: the only place that knows.

Sources: the article's SQL and docs.myscale.com/docs/en/vector-search for MyScale; ClickHouse's
documentation of `vector_similarity` indexes for the embedded engine and for servers. Statements
hold `%(name)s` where a value is bound; table names are quoted, and a vector is formatted here,
float by float.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from db.layout import Layout, Synced
from db.names import quoted
from db.search import MANY, Query, Search, filter_first, index_first, vector_literal

DIMENSION = 512
INDEX = "vindex"
# Links of a node, and candidates among which they are chosen.
GRAPH, GRAPH_OF_MANY = "16, 64", "32, 128"
INDEX_SINCE = (25, 8)  # the ClickHouse version
OLDEST = (23, 3)  # MyScale's: nothing older was looked at

Vector = npt.NDArray[np.float32]


def is_older(version: str, than: tuple[int, int]) -> bool:
    """Whether a ClickHouse version, as `version()` tells it, is older; also if it is none."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return found is None or (int(found[1]), int(found[2])) < than


class Dialect(ABC):
    """What one engine needs said in its own words.

    Attributes:
        name: the engine, as a person is told.
        has_index: whether it can build a vector index.
        refuses_index: codes with which it says that it has no such index after all.
        index_tables: those of `system` without which nobody knows how far its index is.
        carries_index: whether a merge hands an index on to the new part instead of building it.
        index_misses: whether that index doesn't find some photos; see db.unreached.
        note: what else a person is told of it, or "".
        hint: what an operator who reviews its statements has to know, or "".
        substitutes: what a refused statement is changed in, by what the refusal says.
        functions: what is defined in it, SQL by name.
        layout: where its tables lie.
    """

    name: str
    functions: Mapping[str, str] = MappingProxyType({})
    has_index = True
    refuses_index: frozenset[int] = frozenset()
    index_tables: tuple[str, ...] = ()
    carries_index = False
    index_misses = False
    note = ""
    hint = ""
    substitutes: Mapping[str, tuple[str, str]] = MappingProxyType({})

    def __init__(self, layout: Layout | None = None) -> None:
        self.layout = layout or Layout()

    def set_up(self) -> list[str]:
        """The statements that define its functions."""
        return [
            f"CREATE OR REPLACE FUNCTION {name} AS {body}" for name, body in self.functions.items()
        ]

    @abstractmethod
    def create_photos(self, table: str, facts: str, dimension: int = DIMENSION) -> list[str]:
        """The statements that create a photo table; `facts` are the columns after the vector."""

    @abstractmethod
    def build_index(self, table: str, dimension: int = DIMENSION, rows: int = 0) -> list[str]:
        """The statements that order so many rows and start building their vector index."""

    def merge(self, table: str) -> str:
        """The statement that merges a table's parts into one, if they aren't yet.

        Without the setting each one merges all rows again: after one that was cut off, none would
        ever be done in time.
        """
        settings = f"optimize_skip_merged_partitions = 1{self.layout.patience}"
        return f"OPTIMIZE TABLE {self.layout.rows(table)} FINAL SETTINGS {settings}"

    def merge_anew(self, table: str) -> str:
        """The statement that writes all rows of a table anew, without those that are masked."""
        return f"OPTIMIZE TABLE {self.layout.rows(table)} FINAL SETTINGS {self._all_rows}"

    def deduplicate(self, table: str) -> str:
        """The statement that leaves each photo of a table without an index once."""
        return (
            f"OPTIMIZE TABLE {self.layout.rows(table)} FINAL DEDUPLICATE BY id "
            f"SETTINGS {self._all_rows}"
        )

    @property
    def _all_rows(self) -> str:
        # The default, which a server's profile may have changed.
        return f"optimize_skip_merged_partitions = 0{self.layout.patience}"

    @abstractmethod
    def drop_index(self, table: str) -> list[str]:
        """The statements that take a failed index away, so that it can be built again."""

    @abstractmethod
    def index_state(self) -> str:
        """A query of the index of `%(table)s`, the table that stores the rows.

        Its columns: `state` (none, building, built or failed), `detail` (why it failed, or the kind
        of index where an engine has several) and `progress` (0 to 1, or NULL where the engine
        doesn't tell).
        """

    def masked(self) -> str:
        """A query that finds more than 0 while a search must not go by the index of `%(table)s`."""
        return ""

    @abstractmethod
    def searches(self, search: Search) -> list[Query]:
        """Queries to try in turn until one leaves k rows; the last one misses none."""

    def scores(self, table: str, weight: Vector) -> str:
        """A query of `id` and `score` for the whole table, best first, without the index."""
        return (
            f"SELECT id, {self.score(weight)} AS score FROM {quoted(table)} ORDER BY score DESC, id"
        )

    def score(self, weight: Vector) -> str:
        """A photo's score, the dot product of the two unit vectors, in SQL that every engine knows.

        Not `distance`: MyScale computes it in a search alone, and elsewhere it is a function that
        whoever asks may not have.
        """
        return f"1 - cosineDistance(vector, {vector_literal(weight)})"


class ClickHouse(Dialect):
    """A ClickHouse server, 25.8 or newer."""

    name = "ClickHouse"
    # INCORRECT_QUERY, of a server that was built without USearch, and SUPPORT_IS_DISABLED, of one
    # whose `compatibility` is older than the index (src/Common/ErrorCodes.cpp).
    refuses_index = frozenset({80, 344})
    # Where `select_from_system_db_requires_grant` is on, as in the configuration that servers come
    # with, who was granted one database may read none of them.
    index_tables: tuple[str, ...] = ("data_skipping_indices", "mutations", "parts", "merges")
    index_misses = True
    hint = f"An index of more than {MANY:,} photos gets {GRAPH_OF_MANY} in place of {GRAPH}"
    distance = "cosineDistance"

    def create_photos(self, table: str, facts: str, dimension: int = DIMENSION) -> list[str]:
        """See Dialect. Small granules and blocks, raw vectors: nine rows lie in nine of each."""
        return self.layout.create_photos(
            table,
            "id String, url String, vector Array(Float32) CODEC(NONE), "
            f"{facts}, CONSTRAINT vec_len CHECK length(vector) = {dimension}",
            " SETTINGS index_granularity = 64, min_compress_block_size = 4096",
        )

    def build_index(self, table: str, dimension: int = DIMENSION, rows: int = 0) -> list[str]:
        """See Dialect. The mutation runs by itself; index_state tells when it is done."""
        graph = GRAPH_OF_MANY if rows > MANY else GRAPH
        stored = self.layout.rows(table)
        return [
            self.merge(table),
            f"ALTER TABLE {stored} ADD INDEX IF NOT EXISTS {INDEX} vector TYPE "
            f"vector_similarity('hnsw', 'cosineDistance', {dimension}, 'bf16', {graph})",
            # Newer versions would wait for it, and nobody could be told how far it is.
            f"ALTER TABLE {stored} MATERIALIZE INDEX {INDEX} SETTINGS mutations_sync = 0",
        ]

    def drop_index(self, table: str) -> list[str]:
        """See Dialect. Its own mutation goes first, which forbids it, or fails and holds up others.

        No other one does: another load may be deleting rows.
        """
        return [
            f"{self.layout.kill_mutation()} WHERE database = {self.layout.database} "
            f"AND table = '{self.layout.stored_as(table)}' AND NOT is_done "
            f"AND match(command, '^[(]?MATERIALIZE INDEX {INDEX}') SYNC",
            f"ALTER TABLE {self.layout.rows(table)} DROP INDEX IF EXISTS {INDEX}",
        ]

    def index_state(self) -> str:
        """See Dialect. A part without index files, as a killed build leaves, is not indexed."""
        table = f"database = {self.layout.database} AND table = %(table)s"
        system = self.layout.system
        return (
            "SELECT multiIf(reason != '', 'failed', defined = 0, 'none', pending > 0, 'building', "
            "bare > 0, 'none', 'built') AS state, reason AS detail, progress FROM (SELECT "
            f"(SELECT count() FROM {system('data_skipping_indices')} WHERE {table} "
            f"AND name = '{INDEX}') AS defined, "
            f"(SELECT count() FROM {system('mutations')} WHERE {table} AND NOT is_done) "
            f"AS pending, (SELECT count() FROM {system('parts')} WHERE {table} AND active "
            "AND secondary_indices_compressed_bytes = 0) AS bare, "
            f"(SELECT max(progress) FROM {system('merges')} WHERE {table} AND is_mutation) "
            f"AS progress, (SELECT max(latest_fail_reason) FROM {system('mutations')} "
            f"WHERE {table} AND NOT is_done) AS reason){self.layout.worst_first}"
        )

    def masked(self) -> str:
        """See Dialect. `DELETE FROM` masks rows, as do patch parts, and the index knows neither."""
        return (
            f"SELECT count() FROM {self.layout.system('parts')} "
            f"WHERE database = {self.layout.database} AND table = %(table)s AND active "
            "AND (has_lightweight_delete OR startsWith(name, 'patch-'))"
        )

    def searches(self, search: Search) -> list[Query]:
        """See Dialect."""
        return index_first(search, self.distance)


class Embedded(ClickHouse):
    """chDB: ClickHouse in this process."""

    name = "chDB (embedded)"
    distance = "distance"
    # The article's; the engine keeps it after the process ends.
    functions: Mapping[str, str] = MappingProxyType({"distance": "(a, b) -> cosineDistance(a, b)"})

    def __init__(self) -> None:
        super().__init__(Synced())


class ExactClickHouse(ClickHouse):
    """A ClickHouse server whose `vector_similarity` index is missing or experimental.

    It came out of its experimental stage with 25.8, says clickhouse.com/docs in
    engines/table-engines/mergetree-family/annindexes. Searches are exact and read every vector.
    """

    has_index = False
    index_tables = ()
    index_misses = False
    hint = ""
    note = " (exact search: no index before 25.8)"

    def index_state(self) -> str:
        """See Dialect."""
        return "SELECT 'none' AS state, '' AS detail, NULL AS progress"

    def searches(self, search: Search) -> list[Query]:
        """See Dialect. No SETTINGS: the server would refuse the names of newer ones."""
        return [Query(filter_first(search, self.distance))]
