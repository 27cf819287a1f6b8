"""A connection: one clickhouse-connect client and the dialect of the engine behind it."""

import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import StreamFailureError

from db.answers import LOAD, PAGE, Answers, Health
from db.client import BRUTE_FORCE, is_there, open_client
from db.dialect import INDEX_SINCE, ClickHouse, Dialect, Embedded, ExactClickHouse, is_older
from db.dsn import alpha_of, layout_of, option, unencrypted
from db.embedded import Folder, check_room
from db.errors import ExplorerError
from db.faults import is_myscale_cloud, shown_url
from db.grants import check_grants
from db.layout import Cluster, Layout, Replicated
from db.myscale import MyScale
from db.names import quoted
from db.readers import Readers
from db.search import Unreached

_LOG = logging.getLogger(__name__)

Parameters = Mapping[str, Any] | None

# Statements that change nothing when they are run a second time. OPTIMIZE is none: while the first
# one goes on, a second one does nothing and says that it is done.
_REPEATABLE = re.compile(
    r"(SELECT|EXISTS|EXPLAIN|DESCRIBE|CREATE OR REPLACE)\b|.*\bIF (NOT )?EXISTS\b"
)

T = TypeVar("T")


@dataclass(frozen=True)
class Connection:
    """A client of one database; safe to share between threads.

    A client of the embedded engine takes one statement at a time: what reads vectors, and may take
    long, has others, so that searches of several people, and their thumbs, don't wait for it.

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
        unreached: by table, what its index doesn't find, once that was looked for; shared as well.
        lock: the file that locked the embedded engine's folder when it was opened.
        readers: further clients, of the embedded engine.
    """

    url: str = field(repr=False)
    client: Client
    dialect: Dialect
    tries: int = PAGE
    sleep: Callable[[float], None] = time.sleep
    health: Health = field(default_factory=Health)
    unreached: dict[str, Unreached] = field(default_factory=dict)
    lock: tuple[int, int] | None = None
    readers: Readers | None = None

    def again(self) -> "Connection":
        """A second, more patient connection to the same database, with a client of its own."""
        self._refuse_if_moved()
        client = open_client(self.url, self.dialect.layout)
        return replace(self, client=client, tries=LOAD, readers=None)

    @property
    def engine(self) -> str:
        """The kind of engine and its version, as it told when it was asked."""
        version = self.client.server_version or "of unknown version"
        return f"{self.dialect.name} {version}{self.dialect.note}"

    @property
    def is_alone(self) -> bool:
        """Whether no other process can have the database open."""
        return self.url.startswith("chdb:")

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
        with self._reader() as client:
            return self._run(
                lambda: _whole(
                    lambda: client.query_arrow(
                        sql,
                        parameters=_copy(parameters),
                        settings=_room_for(sql, parameters),
                        use_strings=True,
                    )
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

    def check_room(self) -> None:
        """See that a table can be defined before what belongs to it is stored.

        Raises:
            ExplorerError: there is no room for it.
        """
        if self.is_alone:
            check_room(Folder.of(self.url).path)

    def _defining(self, sql: str) -> AbstractContextManager[None]:
        return Folder.of(self.url).defining(sql) if self.is_alone else nullcontext()

    def _reader(self) -> AbstractContextManager[Client]:
        return nullcontext(self.client) if self.readers is None else self.readers.lent()

    def close(self) -> None:
        """Give the clients, and with the last one the embedded engine, back."""
        if self.readers is not None:
            self.readers.close()
        self.client.close()

    def _refuse_if_moved(self) -> None:
        if self.lock is not None:
            folder = Folder.of(self.url)
            if folder.lock() != self.lock:
                raise ExplorerError(folder.moved())

    def _run(self, statement: Callable[[], T], repeatable: bool = True) -> T:
        self._refuse_if_moved()
        ping = None if self.is_alone else partial(is_there, self.client)
        answers = Answers(self.url, self.tries, self.sleep, self.health, ping)
        return answers.of(statement, repeatable=repeatable)


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
        readers = Readers(lambda: open_client(url))
        connection = Connection(
            url, open_client(url), dialect, tries, lock=folder.lock(), readers=readers
        )
    else:
        # A page is there meanwhile, and tries again by itself; a command has nobody who would.
        client = open_client(url, tries=tries if tries == LOAD and is_myscale_cloud(url) else 1)
        if warning := unencrypted(url):
            _LOG.warning("%s", warning)
        dialect = _ask(client, url)
        for name, value in dialect.layout.session.items():
            client.set_client_setting(name, value)
        connection = Connection(url, client, dialect, tries)
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
    client = open_client(url)
    try:
        return _ask(client, url)
    finally:
        client.close()


def _ask(client: Client, url: str) -> Dialect:
    # MyScale reports ClickHouse's version, and hides its own tables from a user who was granted one
    # database: it is known by a setting that only it has, which the client has read already.
    dialect = server_dialect(
        client.server_version or "",
        BRUTE_FORCE in client.server_settings,
        alpha_of(url),
        _layout(client, url),
    )
    check_grants(Connection(url, client, dialect).command, url, dialect)
    return dialect


def _layout(client: Client, url: str) -> Layout:
    """Where the tables lie: a database that replicates itself is known by its engine."""
    named = layout_of(url)
    engine = Connection(url, client, ClickHouse(named)).command(
        f"SELECT engine FROM system.databases WHERE name = {named.database}"
    )
    if engine != "Replicated":
        return named
    if isinstance(named, Cluster):
        raise ExplorerError(
            f"DATABASE_CLUSTER is set, and the database of {shown_url(url)} replicates itself: "
            "unset DATABASE_CLUSTER, or name a database of another engine"
        )
    return Replicated()


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
    if is_older(version, INDEX_SINCE):
        return ExactClickHouse(layout)
    return ClickHouse(layout)


def _whole(answer: Callable[[], pa.Table]) -> pa.Table:
    """An answer in Arrow; one whose end is missing, or is another's words, is a broken one."""
    try:
        return answer()
    except pa.ArrowInvalid as error:
        raise StreamFailureError("The answer ended before its time") from error


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
