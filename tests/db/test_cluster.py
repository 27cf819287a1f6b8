"""A cluster of two shards: Distributed tables execute, and the rest is rewritten in plain sight.

tests/cluster_dress.py says how, and what that leaves out; `python -m tests.engines` runs the whole
conformance suite on it.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from db.connection import connect
from db.database import TABLES, Database
from db.ddl import script
from db.photo import Photo
from db.photos import Filter
from db.rows import Rows
from tests.cluster_dress import CLUSTER
from tests.conformance.test_photos import nearest
from tests.conformance.test_views import rows_of, saved
from tests.conftest import filled, photo_ids, unit_vectors
from tests.db.test_ddl import statements
from tests.engines import served

N = 600
_numbers = count()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with served(sys.executable, "--dress", "two-shards") as url:
        yield f"{url}?cluster={CLUSTER}"


@pytest.fixture
def database_url(server: str) -> str:
    name = f"explorer_{next(_numbers)}"
    root = connect(server)
    root.command(f"CREATE DATABASE {name}")
    root.close()
    return server.replace("/default", f"/{name}")


def shards(database: Database) -> list[set[str]]:
    """The ids that each shard reads."""
    rows = database.connection.rows("SELECT id, _shard_num AS shard FROM unsplash_25k")
    assert {row["shard"] for row in rows} == {1, 2}
    return [{row["id"] for row in rows if row["shard"] == shard} for shard in (1, 2)]


def test_photos_are_spread_by_their_id_and_found_on_both_shards(database: Database) -> None:
    _, table, vectors = filled(database, N)
    one, other = shards(database)
    assert one | other == set(photo_ids(N))
    assert not one & other
    assert min(len(one), len(other)) > N / 3
    assert table.count() == len(table.ids()) == N
    table.build_index()
    assert table.index_state().state == "built"
    for query in vectors[::60]:
        exact = nearest(vectors, query)
        found = [hit.photo.id for hit in table.search(query, 9, exact[:5])]
        assert found == exact[5:14]
        assert set(found) & one
        assert set(found) & other
    peru = [photo for photo in nearest(vectors, vectors[0]) if int(photo[-5:]) % 3 == 1]
    hits = table.search(vectors[0], 9, only=Filter(countries=("Peru",)))
    assert [hit.photo.id for hit in hits] == peru[:9]
    ids, scores = table.scores(vectors[8])
    assert sorted(ids) == photo_ids(N)
    assert ids[0] == "photo-00008"
    assert np.all(np.diff(scores) <= 0)
    view = database.views.publish(saved(database), -2)
    assert set(rows_of(database, view.name)) == set(photo_ids(N))
    table.add([Photo("new", "sample:new")], unit_vectors(1, seed=3))
    assert len(rows_of(database, view.name)) == N + 1


def test_a_photo_that_came_twice_is_once_afterwards(database: Database) -> None:
    _, table, vectors = filled(database, N)
    table.build_index()
    before = shards(database)
    photos = [found.photo for found in table.get(photo_ids(N)[:50])]
    table.add(photos, vectors[:50])
    assert shards(database) == before
    assert table.count() == N + 50
    table.drop_doubles()
    table.build_index()
    assert table.count() == N
    assert table.index_state().state == "built"
    assert [hit.photo.id for hit in table.search(vectors[3], 9)] == nearest(vectors, vectors[3])[:9]


def test_photos_are_replaced_and_removed_on_both_shards(database: Database) -> None:
    collection, table, _ = filled(database, 60)
    table.build_index()
    found = table.get(photo_ids(60)[:20])
    photos = [replace(each.photo, width=7) for each in found]
    rows = Rows(database.connection, table)
    before = rows.state()
    rows.replace(photos, unit_vectors(20, seed=5))
    assert rows.state() != before
    assert [each.photo for each in table.get(photo_ids(60)[:20])] == photos
    assert table.count() == 60
    database.remove(collection, photo_ids(60)[:30])
    one, other = shards(database)
    assert one | other == set(photo_ids(60)[30:])
    database.drop(collection)
    assert not [name for name in database.connection.tables() if name.startswith("unsplash")]
    _, again, _ = filled(database, 20)
    assert again.count() == 20


def test_replicated_tables_have_their_paths_in_keeper() -> None:
    with served(sys.executable, "--dress", "replicated") as url:
        connection = connect(f"{url}?cluster={CLUSTER}")
        for statement in statements(script(connection.dialect, "mine")):
            if statement.startswith("CREATE"):
                connection.command(statement)
        found = connection.rows("SELECT table, zookeeper_path, replica_name FROM system.replicas")
        connection.close()
    places = {row["table"]: (row["zookeeper_path"], row["replica_name"]) for row in found}
    own = {t.name: (f"/clickhouse/tables/all/default/{t.name}", "one-first") for t in TABLES}
    assert places == own | {"mine_local": ("/clickhouse/tables/one/default/mine_local", "first")}
