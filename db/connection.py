"""A connection: one clickhouse-connect client and the dialect of the engine behind it."""

import fcntl
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from db.dialect import Dialect, Embedded, server_dialect
from db.errors import ExplorerError, first_line

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

Parameters = Mapping[str, Any] | None


@dataclass(frozen=True)
class Connection:
    """A client of one database; safe to share between threads, which then take turns.

    Whatever goes wrong behind a statement is raised as an ExplorerError.

    A long statement (an index build) makes the others wait: give it a connection of its own with
    `again()`.
    """

    url: str
    client: Client
    dialect: Dialect

    def again(self) -> "Connection":
        """A second connection to the same database, with a client of its own."""
        return Connection(self.url, _open_client(self.url), self.dialect)

    def command(self, sql: str, parameters: Parameters = None) -> Any:
        """Run a statement that returns at most one value."""
        with _told():
            return self.client.command(
                sql, parameters=_copy(parameters), settings=_room_for(sql, parameters)
            )

    def rows(self, sql: str, parameters: Parameters = None) -> list[dict[str, Any]]:
        """Run a query; one dictionary a row."""
        with _told():
            result = self.client.query(
                sql, parameters=_copy(parameters), settings=_room_for(sql, parameters)
            )
        return list(result.named_results())

    def arrow(self, sql: str, parameters: Parameters = None) -> pa.Table:
        """Run a query whose rows hold vectors; Arrow carries them without a Python list each."""
        with _told():
            return self.client.query_arrow(
                sql,
                parameters=_copy(parameters),
                settings=_room_for(sql, parameters),
                use_strings=True,
            )

    def insert(self, table: str, row: Mapping[str, Any]) -> None:
        """Insert one row."""
        self.insert_rows(table, list(row), [list(row.values())])

    def insert_rows(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Insert rows in one block."""
        with _told():
            self.client.insert(table, rows, column_names=columns)

    def insert_arrow(self, table: str, rows: pa.Table) -> None:
        """Insert the rows of an Arrow table, matching columns by name."""
        with _told():
            self.client.insert_arrow(table, rows)

    def close(self) -> None:
        """Give the client, and with the last one the embedded engine, back."""
        self.client.close()


def connect(url: str) -> Connection:
    """Open the database that a DSN names, and find out which engine it is.

    Args:
        url: `chdb:///absolute/path[?database=name]`, or a clickhouse-connect DSN.

    Raises:
        ExplorerError: the engine can't be reached, or another process has the embedded one open.
    """
    if url.startswith("chdb:"):
        _create_database(url)
        connection = Connection(url, _open_client(url), Embedded())
    else:
        client = _open_client(url)
        connection = Connection(url, client, _server_dialect(client, url))
    for statement in connection.dialect.set_up():
        connection.command(statement)
    return connection


def checked_name(name: str) -> str:
    """A table name that needs no quoting, or an error: the only names that reach SQL text.

    Raises:
        ExplorerError: the name is not 1 to 64 letters, digits and underscores, or starts with one.
    """
    if not _NAME.fullmatch(name):
        raise ExplorerError(
            f"{name!r} can't name a collection: use 1 to 64 letters, digits and underscores, "
            "not starting with a digit"
        )
    return name


def shown_url(url: str) -> str:
    """A DSN without its password and options, fit for a screen or a log."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{unquote(parts.path)}"


def uses_tls(url: str) -> bool:
    """Whether a server's DSN asks for TLS: `?secure=` first, then https, then port 443 or 8443.

    Raises:
        ExplorerError: `secure` is neither true nor false.
    """
    parts = urlsplit(url)
    asked = parse_qs(parts.query).get("secure", [""])[-1].lower()
    if asked not in ("", "true", "1", "false", "0"):
        raise ExplorerError(
            f"DATABASE_URL has secure={asked}, which is neither yes nor no: "
            "write secure=true or secure=false"
        )
    if asked:
        return asked in ("true", "1")
    return parts.scheme == "https" or parts.port in (443, 8443)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the engine or the network says into one line."""
    try:
        yield
    except (ClickHouseError, OSError) as error:
        raise ExplorerError(
            f"The database failed: {first_line(error)}. What was stored stays; check the disk, or "
            "that the server is up, and try again"
        ) from error


def _open_client(url: str) -> Client:
    if url.startswith("chdb:"):
        path, database = _embedded_target(url)
        return _open_embedded(path, database)
    try:
        # A session id would make the server refuse two queries at once from two page views.
        return clickhouse_connect.get_client(
            dsn=_without_own_options(url),
            interface="https" if uses_tls(url) else "http",
            autogenerate_session_id=False,
            tz_mode="schema",
        )
    except (ClickHouseError, OSError, ValueError, TypeError) as error:
        raise ExplorerError(
            f"Can't use the database at {shown_url(url)}: {first_line(error)}. "
            "Check DATABASE_URL and that the server is up"
        ) from error


def _without_own_options(url: str) -> str:
    """The DSN without what only we read; clickhouse-connect refuses it there with an error."""
    parts = urlsplit(url)
    kept = [
        (name, value) for name, value in parse_qsl(parts.query) if name not in ("secure", "alpha")
    ]
    return parts._replace(query=urlencode(kept)).geturl()


def _open_embedded(path: Path, database: str | None) -> Client:
    try:
        _refuse_if_locked(path)
        path.mkdir(parents=True, exist_ok=True)
        return clickhouse_connect.get_client(
            interface="chdb", path=str(path), database=database, tz_mode="schema"
        )
    except (ClickHouseError, OSError) as error:
        raise ExplorerError(
            f"Can't open the embedded database in {path}: {first_line(error)}. "
            "Check that the folder can be written and the disk is not full"
        ) from error


def _refuse_if_locked(path: Path) -> None:
    """Say who holds the engine before it is asked, since it would tell only stderr."""
    status = path / "status"
    if not status.exists():
        return
    text = status.read_text(errors="replace")
    owner = re.search(r"PID: (\d+)", text)
    if owner and int(owner[1]) == os.getpid():
        return
    with status.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = f"process {owner[1]}" if owner else "another process"
            raise ExplorerError(
                f"{status} is locked by {holder}, and the embedded database serves one process: "
                "stop that one, or, if it is the app, load photos from its Collection page"
            ) from None


def _create_database(url: str) -> None:
    path, database = _embedded_target(url)
    if database is None:
        return
    client = _open_embedded(path, None)
    try:
        client.command(f"CREATE DATABASE IF NOT EXISTS {checked_name(database)}")
    finally:
        client.close()


def _embedded_target(url: str) -> tuple[Path, str | None]:
    parts = urlsplit(url)
    return Path(unquote(parts.path)), parse_qs(parts.query).get("database", [None])[0]


def _server_dialect(client: Client, url: str) -> Dialect:
    # MyScale reports ClickHouse's version, so it is known by a table that only it has.
    with _told():
        found = client.command(
            "SELECT count() FROM system.tables "
            "WHERE database = 'system' AND name = 'vector_indices'"
        )
    alpha = parse_qs(urlsplit(url).query).get("alpha", [""])[-1]
    return server_dialect(
        client.server_version or "", bool(int(str(found))), int(alpha) if alpha else None
    )


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
