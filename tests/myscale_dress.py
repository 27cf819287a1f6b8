"""The test server dressed as MyScale: its index statements, its system tables, its `distance()`.

Every rule names where it comes from. "docs" are pages of docs.myscale.com/docs/en, "tests" are
files of tests/queries/2_vector_search and "src" of src in github.com/myscale/MyScaleDB. The engine
behind it is chDB, its searches are exact and its indexes are only claimed: what passes here was
not tested on MyScale.

A merge that drops doubles shifts the rows of an index, which stays `Built` (tests/shifted_rows.py).

Not imitated: what becomes of an index when rows are deleted by a mutation, segments of parts that
come after the build, small parts that need no index, other metrics than Cosine, and texts of
refusals where the source gives only the code.
"""

import re
from dataclasses import dataclass
from itertools import chain
from threading import Lock

from tests.clickhouse_server import RefusedError, Run
from tests.older_dress import OlderDress, without_strings
from tests.shifted_rows import ShiftedRows

# docs: the system tables vector_indices and vector_index_segments; src:
# VectorIndex/Storages/StorageSystemVIs.cpp and StorageSystemVIsWithPart.cpp.
_INDICES = (
    "database String, table String, name String, type String, expr String, total_parts Int64, "
    "parts_with_vector_index Int64, small_parts Int64, status String, host_name String, "
    "latest_failed_part String, latest_fail_reason String"
)
_SEGMENTS = (
    "database String, table String, part String, owner_part String, owner_part_id Int32, "
    "name String, type String, dimension Int32, status String, total_vectors UInt64, "
    "memory_usage_bytes UInt64, disk_usage_bytes UInt64, progress UInt8, elapsed UInt64, "
    "error String"
)
# tests: 00038_mqvs_brute_force_setting.sql; src: MergeTreeVectorScanManager.h reads it.
_BRUTE_FORCE = "enable_brute_force_vector_search"

_NAME = r"(?P<table>[\w.`]+)"
_ADD = re.compile(
    rf"\s*ALTER\s+TABLE\s+{_NAME}\s+ADD\s+VECTOR\s+INDEX\s+(?P<name>\w+)\s+(?P<column>\w+)"
    r"\s+TYPE\s+(?P<type>\w+)(?:\((?P<arguments>.*)\))?\s*$"
)
_DROP = re.compile(rf"\s*ALTER\s+TABLE\s+{_NAME}\s+DROP\s+VECTOR\s+INDEX\s+(?P<name>\w+)\s*$")
_DISTANCE = re.compile(
    r"\bdistance(?:\('(?P<argument>[^']*)'\))?\((?P<column>\w+),\s*\[(?P<query>[^\]]*)\]\)"
    r"(?:\s+AS\s+(?P<alias>\w+))?"
)
_DEDUPLICATE = re.compile(rf"\s*OPTIMIZE\s+TABLE\s+{_NAME}\s.*\bDEDUPLICATE\b")
_FROM = re.compile(rf"\bFROM\s+{_NAME}")
_LIMIT = re.compile(r"\bLIMIT\s+\d+(?=\s*(?:FORMAT\s+\w+\s*)?$)")
_NOTHING = "SELECT 1 WHERE 0"
# A table's own folder: its uuid is not told in the engine's first database.
_FOLDER = "extract(data_paths[1], '([^/]+)/$')"


@dataclass
class _Index:
    """An index that is being built: done after a number of questions, not of seconds."""

    name: str
    type: str
    column: str
    polls: int
    reason: str
    asked: int = 0
    shifted: ShiftedRows | None = None

    @property
    def status(self) -> str:
        """Of system.vector_indices; src: StorageSystemVIs.cpp."""
        if self.asked < self.polls:
            return "InProgress"
        return "Error" if self.reason else "Built"

    @property
    def progress(self) -> int:
        """Of system.vector_index_segments, 0 to 100."""
        return min(100, 100 * self.asked // self.polls) if self.polls else 100


class MyScaleDress(OlderDress):
    """MyScale Cloud, or a MyScaleDB of one's own.

    Attributes:
        polls: how often a new index is found unfinished before it is built.
        granted: whether the user may read system tables; else one database was granted to them,
            as `GRANT ALL ON db.*` does.
        fail: the reason why the next indexes fail; "" if they don't.

    Args:
        mstg: whether MSTG is there: MyScale Cloud has it, a MyScaleDB of one's own refuses it.
    """

    def __init__(self, mstg: bool = True, polls: int = 2) -> None:
        # src: what MyScaleDB is built on; recorded in the project's notes, no document was found.
        super().__init__("23.3.2.1")
        # tests: 00034_mqvs_vector_index_parameter_check.sh for MSTG; for the others
        # MYSCALE_VALID_INDEX_PARAMETER and getVectorIndexType of its SearchIndex library.
        self._types = ("MSTG", "SCANN") if mstg else ("SCANN",)
        self.polls = polls
        self.fail = ""
        self.granted = True
        self._indexes: dict[str, _Index] = {}
        self._guard = Lock()

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """See Dress."""
        brute_force = settings.pop(_BRUTE_FORCE, "0") == "1"
        if added := _ADD.match(statement):
            return self._add(added, run)
        if dropped := _DROP.match(statement):
            return self._drop(dropped, run)
        if deduplicated := _DEDUPLICATE.match(statement):
            self._shift(deduplicated["table"], run)
        statement = self._distances(statement, brute_force, run)
        return self._tables(super().rewrite(statement, settings, run), run)

    def settings_table(self) -> str:
        """See OlderDress; with a setting that only MyScale has."""
        older = super().settings_table()
        # The default is not documented; tests set it wherever they search without an index.
        return (
            f"(SELECT name, value, readonly FROM {older} UNION ALL SELECT '{_BRUTE_FORCE}', '0', 0)"
        )

    def _add(self, words: re.Match[str], run: Run) -> str:
        kind = words["type"].upper()
        table = _folder(words["table"], run)
        with self._guard:
            # tests: 00037_mqvs_disallow_multiple_vector_index.sh.
            if table in self._indexes:
                _refuse(
                    f"Cannot add vector index {words['name']}: this column already has a vector "
                    "index definition"
                )
            _check_column(words["column"], table, run)
            self._check_type(words["type"], words["arguments"] or "")
            self._indexes[table] = _Index(
                words["name"], kind, words["column"], self.polls, self.fail
            )
        return _NOTHING

    def _shift(self, name: str, run: Run) -> None:
        """The index goes on as if no row were dropped, and its status stays."""
        table = _folder(name, run)
        with self._guard:
            index = self._indexes.get(table)
            if index is not None and index.shifted is None:
                index.shifted = ShiftedRows(name, index.column, table, run)

    def _check_type(self, kind: str, arguments: str) -> None:
        if kind.upper() not in self._types:
            # tests: the syntax checks of vector indexes, ALTER … TYPE ABC(); src:
            # getVectorIndexType of the SearchIndex library, which has no MSTG.
            raise RefusedError(
                1001,
                "STD_EXCEPTION",
                "SearchIndexException: Error(BAD_ARGUMENTS): "
                f"Unknown index type for Float32 Vector: {kind}",
            )
        for argument in re.findall(r"'([^']*)'", arguments):
            # src: VectorIndex/Storages/VIDescriptions.cpp, parse_arg.
            key, _, value = argument.replace(" ", "").partition("=")
            if key not in ("alpha", "metric_type"):
                _refuse(
                    f"{kind.upper()} doesn't support index parameter: `{key}`, valid parameters "
                    "is [alpha,metric_type]"
                )
            if key == "metric_type" and value.upper() != "COSINE":
                raise RefusedError(48, "NOT_IMPLEMENTED", "The dress knows no metric but Cosine")

    def _drop(self, words: re.Match[str], run: Run) -> str:
        table = _folder(words["table"], run)
        with self._guard:
            index = self._indexes.get(table)
            if index is None or index.name != words["name"]:
                # Text ours: no source was found for it.
                _refuse(f"Cannot drop vector index {words['name']}: it does not exist")
            gone = self._indexes.pop(table)
            if gone.shifted is not None:
                gone.shifted.drop(run)
        return _NOTHING

    def _distances(self, statement: str, brute_force: bool, run: Run) -> str:
        found = _DISTANCE.search(statement)
        if found is None:
            if re.search(r"\bdistance\s*\(", without_strings(statement)):
                raise RefusedError(48, "NOT_IMPLEMENTED", "The dress knows no such distance()")
            return statement
        _check_query_vector(found["query"])
        # tests: 00027_mqvs_check_order_by_for_metric_type.sql; the text is ours.
        if re.search(rf"(?i)\bORDER\s+BY\s+{found['alias']}\s+DESC\b", statement):
            raise RefusedError(62, "SYNTAX_ERROR", "A Cosine distance is ordered ascending")
        source = _FROM.search(statement)
        index = self._indexes.get(_folder(source["table"], run)) if source else None
        if found["argument"] and index is not None:
            _check_argument(found["argument"], index.type)
        statement = _DISTANCE.sub(lambda words: _measured(words, index), statement)
        if brute_force or (index is not None and index.status == "Built"):
            return statement
        # tests: 00038_mqvs_brute_force_setting.sql: without it, what has no index yet is not found.
        return _LIMIT.sub("LIMIT 0", statement)

    def _tables(self, statement: str, run: Run) -> str:
        if "system." not in statement:
            return statement
        if denied := re.search(r"\bsystem\.vector_ind\w+", statement):
            self._check_grants(denied[0])
        indices, segments = self._rows(run, asked="system.vector_indices" in statement)
        for pattern, rows in (
            (r"\bsystem\.vector_indices\b", _literal(_INDICES, indices)),
            (r"\bsystem\.vector_index_segments\b", _literal(_SEGMENTS, segments)),
        ):
            statement = re.sub(pattern, lambda _, rows=rows: rows, statement)  # type: ignore[misc]
        return statement

    def _check_grants(self, table: str) -> None:
        # Code and text are those of ClickHouse 23.3, src/Access/ContextAccess.cpp.
        if not self.granted:
            raise RefusedError(
                497,
                "ACCESS_DENIED",
                "me: Not enough privileges. To execute this query, it's necessary to have the "
                f"grant SELECT ON {table}",
            )

    def _rows(self, run: Run, asked: bool) -> tuple[list[tuple[object, ...]], ...]:
        """Rows of the two tables about the indexes of the request's database."""
        with self._guard:
            known = _tables_of(self._indexes, run)
            indices: list[tuple[object, ...]] = []
            segments: list[tuple[object, ...]] = []
            for folder, (database, table, part) in known.items():
                index = self._indexes[folder]
                index.asked += asked
                failed, built = index.status == "Error", index.status == "Built"
                reason = index.reason if failed else ""
                shown = f"{index.name} {index.column} TYPE {index.type}"
                indices.append(
                    (
                        *(database, table, index.name, index.type, shown, 1, int(built), 0),
                        *(index.status, "localhost:9000", part if failed else "", reason),
                    )
                )
                state = "ERROR" if failed else "BUILT" if built else "BUILDING"
                segments.append(
                    (
                        *(database, table, part, part, 0, index.name, index.type, 512, state),
                        *(0, 0, 0, 0 if failed else index.progress, 0, reason),
                    )
                )
            return indices, segments


def _refuse(text: str) -> None:
    raise RefusedError(36, "BAD_ARGUMENTS", text)


def _folder(name: str, run: Run) -> str:
    """Which table a name is, whatever becomes of the name."""
    database, _, table = name.replace("`", "").rpartition(".")
    where = f"'{database}'" if database else "currentDatabase()"
    found = run(
        f"SELECT {_FOLDER} FROM system.tables WHERE database = {where} AND name = '{table}'"
    )
    if not found.strip():
        raise RefusedError(60, "UNKNOWN_TABLE", f"Table {name} doesn't exist")
    return found.strip()


def _check_column(column: str, table: str, run: Run) -> None:
    told = run(
        "SELECT type, position(create_table_query, "
        f"'CHECK length({column}) = ') > 0 FROM system.columns AS c INNER JOIN system.tables AS t "
        "ON c.database = t.database AND c.table = t.name "
        f"WHERE {_FOLDER} = '{table}' AND c.name = '{column}'"
    )
    kind, _, constrained = told.strip().partition("\t")
    # tests: 00034_mqvs_vector_index_parameter_check.sh, case 3.
    if kind != "Array(Float32)":
        _refuse("The element type inside the array must be `Float32`")
    # docs: vector-search, "Creating a Vector Index"; the text is ours.
    if constrained != "1":
        _refuse(f"The column {column} has no constraint on its length")


def _check_query_vector(query: str) -> None:
    # src: an array of whole numbers alone is none of floats; recorded in the project's notes.
    if "." not in query:
        _refuse(f"No element of the query vector has a decimal point: {query.strip()[:40]}")


def _check_argument(argument: str, kind: str) -> None:
    # src: VectorIndex/Interpreters/parseVSParameters.cpp, with the parameters of MSTG in tests
    # 00034_mqvs_vector_index_parameter_check.sh and of SCANN in the SearchIndex library.
    key, _, value = argument.replace(" ", "").partition("=")
    if key not in ("alpha", "metric_type"):
        _refuse(
            f"Unsupported vector search argument `{key}` on vector index `{kind}`, supported "
            "arguments is [alpha,metric_type]"
        )
    if key == "alpha" and not 1 <= float(value) <= 4:
        _refuse("Value for parameter `alpha` range needs to be 1~4")


def _measured(found: re.Match[str], index: _Index | None) -> str:
    """What distance() computes: by the metric of the index, or L2 where there is none (src)."""
    alias = f" AS {found['alias']}" if found["alias"] else ""
    metric = "L2Distance" if index is None else "cosineDistance"
    shifted = index.shifted if index is not None else None
    vector = found["column"] if shifted is None else shifted.vector()
    return f"{metric}({vector}, [{found['query']}]){alias}"


def _tables_of(folders: dict[str, _Index], run: Run) -> dict[str, tuple[str, str, str]]:
    """Database and name of those tables of the request's database that still are, and a part."""
    if not folders:
        return {}
    listed = ", ".join(f"'{folder}'" for folder in folders)
    told = run(
        f"SELECT {_FOLDER}, database, name FROM system.tables WHERE database = currentDatabase() "
        f"AND {_FOLDER} IN ({listed})"
    )
    rows = (line.split("\t") for line in told.splitlines())
    return {folder: (database, name, "all_1_1_0") for folder, database, name in rows}


def _literal(columns: str, rows: list[tuple[object, ...]]) -> str:
    """A subquery of rows; one that is never shown stands where there are none."""
    never = tuple("" if kind == "String" else 0 for kind in columns.replace(",", "").split()[1::2])
    values = ", ".join(
        "(" + ", ".join(_value(value) for value in row) + ")" for row in chain([never], rows)
    )
    return f"(SELECT * FROM values('{columns}', {values}) WHERE database != '')"


def _value(value: object) -> str:
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return str(value)
