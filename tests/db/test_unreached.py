"""Photos that an index doesn't find are found all the same, and told."""

from contextlib import closing

import numpy as np

from db.database import Database
from db.photo import Photo
from db.search import Unreached
from tests.conftest import filled, photo_ids, unit_vectors

ROWS = 6000


def test_what_the_index_misses_is_compared_with_what_it_finds(database: Database) -> None:
    _, table, _ = filled(database, ROWS)
    table.build_index()
    known = database.connection.unreached[table.name]
    assert len(known.ids) < ROWS / 100, "looked for, and all but a few are found"
    # The index finds this one; as if it did not, it is in no search until it is known of.
    lost = unit_vectors(1, seed=77)[0]
    database.connection.unreached[table.name] = Unreached(("lost", "gone"), np.stack([lost, -lost]))
    table.add([Photo("lost", "sample:lost")], lost[None])
    found = table.search(lost, 9)
    assert found[0].photo.id == "lost"
    assert [n.distance for n in found] == sorted(n.distance for n in found)
    assert len({n.photo.id for n in found}) == 9
    assert "lost" not in {n.photo.id for n in table.search(lost, 9, ["lost"])}
    assert len(table.search(-lost, 9)) == 9, "what was deleted meanwhile is in nobody's way"
    assert "compared one by one" in table.index_state().detail
    assert table.index_state().detail.startswith("2 photos")


def test_every_photo_is_found_by_its_own_vector(database: Database) -> None:
    _, table, vectors = filled(database, ROWS)
    table.build_index()
    unreached = database.connection.unreached[table.name]
    ids = photo_ids(ROWS)
    looked_for = [*range(0, ROWS, 60), *(ids.index(photo) for photo in unreached.ids)]
    missed = [row for row in looked_for if table.search(vectors[row], 1)[0].photo.id != ids[row]]
    assert missed == []


def test_what_the_index_misses_is_looked_for_again_once_photos_were_taken_out(
    database: Database,
) -> None:
    collection, table, _ = filled(database, 20)
    stale = Unreached(("photo-00003",), unit_vectors(1))
    with closing(database.again()) as another:
        for one in (database, another):
            one.connection.unreached[table.name] = stale
            one.remove(collection, ["photo-00003"])
            assert table.name not in database.connection.unreached


def test_only_nearer_ones_are_asked_for() -> None:
    vectors = np.eye(3, dtype=np.float32)
    unreached = Unreached(("a", "b", "c"), vectors)
    assert unreached.nearer(np.asarray([5, 1, 0], dtype=np.float32), 0.9) == ["a", "b"]
    assert unreached.nearer(np.asarray([5, 1, 0], dtype=np.float32), 0.01) == []
    assert Unreached().nearer(np.ones(3, dtype=np.float32), 1.0) == []
