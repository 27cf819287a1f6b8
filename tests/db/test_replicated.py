"""A database that replicates itself, as far as it can be told from outside; none was run."""

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from db.connection import connect
from db.database import open_database
from db.ddl import script
from db.errors import ExplorerError
from db.photos import PhotoTable
from tests.clickhouse_server import ClickHouseServer, Dress, RefusedError, Run
from tests.conftest import filled, photo_ids

_numbers = count()


class ReplicatedDress(Dress):
    """A server whose databases are of the engine Replicated.

    From clickhouse.com/docs, engines/database-engines/replicated; the text of the refusal is that
    of src/Databases/DatabaseReplicated.cpp. A plain MergeTree is allowed there, and refused here:
    its rows would be on one replica alone.
    """

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """See Dress."""
        if " ON CLUSTER " in statement:
            raise RefusedError(
                80, "INCORRECT_QUERY", "ON CLUSTER is not allowed for Replicated database"
            )
        if re.search(r"ENGINE = MergeTree\b", statement):
            raise RefusedError(36, "BAD_ARGUMENTS", "Rows of a MergeTree are not replicated")
        if statement.startswith("INSERT") and settings.get("insert_deduplicate") != "0":
            raise RefusedError(36, "BAD_ARGUMENTS", "A block of equal rows would be ignored")
        statement = statement.replace(
            "SELECT engine FROM system.databases", "SELECT 'Replicated' FROM system.databases"
        )
        return statement.replace("ENGINE = ReplicatedMergeTree ", "ENGINE = MergeTree ")


@pytest.fixture
def url(engine: str) -> Iterator[str]:
    with ClickHouseServer(Path(unquote(urlsplit(engine).path)), dress=ReplicatedDress()) as server:
        name = f"replicated_{next(_numbers)}"
        server.run(f"CREATE DATABASE {name}")
        yield f"{server.url}/{name}"


def test_every_table_is_replicated_and_a_block_that_comes_back_is_taken(url: str) -> None:
    database = open_database(url)
    collection, table, vectors = filled(database, 30)
    table.build_index(poll=0)
    photos = [found.photo for found in table.get(photo_ids(30)[:5])]
    database.remove(collection, photo_ids(30)[:5])
    again = database.connection.again()
    PhotoTable(again, table.name).add(photos, vectors[:5])
    again.close()
    table.drop_doubles()
    assert table.ids() == set(photo_ids(30))
    assert table.search(vectors[3], 1)[0].photo.id == photo_ids(30)[3]
    database.collections.drop(collection)
    assert not table.exists()
    database.close()


def test_an_operator_is_told_what_it_means(url: str) -> None:
    connection = connect(url)
    told = script(connection.dialect, "mine")
    connection.close()
    assert "-- The database replicates itself: written from the documents and never run" in told
    assert "-- The state of a vector index is that of the replica that answers" in told
    assert "-- Every statement is sent with insert_deduplicate = 0" in told
    assert "ENGINE = ReplicatedMergeTree ORDER BY id SETTINGS index_granularity" in told
    assert "ENGINE = MergeTree" not in told


def test_it_is_no_cluster_beside(url: str) -> None:
    with pytest.raises(ExplorerError) as caught:
        connect(f"{url}?cluster=photos")
    assert str(caught.value) == (
        f"DATABASE_CLUSTER is set, and the database of {url} replicates itself: unset "
        "DATABASE_CLUSTER, or name a database of another engine"
    )
