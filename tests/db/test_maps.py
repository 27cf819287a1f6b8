from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from db.collections import Collection
from db.database import Database
from db.errors import ExplorerError
from db.maps import MOST, Maps, PhotoMap
from tests.conftest import filled

COLLECTION = Collection("lakes", "a-model", "a-fingerprint", "a test")


def some_map(n: int, seed: int = 0) -> PhotoMap:
    ids = [f"{number}\n'\"é" for number in range(n)]
    return PhotoMap(ids, np.random.default_rng(seed).random((n, 2)).astype(np.float32))


@pytest.mark.parametrize("n", [0, 1, 500])
def test_a_map_is_the_same_after_a_restart(tmp_path: Path, n: int) -> None:
    maps = Maps(tmp_path / "maps")
    assert maps.get(COLLECTION) is None
    put = some_map(n)
    maps.put(COLLECTION, some_map(n, seed=1))
    maps.put(COLLECTION, put)
    maps.close()
    again = Maps(tmp_path / "maps")
    found = again.get(COLLECTION)
    assert found is not None
    assert found.ids == put.ids
    assert (found.places == put.places).all()
    assert again.get(replace(COLLECTION, fingerprint="another")) is None
    assert again.get(replace(COLLECTION, created=COLLECTION.created.replace(year=2001))) is None
    again.close()


def test_a_damaged_map_is_made_again(tmp_path: Path) -> None:
    maps = Maps(tmp_path / "maps")
    maps.put(COLLECTION, some_map(500))
    maps.close()
    file = tmp_path / "maps" / "maps.sqlite"
    content = file.read_bytes()
    damaged = content.replace(b"250\n", b"250 ")
    assert damaged != content
    file.write_bytes(damaged)
    again = Maps(tmp_path / "maps")
    assert again.get(COLLECTION) is None
    again.put(COLLECTION, some_map(3))
    found = again.get(COLLECTION)
    assert found is not None
    assert len(found.ids) == 3
    again.close()


def test_a_folder_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "maps").write_text("a file")
    with pytest.raises(
        ExplorerError, match=r"Can't open the cache of maps in .*Delete that folder"
    ):
        Maps(tmp_path / "maps")


def test_of_many_photos_as_many_are_taken_as_a_map_has_room_for(database: Database) -> None:
    _, table, vectors = filled(database, 50)
    ids, found = table.sample_with_ids(MOST)
    assert set(ids) == table.ids()
    assert (found == vectors[[int(photo[-5:]) for photo in ids]]).all()
    some, _ = table.sample_with_ids(7)
    assert len(some) == 7
    assert some == table.sample_with_ids(7)[0]
