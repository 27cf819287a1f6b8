"""What the tests' server can claim to be: MyScale, or a ClickHouse too old for our index.

chDB stays behind it, so passing here says that our statements keep to the rules below, each of
which names its source, and nothing of a MyScale or an old ClickHouse server. Not here, for want of
a source: that a query vector needs a decimal point in every element (MyScaleDB's own test 00028
leaves them away).

Sources, of github.com/myscale/MyScaleDB unless another is named: QUERIES is
tests/queries/2_vector_search.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from tests.clickhouse_server import Dress, RefusedError, Run

# After 23.3: src/Core/SettingsChangesHistory.cpp of ClickHouse names the release of each.
_NEWER_SETTINGS = (
    "hnsw_candidate_list_size_for_search",
    "max_limit_for_vector_search_queries",
    "query_plan_try_use_vector_search",
    "vector_search_filter_strategy",
    "vector_search_with_rescoring",
)
_ADD = re.compile(r"ALTER TABLE (\w+) ADD VECTOR INDEX (\w+) (\w+) TYPE (\w+)\('([^']*)'\)")
_DROP = re.compile(r"ALTER TABLE (\w+) DROP VECTOR INDEX (\w+)")
_DISTANCE = re.compile(r"\bdistance(?:\('([^']*)'\))?\((\w+), (\[[^\]]*\])\)")
_INDICES = (
    "database String, table String, name String, type String, expr String, status String, "
    "latest_failed_part String, latest_fail_reason String"
)
_SEGMENTS = "database String, table String, part String, name String, status String, progress UInt8"


class OldClickHouse(Dress):
    """A ClickHouse server whose release has no `vector_similarity` index."""

    version = "24.3.1.1"

    def rewrite(self, statement: str, run: Run) -> str:
        """See Dress."""
        for setting in _NEWER_SETTINGS:
            if setting in statement:
                raise RefusedError(115, "UNKNOWN_SETTING", f"Unknown setting {setting}")
        if "vector_similarity" in statement:
            # ClickHouse, src/Storages/MergeTree/MergeTreeIndices.cpp
            raise RefusedError(80, "INCORRECT_QUERY", "Unknown Index type 'vector_similarity'")
        return statement


@dataclass
class _Index:
    """A vector index that is built as often as somebody looks at it."""

    name: str
    column: str
    kind: str
    reason: str
    polls: int = 0


class MyScale(OldClickHouse):
    """MyScale's statements, system tables and rules.

    Args:
        mstg: whether it has the index MSTG, as MyScale Cloud does.
    """

    # README: MyScaleDB 1.x is built on ClickHouse 23.3.
    version = "23.3.2.1"
    # How often the state of an index is asked until it is built: time plays no part.
    POLLS: ClassVar[int] = 3

    def __init__(self, mstg: bool = True) -> None:
        self._mstg = mstg
        self._indexes: dict[tuple[str, str], _Index] = {}
        self.fails_with = ""
        """Why the next index fails to be built, or ""."""

    def rewrite(self, statement: str, run: Run) -> str:
        """See Dress."""
        statement = super().rewrite(statement, run)
        database = run("SELECT currentDatabase()").strip()
        if added := _ADD.match(statement):
            self._add((database, added[1]), _Index(added[2], added[3], added[4], self.fails_with))
            return _nothing(added[1])
        if dropped := _DROP.match(statement):
            self._drop((database, dropped[1]), dropped[2])
            return _nothing(dropped[1])
        if table := re.match(r"DROP TABLE (?:IF EXISTS )?(\w+)", statement):
            self._indexes.pop((database, table[1]), None)
        if re.match(r"CREATE (OR REPLACE )?FUNCTION distance\b", statement):
            # It is built in: QUERIES use it on a new server.
            raise RefusedError(609, "FUNCTION_ALREADY_EXISTS", "Function distance already exists")
        return self._with_system_tables(self._with_distance(statement, database))

    def _add(self, table: tuple[str, str], index: _Index) -> None:
        if index.kind == "MSTG" and not self._mstg:
            # src/VectorIndex; that MSTG is MyScale Cloud's own, README. The code stands for any.
            text = "Unknown index type for Float32 Vector: MSTG"
            raise RefusedError(36, "BAD_ARGUMENTS", text)
        if table in self._indexes:
            # QUERIES/00037_mqvs_support_multiple_vector_indices.sql: one index a column.
            text = f"Column {index.column} has a vector index already"
            raise RefusedError(48, "NOT_IMPLEMENTED", text)
        self._indexes[table] = index
        self.fails_with = ""

    def _drop(self, table: tuple[str, str], name: str) -> None:
        if table not in self._indexes or self._indexes[table].name != name:
            raise RefusedError(36, "BAD_ARGUMENTS", f"Wrong vector index name {name}")
        del self._indexes[table]

    def _with_distance(self, statement: str, database: str) -> str:
        """The statement with ClickHouse's function in the place of MyScale's."""
        found = _DISTANCE.search(statement)
        if found is None:
            return statement
        if re.search(r"ORDER BY dist DESC", statement):
            # QUERIES/00027_mqvs_check_order_by_for_metric_type.sql
            text = "The ORDER BY direction should be ASC for metric type Cosine"
            raise RefusedError(62, "SYNTAX_ERROR", text)
        if found[1] and not re.fullmatch(r"alpha=[1-4]", found[1]):
            # docs.myscale.com, vector-search: alpha is a number from 1 to 4.
            raise RefusedError(36, "BAD_ARGUMENTS", f"Unknown parameter {found[1]}")
        exact = _DISTANCE.sub(r"cosineDistance(\2, \3)", statement)
        table = re.search(r"\bFROM (\w+)", statement)
        index = self._indexes.get((database, table[1])) if table else None
        if index is None or _status(index) != "Built":
            # QUERIES/00038_mqvs_brute_force_setting.sql and .reference: rows without a built index
            # are not searched, and no error says so.
            return re.sub(r"\bLIMIT \d+", "LIMIT 0", exact)
        return exact

    def _with_system_tables(self, statement: str) -> str:
        """The statement with rows in the place of system tables that chDB doesn't have.

        Columns are those of docs.myscale.com, system-tables, and of QUERIES/00019 and 00031.
        """
        statement = statement.replace(
            "system.tables",
            "(SELECT database, name, engine FROM system.tables UNION ALL SELECT 'system', "
            "arrayJoin(['vector_indices', 'vector_index_segments']), 'System') AS tables",
        )
        if "system.vector_indices" not in statement:
            return statement
        for index in self._indexes.values():
            index.polls += 1
        indices, segments = [], []
        for (database, table), index in self._indexes.items():
            status = _status(index)
            failed = ("all_1_1_0", index.reason) if status == "Error" else ("", "")
            kind, expression = index.kind, f"{index.column}"
            indices.append((database, table, index.name, kind, expression, status, *failed))
            progress = min(100, 100 * index.polls // self.POLLS)
            segments.append((database, table, "all_1_1_0", index.name, status, progress))
        statement = statement.replace("system.vector_indices", _rows(_INDICES, indices))
        return statement.replace("system.vector_index_segments", _rows(_SEGMENTS, segments))


def _status(index: _Index) -> str:
    if index.polls < MyScale.POLLS:
        return "InProgress"
    return "Error" if index.reason else "Built"


def _nothing(table: str) -> str:
    """An ALTER that changes nothing."""
    return f"ALTER TABLE {table} MODIFY COMMENT ''"


def _rows(columns: str, rows: list[tuple[object, ...]]) -> str:
    """A table function with these rows."""
    if not rows:
        return f"null('{columns}')"
    return f"values('{columns}', {', '.join(repr(row) for row in rows)})"


DRESSES: dict[str, Callable[[], Dress]] = {
    "none": Dress,
    "old": OldClickHouse,
    "myscale": MyScale,
    "myscale-scann": lambda: MyScale(mstg=False),
}
