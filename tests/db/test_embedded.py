"""What the embedded engine does beside the promises of every engine (tests/conformance)."""

import pytest

from db.connection import connect
from db.database import Database
from db.finder import Finder
from db.photo import Photo
from tests.conftest import filled, photo_ids, unit_vectors

LARGE = (float("inf"), 10**6)  # so many rows, for ever, that an index is worth asking


@pytest.mark.parametrize("excluded", [0, 3, 300])
def test_the_index_is_really_asked(database: Database, excluded: int) -> None:
    _, table, vectors = filled(database, 2000)
    table.build_index()
    finder = Finder(database.connection, table.name, ("id", "url"))
    finder._counted = LARGE

    def searched() -> int:
        events = "SELECT value FROM system.events WHERE event = 'USearchSearchCount'"
        return sum(row["value"] for row in database.connection.rows(events))

    before = searched()
    exact = sorted(range(2000), key=lambda row: -float(vectors[row] @ vectors[10]))
    hidden = [f"photo-{row:05d}" for row in exact[:excluded]]
    found = finder.nearest(vectors[10], 9, hidden)
    assert searched() == before + 1
    # A few may be missed, and none comes out of order.
    places = [exact.index(int(photo[-5:])) for photo in found["id"].to_pylist()]
    assert places == sorted(places)
    assert len(set(places) & set(range(excluded, excluded + 9))) >= 8


@pytest.mark.parametrize("excluded", [3, 300])
@pytest.mark.parametrize("indexed", [True, False])
def test_what_an_index_finds_is_right_after_deletes_and_before_all_is_indexed(
    database: Database, excluded: int, indexed: bool
) -> None:
    _, table, vectors = filled(database, 2000)
    table.build_index()
    if not indexed:
        table.drop_index()
        database.connection.command(database.connection.dialect.build_index(table.name)[1])
    late = unit_vectors(100, seed=88)
    table.add([Photo(f"late-{n:05d}", "u") for n in range(100)], late)
    database.connection.command("DELETE FROM unsplash_25k WHERE cityHash64(id) % 3 = 0")
    left = table.ids()
    table._finder._counted = LARGE
    everything = {**dict(zip(photo_ids(2000), vectors, strict=True))}
    everything |= {f"late-{n:05d}": vector for n, vector in enumerate(late)}
    hits = 0
    for query in (*vectors[::400], *late[::20]):
        ranking = sorted(left, key=lambda photo: -float(everything[photo] @ query))
        found = [hit.photo.id for hit in table.search(query, 9, ranking[:excluded])]
        assert len(set(found)) == 9
        assert set(found) <= left - set(ranking[:excluded])
        hits += len(set(found) & set(ranking[excluded : excluded + 9]))
    assert hits >= 0.97 * 90
    table._finder._counted = (0.0, 0)
    assert len(table.search(late[0], 9, list(left)[9:])) == 9


def test_the_articles_sql_runs_unchanged(database: Database) -> None:
    connection = connect(database.connection.url)
    client = connection.client
    client.command(
        "CREATE TABLE IF NOT EXISTS unsplash_25k (\
        id String,\
        url String,\
        vector Array(Float32),\
        CONSTRAINT vec_len CHECK length(vector) = 512\
) ENGINE = MergeTree ORDER BY id"
    )
    vectors = unit_vectors(30)
    rows = [[f"id{n}", "u", vector.tolist()] for n, vector in enumerate(vectors)]
    client.insert("unsplash_25k", rows, column_names=["id", "url", "vector"])
    query = "[" + ",".join(f"{value:.9f}" for value in vectors[3]) + "]"
    q = client.query(
        f"SELECT id, url, vector, distance(vector, {query}) AS dist "
        "FROM unsplash_25k ORDER BY dist LIMIT 9"
    ).named_results()
    id_dist = [(_q["id"], _q["dist"]) for _q in q]
    assert id_dist[0] == ("id3", pytest.approx(0, abs=1e-6))
    q = client.query(
        f"SELECT id, url, vector, distance(vector, {query}) AS dist FROM unsplash_25k "
        "WHERE id NOT IN ('id3','U5pTkZL8JI4') ORDER BY dist LIMIT 9"
    ).named_results()
    assert "id3" not in [_q["id"] for _q in q]
    connection.close()


def test_an_index_whose_build_was_cut_off_is_not_called_built(database: Database) -> None:
    _, table, _ = filled(database, 400)
    add_index = database.connection.dialect.build_index(table.name)[1]
    database.connection.command(add_index)
    assert table.index_state().state == "none"
    table.build_index()
    assert table.index_state().state == "built"


def test_rows_that_are_masked_by_patches_are_seen(
    database: Database,
) -> None:
    _, table, vectors = filled(database, 2500)
    table.build_index()
    run = database.connection.command
    run(
        "ALTER TABLE unsplash_25k MODIFY SETTING enable_block_number_column = 1, "
        "enable_block_offset_column = 1"
    )
    run("OPTIMIZE TABLE unsplash_25k FINAL")
    assert not table._index.is_masked()
    run(
        "DELETE FROM unsplash_25k WHERE id < 'photo-01000' "
        "SETTINGS lightweight_delete_mode = 'lightweight_update_force'"
    )
    assert table._index.is_masked()
    exact = sorted(range(1000, 2500), key=lambda row: -float(vectors[row] @ vectors[10]))
    table._finder._counted = LARGE
    found = table.search(vectors[10], 9)
    assert [int(hit.photo.id[-5:]) for hit in found] == exact[:9]


def test_the_index_is_asked_again_once_it_was_built_without_what_was_deleted(
    database: Database,
) -> None:
    _, table, _ = filled(database, 400)
    table.build_index()
    database.connection.command("DELETE FROM unsplash_25k WHERE id < 'photo-00100'")
    assert table._index.is_masked()
    table.build_index()
    assert not table._index.is_masked()
    assert table.index_state().state == "built"
