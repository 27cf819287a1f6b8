"""A connection: one clickhouse-connect client and the dialect of the engine behind it."""

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from db.dialect import INDEX_SINCE, ClickHouse, Dialect, Embedded, ExactClickHouse
from db.dsn import alpha_of, layout_of, option, unencrypted, uses_tls, without_own_options
from db.embedded import Folder
from db.errors import ExplorerError, first_line
from db.faults import Fault, fault_of, shown_url
from db.layout import Layout
from db.myscale import MyScale
from db.names import quoted

_LOG = logging.getLogger(__name__)

Parameters = Mapping[str, Any] | None


# How often a statement is tried while nothing answers: about 1.5 s in all under a page that
# somebody waits for, half a minute under a load.
PAGE, LOAD = 5, 10

# MyScaleDB's, without which it finds no photo that has not been indexed yet: its test
# 00038_mqvs_brute_force_setting shows both.
_BRUTE_FORCE = "enable_brute_force_vector_search"

# Statements that change nothing when they are run a second time.
_REPEATABLE = re.compile(
    r"(SELECT|EXISTS|EXPLAIN|DESCRIBE|OPTIMIZE|CREATE OR REPLACE)\b|.*\bIF (NOT )?EXISTS\b"
)

T = TypeVar("T")


@dataclass
class Health:
    """Whether the last statement was answered: while none is, waiting for each would be in vain."""

    away: bool = False


@dataclass(frozen=True)
class Connection:
    """A client of one database; safe to share between threads, which then take turns.

    Whatever goes wrong behind a statement is raised as an ExplorerError. What passes, as a server
    that restarts, is waited for: reads and inserts are tried again, and so is any statement that
    surely was not run. An insert may therefore be done twice: whoever reads takes a row once.

    A long statement (an index build) makes the others wait: give it a connection of its own with
    `again()`.

    Attributes:
        url: the DSN.
        client: clickhouse-connect's.
        dialect: of the engine behind it.
        tries: how often a statement is tried while nothing answers.
        sleep: waits between two tries, in seconds.
        health: shared by all connections to the database.
        lock: the file that locked the embedded engine's folder when it was opened.
    """

    url: str
    client: Client
    dialect: Dialect
    tries: int = PAGE
    sleep: Callable[[float], None] = time.sleep
    health: Health = field(default_factory=Health)
    lock: tuple[int, int] | None = None

    def again(self) -> "Connection":
        """A second, more patient connection to the same database, with a client of its own."""
        self._refuse_if_moved()
        return replace(self, client=_open_client(self.url), tries=LOAD)

    @property
    def engine(self) -> str:
        """The kind of engine and its version, as it told when it was asked."""
        version = self.client.server_version or "of unknown version"
        return f"{self.dialect.name} {version}{self.dialect.note}"

    def command(self, sql: str, parameters: Parameters = None) -> Any:
        """Run a statement that returns at most one value, or defines something."""
        with self._defining(sql):
            return self._run(
                lambda: self.client.command(
                    sql, parameters=_copy(parameters), settings=_room_for(sql, parameters)
                ),
                repeatable=bool(_REPEATABLE.match(sql)),
            )

    def has_table(self, name: str) -> bool:
        """Whether there is a table of that name."""
        return bool(int(self.command(f"EXISTS TABLE {quoted(name)}")))

    def rows(self, sql: str, parameters: Parameters = None) -> list[dict[str, Any]]:
        """Run a query; one dictionary a row."""
        result = self._run(
            lambda: self.client.query(
                sql, parameters=_copy(parameters), settings=_room_for(sql, parameters)
            )
        )
        return list(result.named_results())

    def arrow(self, sql: str, parameters: Parameters = None) -> pa.Table:
        """Run a query whose rows hold vectors; Arrow carries them without a Python list each."""
        return self._run(
            lambda: self.client.query_arrow(
                sql,
                parameters=_copy(parameters),
                settings=_room_for(sql, parameters),
                use_strings=True,
            )
        )

    def insert(self, table: str, row: Mapping[str, Any]) -> None:
        """Insert one row."""
        self.insert_rows(table, list(row), [list(row.values())])

    def insert_rows(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Insert rows in one block."""
        self._run(lambda: self.client.insert(table, rows, column_names=columns))

    def insert_arrow(self, table: str, rows: pa.Table) -> None:
        """Insert the rows of an Arrow table, matching columns by name."""
        self._run(lambda: self.client.insert_arrow(table, rows))

    def tables(self, condition: str = "1") -> set[str]:
        """The names of the tables and views of the database; `condition` is about system.tables."""
        rows = self.rows(
            f"SELECT name FROM system.tables WHERE database = currentDatabase() AND {condition}"
        )
        return {row["name"] for row in rows}

    def _defining(self, sql: str) -> AbstractContextManager[None]:
        embedded = self.url.startswith("chdb:")
        return Folder.of(self.url).defining(sql) if embedded else nullcontext()

    def close(self) -> None:
        """Give the client, and with the last one the embedded engine, back."""
        self.client.close()

    def _refuse_if_moved(self) -> None:
        if self.lock is not None:
            folder = Folder.of(self.url)
            if folder.lock() != self.lock:
                raise ExplorerError(folder.moved())

    def _run(self, statement: Callable[[], T], repeatable: bool = True) -> T:
        self._refuse_if_moved()
        tries = 1 if self.health.away and self.tries == PAGE else self.tries
        retrying = Retrying(
            sleep=self.sleep,
            stop=stop_after_attempt(tries),
            wait=wait_exponential(multiplier=0.1, max=8),
            retry=retry_if_exception(lambda error: _may_repeat(error, repeatable)),
            reraise=True,
        )
        try:
            answer: T = retrying(_told, statement, self.url)
        except _FailedError as error:
            self.health.away = error.fault.passes and error.fault.unsent
            raise ExplorerError(error.fault.line) from error.__cause__
        self.health.away = False
        return answer


class _FailedError(Exception):
    """A statement that failed, on its way to become one line."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.line)
        self.fault = fault


def _told(statement: Callable[[], T], url: str) -> T:
    try:
        return statement()
    except (ClickHouseError, OSError) as error:
        raise _FailedError(fault_of(error, url)) from error


def _may_repeat(error: BaseException, repeatable: bool) -> bool:
    if not isinstance(error, _FailedError):
        return False
    return error.fault.passes and (repeatable or error.fault.unsent)


def connect(url: str, tries: int = PAGE) -> Connection:
    """Open the database that a DSN names, and find out which engine it is.

    Args:
        url: `chdb:///absolute/path[?database=name]`, or a clickhouse-connect DSN.
        tries: how often a statement is tried while nothing answers.

    Raises:
        ExplorerError: the engine can't be reached, or another process has the embedded one open.
    """
    if url.startswith("chdb:"):
        dialect = find_dialect(url)
        folder = Folder.of(url)
        folder.create_database()
        connection = Connection(url, _open_client(url), dialect, tries, lock=folder.lock())
    else:
        client = _open_client(url)
        if warning := unencrypted(url):
            _LOG.warning("%s", warning)
        connection = Connection(url, client, _ask(client, url), tries)
    _define_functions(connection)
    return connection


def _define_functions(connection: Connection) -> None:
    """Define what the engine lacks, and nothing that it has: each definition is a file."""
    for name, body in connection.dialect.functions.items():
        there = connection.rows(
            "SELECT create_query FROM system.functions WHERE name = %(name)s", {"name": name}
        )
        if not there or body not in there[0]["create_query"]:
            connection.command(f"CREATE OR REPLACE FUNCTION {name} AS {body}")


def find_dialect(url: str, engine: str = "") -> Dialect:
    """The dialect of an engine, with the options that a DSN has for it.

    Args:
        url: the DSN.
        engine: `embedded`, `clickhouse` or `myscale`; or "" for what the DSN names, where a server
            is asked.

    Raises:
        ExplorerError: the server can't be reached, or the DSN names a cluster that can't be.
    """
    if engine == "embedded" or (not engine and url.startswith("chdb:")):
        if option(url, "cluster"):
            raise ExplorerError(
                "DATABASE_CLUSTER is set, and the embedded database has no cluster: name one of "
                "the cluster's servers in DATABASE_URL, or unset DATABASE_CLUSTER"
            )
        return Embedded()
    if engine == "clickhouse":
        return ClickHouse(layout_of(url))
    if engine == "myscale":
        return MyScale(alpha_of(url), layout_of(url))
    client = _open_client(url)
    try:
        return _ask(client, url)
    finally:
        client.close()


def _open_client(url: str) -> Client:
    if url.startswith("chdb:"):
        return Folder.of(url).open()
    try:
        # A session id would make the server refuse two queries at once from two page views.
        client = clickhouse_connect.get_client(
            dsn=without_own_options(url),
            interface="https" if uses_tls(url) else "http",
            autogenerate_session_id=False,
            tz_mode="schema",
            settings=dict(layout_of(url).session),
        )
    except (ClickHouseError, OSError) as error:
        raise ExplorerError(fault_of(error, url).line) from error
    except (ValueError, TypeError) as error:
        raise ExplorerError(
            f"DATABASE_URL={shown_url(url)} can't be used: {first_line(error)}. Correct it, or an "
            "option behind its question mark"
        ) from error
    if _BRUTE_FORCE in client.server_settings:
        client.set_client_setting(_BRUTE_FORCE, 1)
    return client


def _ask(client: Client, url: str) -> Dialect:
    # MyScale reports ClickHouse's version, so it is known by a table that only it has.
    found = Connection(url, client, ClickHouse()).command(
        "SELECT count() FROM system.tables WHERE database = 'system' AND name = 'vector_indices'"
    )
    return server_dialect(
        client.server_version or "", bool(int(str(found))), alpha_of(url), layout_of(url)
    )


def server_dialect(
    version: str, is_myscale: bool, alpha: int | None = None, layout: Layout | None = None
) -> Dialect:
    """The dialect of a server.

    Args:
        version: what `version()` says; MyScale reports ClickHouse's.
        is_myscale: whether it has MyScale's system tables.
        alpha: of MyScale's searches.
        layout: where its tables lie; on one server by default.
    """
    if is_myscale:
        return MyScale(alpha, layout)
    found = re.match(r"(\d+)\.(\d+)", version)
    if found is None or (int(found[1]), int(found[2])) < INDEX_SINCE:
        return ExactClickHouse(layout)
    return ClickHouse(layout)


def _copy(parameters: Parameters) -> dict[str, Any] | None:
    return dict(parameters) if parameters else None


def _room_for(sql: str, parameters: Parameters) -> dict[str, Any]:
    """The parser refuses statements over 256 KiB, which ten thousand excluded ids pass."""
    size = len(sql) + sum(_size(value) for value in (parameters or {}).values())
    return {"max_query_size": 4 * size} if size > 50_000 else {}


def _size(value: Any) -> int:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return sum(_size(item) + 4 for item in value)
    return len(str(value))
