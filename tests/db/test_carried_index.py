"""An index that a merge hands on: MyScale's, whose rows are off once doubles were dropped."""

import logging
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from db.database import Database, open_database
from db.photos import PhotoTable
from db.rows import Rows
from db.vector_index import IndexState
from tests.clickhouse_server import Run
from tests.conftest import filled, photo_ids, unit_vectors
from tests.db.conftest import Open, found_by_their_own
from tests.myscale_dress import MyScaleDress


def with_doubles(database: Database) -> tuple[PhotoTable, npt.NDArray[np.float32]]:
    """A table with an index, and then some of its photos twice."""
    _, table, vectors = filled(database, 100)
    table.build_index(poll=0)
    twice = [found.photo for found in table.get(photo_ids(100)[20:30])]
    table.add(twice, vectors[20:30])
    return table, vectors


def test_an_index_is_taken_away_before_doubles_are_and_built_anew(opened: Open) -> None:
    database, server = opened(MyScaleDress())
    table, vectors = with_doubles(database)
    table.drop_doubles()
    table.build_index(poll=0)
    assert table.index_state().state == "built"
    assert found_by_their_own(table, vectors[::9]) == photo_ids(100)[::9]
    sent = [sql for sql in server.statements if " VECTOR INDEX " in sql or "OPTIMIZE" in sql]
    assert [sql.split("`")[-1].split(" vindex")[0].split(" SETTINGS")[0] for sql in sent] == [
        " FINAL",
        " ADD VECTOR INDEX",
        " DROP VECTOR INDEX",
        " FINAL DEDUPLICATE BY id",
        " FINAL",
        " ADD VECTOR INDEX",
    ]


def test_an_indexed_table_is_not_merged_for_nothing(opened: Open) -> None:
    database, server = opened(MyScaleDress())
    _, table, _ = filled(database, 100)
    table.build_index(poll=0)
    before = len(server.statements)
    table.drop_doubles()
    table.build_index(poll=0)
    assert not [sql for sql in server.statements[before:] if "OPTIMIZE" in sql or "ALTER" in sql]


def test_the_dress_has_the_trap_and_a_load_heals_what_fell_into_it(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    database, _ = opened(MyScaleDress())
    table, vectors = with_doubles(database)
    database.connection.command(f"OPTIMIZE TABLE {table.name} FINAL DEDUPLICATE BY id")
    assert found_by_their_own(table, vectors[:20:5]) == photo_ids(100)[:20:5]
    found = found_by_their_own(table, vectors[30::9])
    assert not set(enumerate(found)) & set(enumerate(photo_ids(100)[30::9]))
    assert table.index_state().state == "built"
    with caplog.at_level(logging.WARNING, "db.vector_index"):
        table.build_index(poll=0)
    assert [record.getMessage() for record in caplog.records] == [
        "The vector index of unsplash_25k found the wrong photos and was taken away: searches are "
        "exact until a load has built it anew"
    ]
    assert found_by_their_own(table, vectors[::9]) == photo_ids(100)[::9]


def test_rows_that_change_on_an_indexed_table_leave_it_right(opened: Open) -> None:
    database, _ = opened(MyScaleDress())
    collection, table, vectors = filled(database, 100)
    table.build_index(poll=0)
    rows = Rows(database.connection, table)
    changed = [replace(found.photo, url="sample:x") for found in table.get(photo_ids(100)[:5])]
    rows.restate(changed)
    rows.replace(changed, unit_vectors(5, seed=77))
    database.remove(collection, photo_ids(100)[50:60])
    left = [5, 6, 49, 60, 61, 98, 99]
    assert found_by_their_own(table, vectors[left]) == [photo_ids(100)[place] for place in left]
    assert found_by_their_own(table, unit_vectors(5, seed=77)) == photo_ids(100)[:5]
    table.drop_doubles()
    table.build_index(poll=0)
    assert found_by_their_own(table, vectors[left]) == [photo_ids(100)[place] for place in left]


def test_a_table_that_an_earlier_version_spoilt_is_found_out_when_it_is_opened(
    opened: Open,
) -> None:
    database, _ = opened(MyScaleDress())
    table, vectors = with_doubles(database)
    database.connection.command(f"OPTIMIZE TABLE {table.name} FINAL DEDUPLICATE BY id")
    open_database(database.connection.url).close()
    assert table.index_state().state == "none"
    assert found_by_their_own(table, vectors[::9]) == photo_ids(100)[::9]


def test_a_removal_takes_an_index_away_that_finds_others(opened: Open) -> None:
    database, _ = opened(MyScaleDress())
    table, vectors = with_doubles(database)
    collection = database.collections.all()[0]
    database.connection.command(f"OPTIMIZE TABLE {table.name} FINAL DEDUPLICATE BY id")
    database.remove(collection, photo_ids(100)[:1])
    assert table.index_state().state == "none"
    assert found_by_their_own(table, vectors[1::9]) == photo_ids(100)[1::9]


def test_a_search_before_the_index_is_there_is_by_cosine(opened: Open) -> None:
    database, _ = opened(MyScaleDress())
    _, table, vectors = filled(database, 50)
    near = table.search(vectors[3] * 7, 3)
    assert near[0].distance == pytest.approx(0, abs=1e-5)
    expected = 1 - np.sort(vectors @ vectors[3])[::-1][:3]
    assert [found.distance for found in near] == pytest.approx(list(expected), abs=1e-5)
    raw = database.connection.rows(
        f"SELECT distance(vector, [{','.join(f'{x:.6f}' for x in vectors[4])}]) AS d "
        f"FROM {table.name} ORDER BY d LIMIT 2"
    )
    assert raw[1]["d"] == pytest.approx(float(np.sqrt(2 - 2 * np.sort(vectors @ vectors[4])[-2])))


def test_two_photos_of_one_picture_hide_no_wrong_index(opened: Open) -> None:
    database, _ = opened(MyScaleDress())
    table, vectors = with_doubles(database)
    rows = Rows(database.connection, table)
    last = table.get(photo_ids(100)[88:90] + photo_ids(100)[98:])
    # Ten photos on, where the index takes each for, is the same picture.
    rows.replace([photo.photo for photo in last], np.repeat(vectors[98:99], 4, axis=0))
    database.connection.command(f"OPTIMIZE TABLE {table.name} FINAL DEDUPLICATE BY id")
    assert found_by_their_own(table, vectors[50:60]) != photo_ids(100)[50:60]
    table.drop_index_if_wrong()
    assert table.index_state().state == "none"


def test_doubles_that_another_load_drops_during_a_build_leave_no_wrong_index(opened: Open) -> None:
    database, _ = opened(MyScaleDress())
    table, vectors = with_doubles(database)
    table.drop_index()
    shared = [f"OPTIMIZE TABLE {table.name} FINAL DEDUPLICATE BY id"]

    def meanwhile(state: IndexState) -> None:
        if state.state == "building" and shared:
            database.connection.command(shared.pop())

    table.build_index(meanwhile, poll=0)
    assert not shared
    assert table.index_state().state == "built"
    assert found_by_their_own(table, vectors[::9]) == photo_ids(100)[::9]


class Taking(MyScaleDress):
    """A server where another load takes the index away just before it is searched."""

    taking = False

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """See Dress."""
        if self.taking and "distance(vector" in statement:
            self._indexes.clear()
        return super().rewrite(statement, settings, run)


def test_distances_are_cosines_though_the_index_is_taken_away_meanwhile(opened: Open) -> None:
    dress = Taking(polls=0)
    database, _ = opened(dress)
    _, table, vectors = filled(database, 50)
    table.build_index(poll=0)
    dress.taking = True
    found = table.search(vectors[3] * 7, 3)
    assert dress._indexes == {}
    expected = 1 - np.sort(vectors @ vectors[3])[::-1][:3]
    assert [hit.distance for hit in found] == pytest.approx(list(expected), abs=1e-5)
    assert found[0].photo.id == photo_ids(50)[3]
