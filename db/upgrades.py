"""Bringing a database up to date: what is missing is created, and numbered upgrades run once.

Every statement here rewrites files of the engine, so a database that is up to date is asked what
it has and left as it is.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from db.connection import Connection
from db.counts import Counts
from db.layout import Synced, Table
from db.names import quoted

DONE = Table(
    "upgrades",
    "the upgrades that the tables have had, by number",
    "number UInt32, done DateTime64(3, 'UTC')",
    "number",
)


def bring_up_to_date(connection: Connection, tables: Sequence[Table]) -> None:
    """Create the tables that are missing, and run the upgrades that the others have not had.

    Args:
        connection: to the database.
        tables: all of the explorer's own, as they are in a new database.

    Raises:
        ExplorerError: there is no room for it, or the database refuses it.
    """
    there = connection.tables()
    had = _had(connection) if DONE.name in there else 0
    for table in tables:
        if table.name not in there:
            connection.command(connection.dialect.layout.create(table))
    if not there & {table.name for table in tables}:
        _record(connection, len(UPGRADES))
        return
    for number in range(had + 1, len(UPGRADES) + 1):
        UPGRADES[number - 1](connection)
        _record(connection, number)


def _had(connection: Connection) -> int:
    return int(connection.command(f"SELECT max(number) FROM {DONE.name}"))


def _record(connection: Connection, number: int) -> None:
    connection.insert(DONE.name, {"number": number, "done": datetime.now(UTC)})


# ---- the upgrades: each may be run again, since a process can end before it is recorded


def _columns(table: str, *columns: str) -> Callable[[Connection], None]:
    """Gives one of the explorer's own tables columns, in SQL, that its first version lacks."""

    def add(connection: Connection) -> None:
        for column in columns:
            connection.command(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column}")

    return add


def _forced_to_disk(connection: Connection) -> None:
    """Has tables of the first versions forced to disk too, where the engine is embedded."""
    layout = connection.dialect.layout
    if isinstance(layout, Synced):
        older = "engine = 'MergeTree' AND name IN ('collections', 'sessions', 'rounds', 'labels', "
        older += "'classifiers', 'checks', 'views', 'failures') "
        older += "AND NOT position(create_table_query, 'fsync_after_insert')"
        for name in sorted(connection.tables(older)):
            connection.command(layout.sync(name))


def _counted(connection: Connection) -> None:
    """Counts the photos of collections that came in before they were counted."""
    counts = Counts(connection)
    for row in connection.rows("SELECT DISTINCT name FROM collections"):
        if row["name"] in connection.tables():
            counts.settle(row["name"], int(connection.command(_count(row["name"]))))


def _count(name: str) -> str:
    return f"SELECT count() FROM {quoted(name)}"


# Their numbers are stored: add at the end, and change none.
UPGRADES: tuple[Callable[[Connection], None], ...] = (
    _columns(
        "sessions",
        # Sessions of the first version have no method: they were refit as in the article.
        "method String DEFAULT 'article'",
        "name String DEFAULT ''",
        "version UInt32 DEFAULT 0",
        "deleted UInt8 DEFAULT 0",
    ),
    _columns("rounds", "liked String DEFAULT ''"),
    _columns("labels", "click String DEFAULT ''"),
    _forced_to_disk,
    _counted,
    _columns("sessions", "centring Float32 DEFAULT 0"),
    _columns("rounds", "sequence UInt64 DEFAULT toUnixTimestamp64Milli(made) * 1000000"),
    _columns("failures", "sequence UInt64 DEFAULT toUnixTimestamp64Milli(at) * 1000000"),
    _columns("rounds", "why String DEFAULT ''"),
    _columns(
        "classifiers",
        "number UInt32 DEFAULT 1",
        "saved DateTime64(3, 'UTC') DEFAULT created",
        "threshold Nullable(Float64)",
        "seen UInt64 DEFAULT 0",
    ),
    _columns("views", "number UInt32 DEFAULT 1"),
    _columns(
        "sessions",
        "owner String DEFAULT ''",
        "shared String DEFAULT ''",
        "sequence UInt64 DEFAULT version",
    ),
    _columns("labels", "author String DEFAULT ''"),
    _columns("classifiers", "owner String DEFAULT ''"),
    _columns(
        "label_tables",
        "numbers Array(UInt32)",
        "thresholds Array(Float64)",
        "columns Array(String)",
    ),
)
