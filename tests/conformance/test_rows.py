"""Rows that change: every engine replaces, restates and removes them, and searches stay right."""

from dataclasses import replace

import numpy as np
import pytest

from db.collections import Collection
from db.contents import Content
from db.database import Database
from db.errors import ExplorerError
from db.photo import Photo
from db.photos import PhotoTable
from db.rows import Rows
from tests.conformance.conftest import built
from tests.conftest import filled, unit_vectors

N = 300


def rows_of(database: Database, table: PhotoTable) -> Rows:
    return Rows(database.connection, table)


def test_replaced_photos_are_there_once_and_found_by_their_new_vectors(database: Database) -> None:
    _, table, _ = filled(database, N)
    table.build_index()
    before = table.get(["photo-00003", "photo-00008", "photo-00009"])
    vectors = unit_vectors(3, seed=77)
    vectors[2] = before[2].vector  # the third stays as it is
    photos = [replace(before[0].photo, width=7), replace(before[1].photo, url="sample:x")]
    rows_of(database, table).replace([*photos, before[2].photo], vectors)
    assert table.count() == len(table.ids()) == N
    after = table.get(["photo-00003", "photo-00008", "photo-00009"])
    assert [found.photo for found in after] == [*photos, before[2].photo]
    for found, vector in zip(after, vectors, strict=True):
        np.testing.assert_array_equal(found.vector, vector)
        assert table.search(vector, 1)[0].photo == found.photo
    table.drop_doubles()
    table.build_index()
    assert table.index_state().state == built(database)


def test_the_state_tells_whether_rows_changed(database: Database) -> None:
    _, table, _ = filled(database, 20)
    rows = rows_of(database, table)
    photo = table.get(["photo-00003"])[0].photo
    states = [rows.state()]
    assert rows.state() == states[0]
    rows.replace([photo], unit_vectors(1, seed=77))  # as many as before, and none came in
    states.append(rows.state())
    rows.remove([photo.id])
    states.append(rows.state())
    table.add([photo], unit_vectors(1, seed=77))
    states.append(rows.state())
    assert len(set(states)) == 4


def test_facts_change_and_vectors_stay(database: Database) -> None:
    _, table, _ = filled(database, 20)
    before = table.get(["photo-00003", "photo-00005"])
    photos = [replace(found.photo, description="a 'lake'", keywords=("b",)) for found in before]
    rows = rows_of(database, table)
    listed = {photo.id: photo for photo in photos}
    assert rows.differing(listed) == {found.photo.id: found.photo for found in before}
    rows.restate(photos)
    after = table.get(["photo-00003", "photo-00005"])
    assert [found.photo for found in after] == photos
    assert all((a.vector == b.vector).all() for a, b in zip(after, before, strict=True))
    assert rows.differing(listed) == {}
    assert table.count() == 20


def test_removed_photos_are_not_found_again(database: Database) -> None:
    collection, table, vectors = filled(database, N)
    table.build_index()
    database.contents.add(table.name, {"photo-00004": Content("a"), "photo-00005": Content("b")})
    out = [f"photo-{n:05d}" for n in range(0, N, 3)]
    database.remove(collection, [*out, "nowhere"], "no more")
    assert table.count() == N - len(out)
    scores = vectors @ vectors[1]
    scores[::3] = -2
    found = [each.photo.id for each in table.search(vectors[1], 5)]
    assert found == [f"photo-{n:05d}" for n in np.argsort(-scores)[:5]]
    assert database.failures.of(table).keys() == set(out)
    assert database.contents.sources(table) == ["a", "b"]
    assert [photo.id for photo in rows_of(database, table).find("PHOTO-0000", 3)] == [
        f"photo-{n:05d}" for n in (1, 2, 4)
    ]


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, 2.0])
def test_vectors_that_are_no_directions_are_not_stored(database: Database, bad: float) -> None:
    _, table, vectors = filled(database, 20)
    spoilt = vectors[:3].copy()
    spoilt[1] = spoilt[1] * bad
    photos = [Photo(id=f"new-{n}", url="sample:x") for n in range(3)]
    with pytest.raises(ExplorerError) as refusal:
        table.add(photos, spoilt)
    assert str(refusal.value) == (
        "1 of 3 vectors are not of length 1, such as that of new-1: nothing of them was stored; "
        "check the CLIP model, or take another one"
    )
    assert table.count() == 20


def test_vectors_of_another_dimension_are_replaced_too(database: Database) -> None:
    collection = Collection("wide", "a-model", "a-fingerprint", "a test", dimension=768)
    table = database.collections.open(collection)
    photos = [Photo(id=f"new-{n}", url="sample:x") for n in range(3)]
    table.add(photos, np.eye(3, 768, dtype=np.float32))
    changed = np.eye(3, 768, k=5, dtype=np.float32)
    rows_of(database, table).replace(photos[:2], changed[:2])
    found = table.get(["new-0", "new-1", "new-2"])
    assert [int(each.vector.argmax()) for each in found] == [5, 6, 2]
    assert table.count() == 3
