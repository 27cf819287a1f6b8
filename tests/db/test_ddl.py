"""What sets up a database, word for word.

    UPDATE_SNAPSHOTS=1 python -m pytest tests/db/test_ddl.py

writes tests/db/snapshots/ anew after an intended change: review the difference as an operator.
"""

import os
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from db.collections import Collection
from db.connection import Connection, connect, find_dialect
from db.database import TABLES, Database, open_database
from db.ddl import script
from db.dialect import Dialect, Embedded
from db.errors import ExplorerError
from db.photos import PhotoTable
from db.upgrades import UPGRADES, bring_up_to_date
from ingest.__main__ import main

SNAPSHOTS = Path(__file__).parent / "snapshots"
SERVER = "http://node-1:8123/explorer"
CLUSTER = f"{SERVER}?cluster=photos"
ENGINES = {
    "embedded": ("embedded", "chdb:///a/folder"),
    "clickhouse": ("clickhouse", SERVER),
    "clickhouse-cluster": ("clickhouse", CLUSTER),
    "myscale": ("myscale", SERVER),
    "myscale-cluster": ("myscale", CLUSTER),
}


def dialect_of(name: str) -> Dialect:
    engine, url = ENGINES[name]
    return find_dialect(url, engine)


def statements(text: str) -> list[str]:
    """The statements of a script, one a line, as a client would run them."""
    lines = [line for line in text.splitlines() if line and not line.startswith("-- ")]
    assert all(line.endswith(";") for line in lines)
    return [line.removesuffix(";") for line in lines]


@pytest.mark.parametrize("name", ENGINES)
def test_the_script_is_the_one_that_was_reviewed(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    engine, url = ENGINES[name]
    monkeypatch.setenv("DATABASE_URL", url)
    assert main(["ddl", "--engine", engine]) == 0
    printed = capsys.readouterr().out
    snapshot = SNAPSHOTS / f"{name}.sql"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(printed, encoding="utf-8")
    assert printed == snapshot.read_text(encoding="utf-8"), (
        f"If the change of {snapshot.name} is meant: "
        "UPDATE_SNAPSHOTS=1 python -m pytest tests/db/test_ddl.py, and review the difference"
    )


class EmptyServer:
    """Stands where a server without tables would: keeps the statements that are sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def command(self, sql: str, parameters: Any = None, settings: Any = None) -> int:
        self.sent.append(sql)
        return 0

    def query(self, sql: str, parameters: Any = None, settings: Any = None) -> "EmptyServer":
        self.sent.append(sql)
        return self

    def query_arrow(self, sql: str, **_: Any) -> pa.Table:
        return pa.table({"vector": pa.array([], pa.list_(pa.float32()))})

    def insert(self, table: str, rows: Any, column_names: Any) -> None:
        pass

    def named_results(self) -> list[dict[str, object]]:
        built = any("INDEX vindex" in sql for sql in self.sent)
        asked = "AS state" in self.sent[-1]
        return [{"state": "built", "detail": "", "progress": None}] if built and asked else []


def set_up(dialect: Dialect) -> list[str]:
    """What the app and a load send to a server without tables, without what only asks."""
    server = EmptyServer()
    connection = Connection("http://x", server, dialect)  # type: ignore[arg-type]
    for statement in dialect.set_up():
        connection.command(statement)
    bring_up_to_date(connection, TABLES)
    database = Database(connection)
    database.collections.open(Collection("unsplash_25k", "m", "f", "s")).build_index(poll=0)
    return [
        sql
        for sql in server.sent
        if not re.match(r"SELECT|EXISTS|ALTER TABLE collections DELETE", sql)
    ]


@pytest.mark.parametrize("name", ENGINES)
def test_the_script_is_what_is_run(name: str) -> None:
    dialect = dialect_of(name)
    assert statements(script(dialect, "unsplash_25k")) == set_up(dialect)


def test_the_embedded_script_sets_up_what_the_app_finds_in_order(database_url: str) -> None:
    connection = connect(database_url)
    for statement in statements(script(Embedded(), "unsplash_25k")):
        connection.command(statement)
    before = tables(connection)
    bring_up_to_date(connection, TABLES)
    PhotoTable(connection, "unsplash_25k").create()
    assert tables(connection) == before
    assert set(before) == {table.name for table in TABLES} | {"unsplash_25k"}
    connection.close()


def tables(connection: Connection) -> dict[str, str]:
    rows = connection.rows(
        "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()"
    )
    return {row["name"]: row["create_table_query"] for row in rows}


@pytest.mark.parametrize("name", ["clickhouse", "clickhouse-cluster"])
def test_clickhouse_can_parse_the_script(name: str, database: Database) -> None:
    dialect = dialect_of(name)
    layout = dialect.layout
    others = [
        *dialect.drop_index("t"),
        *layout.add_column("t", "x String"),
        *layout.drop("t"),
        f"OPTIMIZE TABLE {layout.rows('t')} FINAL DEDUPLICATE BY id",
        dialect.index_state().replace("%(table)s", "'t_local'"),
    ]
    for statement in [*statements(script(dialect, "t")), *others]:
        database.connection.rows(f"EXPLAIN AST {statement}")


def test_the_script_names_the_collection(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ddl", "--engine", "clickhouse", "--collection", "mine"]) == 0
    printed = capsys.readouterr().out
    assert "CREATE TABLE IF NOT EXISTS `mine` (" in printed
    assert "unsplash_25k" not in printed
    assert main(["ddl", "--engine", "clickhouse", "--collection", "a;b"]) == 1


def test_a_server_is_asked_which_engine_it_is_and_left_as_it_was(
    server_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", server_url)
    assert main(["ddl"]) == 0
    assert capsys.readouterr().out.startswith("-- For ClickHouse\n")
    connection = connect(server_url)
    assert tables(connection) == {}
    connection.close()


# --- on a cluster -----------------------------------------------------------------------------


def on_cluster(name: str = "clickhouse-cluster") -> tuple[EmptyServer, PhotoTable]:
    server = EmptyServer()
    connection = Connection("http://x", server, dialect_of(name))  # type: ignore[arg-type]
    return server, PhotoTable(connection, "mine")


def test_what_a_cluster_is_asked_to_change_is_changed_on_every_node() -> None:
    server, table = on_cluster()
    table.drop()
    table.bring_up_to_date()
    assert [sql for sql in server.sent if not sql.startswith("SELECT")] == [
        "DROP TABLE IF EXISTS `mine` ON CLUSTER 'photos' SYNC",
        "DROP TABLE IF EXISTS `mine_local` ON CLUSTER 'photos' SYNC",
        "ALTER TABLE `mine_local` ON CLUSTER 'photos' ADD COLUMN IF NOT EXISTS submitted String",
        "ALTER TABLE `mine` ON CLUSTER 'photos' ADD COLUMN IF NOT EXISTS submitted String",
        "ALTER TABLE `mine_local` ON CLUSTER 'photos' ADD COLUMN IF NOT EXISTS added UInt64",
        "ALTER TABLE `mine` ON CLUSTER 'photos' ADD COLUMN IF NOT EXISTS added UInt64",
    ]
    assert dialect_of("clickhouse-cluster").drop_index("mine") == [
        "KILL MUTATION ON CLUSTER 'photos' WHERE database = 'explorer' "
        "AND table = 'mine_local' AND NOT is_done "
        "AND match(command, '^[(]?MATERIALIZE INDEX vindex') SYNC",
        "ALTER TABLE `mine_local` ON CLUSTER 'photos' DROP INDEX IF EXISTS vindex",
    ]


@pytest.mark.parametrize("name", ["clickhouse-cluster", "myscale-cluster"])
def test_the_state_of_an_index_is_the_worst_of_all_nodes(name: str) -> None:
    server, table = on_cluster(name)
    table.index_state()
    (sql,) = server.sent
    assert "clusterAllReplicas('photos', system." in sql
    assert not re.search(r"FROM system\.", sql)
    assert "database = 'explorer'" in sql
    assert sql.endswith(
        " ORDER BY state = 'built', state = 'building' LIMIT 1 SETTINGS skip_unavailable_shards = 1"
    )


def test_the_worst_state_comes_first(database: Database) -> None:
    order = dialect_of("myscale-cluster").layout.worst_first
    states = "SELECT arrayJoin(%(states)s) AS state"
    for found, worst in {
        ("built", "building", "failed"): "failed",
        ("built", "building"): "building",
        ("built",): "built",
    }.items():
        rows = database.connection.rows(states + order, {"states": list(found)})
        assert rows == [{"state": worst}]


def test_tables_that_are_there_are_not_created_again_on_a_cluster() -> None:
    class FullServer(EmptyServer):
        def command(self, sql: str, parameters: Any = None, settings: Any = None) -> int:
            super().command(sql)
            return len(UPGRADES)

        def named_results(self) -> list[dict[str, object]]:
            return [{"name": table.name} for table in TABLES]

    server = FullServer()
    connection = Connection("http://x", server, dialect_of("clickhouse-cluster"))  # type: ignore[arg-type]
    bring_up_to_date(connection, TABLES)
    PhotoTable(connection, "mine").create()
    assert not [sql for sql in server.sent if "ON CLUSTER" in sql], "one dead node would hold it up"


def test_a_collection_is_not_made_over_anothers_rows() -> None:
    class OneTable(EmptyServer):
        def command(self, sql: str, parameters: Any = None, settings: Any = None) -> int:
            super().command(sql)
            return int(sql == "EXISTS TABLE `mine_local`")

    connection = Connection("http://x", OneTable(), dialect_of("clickhouse-cluster"))  # type: ignore[arg-type]
    with pytest.raises(ExplorerError, match="A table mine is there already"):
        Database(connection).collections.open(Collection("mine", "m", "f", "s"))


@pytest.mark.parametrize(
    ("url", "engine", "said"),
    [
        ("chdb:///x?cluster=photos", "", "the embedded database has no cluster: name one"),
        (CLUSTER, "embedded", "or unset DATABASE_CLUSTER"),
        ("http://h:8123?cluster=photos", "clickhouse", "must name a server and.* a database"),
        ("http://h:8123/it's?cluster=photos", "myscale", "must name a server and.* a database"),
    ],
)
def test_a_cluster_that_can_not_be_is_one_line(url: str, engine: str, said: str) -> None:
    with pytest.raises(ExplorerError, match=said) as caught:
        find_dialect(url, engine)
    assert "\n" not in str(caught.value)


def test_every_statement_to_a_cluster_carries_its_settings(server_url: str) -> None:
    connection = connect(f"{server_url}?cluster=photos")
    for opened in (connection, connection.again()):
        rows = opened.rows(
            "SELECT toString(getSetting('distributed_foreground_insert')) AS waits, "
            "getSetting('distributed_product_mode') AS subqueries"
        )
        assert rows == [{"waits": "true", "subqueries": "global"}]
        opened.close()


# --- durability -------------------------------------------------------------------------------

SYNCED = "fsync_after_insert = 1, fsync_part_directory = 1"


def test_thumbs_are_forced_to_disk_and_photos_are_not(database: Database) -> None:
    database.collections.open(Collection("mine", "m", "f", "s"))
    found = tables(database.connection)
    assert {name for name, sql in found.items() if SYNCED in sql} == {t.name for t in TABLES}
    assert set(found) == {table.name for table in TABLES} | {"mine"}


def test_tables_of_an_earlier_version_are_forced_to_disk_from_now_on(database_url: str) -> None:
    database = open_database(database_url)
    for table in TABLES:
        database.connection.command(
            f"ALTER TABLE {table.name} RESET SETTING fsync_after_insert, fsync_part_directory"
        )
    later_ones = ("photo_contents", "session_pictures", "counts", "prompt_means", "check_strata")
    for later in (*later_ones, "label_tables", "audit_entries", "upgrades"):
        database.connection.command(f"DROP TABLE {later} SYNC")
    assert not [sql for sql in tables(database.connection).values() if "fsync" in sql]
    database.close()
    again = open_database(database_url)
    assert all(SYNCED in sql for sql in tables(again.connection).values())
    again.close()
