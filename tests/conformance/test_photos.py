"""What a photo table promises, on every engine."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from db.collections import Collection, Collections
from db.database import Database, open_database
from db.errors import ExplorerError
from db.photo import Photo
from db.photos import Filter, PhotoTable
from tests.conformance.conftest import NewUrl, built
from tests.conftest import filled, photo_ids, unit_vectors

Matrix = npt.NDArray[np.float32]
ROWS = 6000


@pytest.fixture(scope="module")
def indexed(new_url: NewUrl) -> Iterator[tuple[PhotoTable, Matrix]]:
    """A table large enough for its index to be asked, and its vectors."""
    database = open_database(new_url())
    _, table, vectors = filled(database, ROWS)
    table.build_index()
    yield table, vectors
    database.close()


def nearest(vectors: Matrix, query: Matrix) -> list[str]:
    """All ids, nearest first, by an exact scan."""
    ids = photo_ids(len(vectors))
    return [ids[place] for place in np.argsort(-(vectors @ query), kind="stable")]


@pytest.mark.parametrize("excluded", [0, 9, 200, 900, 2000])
def test_search_finds_what_an_exact_scan_finds(
    indexed: tuple[PhotoTable, Matrix], excluded: int
) -> None:
    table, vectors = indexed
    hits = 0
    # All over the collection: an index misses a photo here and there, which must not count often.
    queries = vectors[::300] + np.random.default_rng(7).normal(size=(20, 512)).astype("f4") / 30
    for query in queries:
        exact = nearest(vectors, query)
        found = table.search(query, 9, exact[:excluded])
        assert len(found) == 9
        hits += len({n.photo.id for n in found} & set(exact[excluded : excluded + 9]))
    assert hits / (9 * len(queries)) >= 0.98


def test_neighbours_carry_facts_vectors_and_distances(
    indexed: tuple[PhotoTable, Matrix],
) -> None:
    table, vectors = indexed
    found = table.search(vectors[10], 3)
    assert found[0].photo == Photo(
        id="photo-00010",
        url="sample:photo-00010",
        country="Peru",
        photographer="Person 2",
        keywords=("lake", "boat"),
    )
    for neighbour in found:
        row = int(neighbour.photo.id[-5:])
        assert neighbour.vector.dtype == np.float32
        assert np.array_equal(neighbour.vector, vectors[row])
        assert neighbour.distance == pytest.approx(1 - vectors[row] @ vectors[10], abs=1e-5)
    assert [n.distance for n in found] == sorted(n.distance for n in found)


def test_the_length_of_the_query_does_not_matter(indexed: tuple[PhotoTable, Matrix]) -> None:
    table, vectors = indexed
    short = table.search(vectors[5] * np.float32(1e-6), 9)
    assert [n.photo.id for n in short] == [n.photo.id for n in table.search(vectors[5], 9)]


def test_a_filter_is_exact_and_combines_with_exclusion(
    indexed: tuple[PhotoTable, Matrix],
) -> None:
    table, vectors = indexed
    query = unit_vectors(1, seed=3)[0]
    only = Filter(countries=("Peru", "Norway"), keywords=("tree's",))
    passing = [
        photo
        for photo in nearest(vectors, query)
        if int(photo[-5:]) % 3 != 2 and int(photo[-5:]) % 5 != 0
    ]
    found = table.search(query, 9, passing[:20], only)
    assert [n.photo.id for n in found] == passing[20:29]
    by_person = table.search(query, 9, only=Filter(photographers=("Person 3",)))
    assert {n.photo.photographer for n in by_person} == {"Person 3"}


def test_there_are_k_rows_while_k_exist(indexed: tuple[PhotoTable, Matrix]) -> None:
    table, vectors = indexed
    exact = nearest(vectors, vectors[0])
    assert len(table.search(vectors[0], 36, exact[: ROWS - 36])) == 36
    left = table.search(vectors[0], 36, exact[: ROWS - 4])
    assert [n.photo.id for n in left] == exact[-4:]
    assert table.search(vectors[0], 9, exact) == []


def test_rows_added_after_the_index_are_found(database: Database) -> None:
    _, table, _ = filled(database, 300)
    table.build_index()
    late = unit_vectors(1, seed=99)
    table.add([Photo("late", "sample:late")], late)
    assert table.search(late[0], 1)[0].photo.id == "late"
    assert table.search(late[0], 1, ["late"])[0].photo.id != "late"


def test_the_table_starts_with_the_articles_columns_and_keeps_its_constraint(
    database: Database,
) -> None:
    _, table, _ = filled(database, 3)
    columns = database.connection.rows(f"DESCRIBE TABLE {table.name}")
    assert [(c["name"], c["type"]) for c in columns[:3]] == [
        ("id", "String"),
        ("url", "String"),
        ("vector", "Array(Float32)"),
    ]
    with pytest.raises(ExplorerError, match=r"The database failed: .*vec_len"):
        database.connection.insert(table.name, {"id": "x", "url": "u", "vector": [1.0]})


def test_vectors_of_another_shape_are_refused_before_they_are_sent(database: Database) -> None:
    _, table, _ = filled(database, 1)
    with pytest.raises(ExplorerError, match=r"shape \(1, 768\): unsplash_25k holds 512 numbers"):
        table.add([Photo("x", "u")], np.zeros((1, 768), dtype=np.float32))
    bad = [np.zeros(512, "f4"), np.full(512, np.nan, "f4"), np.ones(768, "f4")]
    for query in bad:
        with pytest.raises(ExplorerError, match="A search needs 512 finite numbers"):
            table.search(query, 9)


def test_rows_that_were_deleted_by_sql_are_never_found_nor_in_the_way(database: Database) -> None:
    _, table, vectors = filled(database, 2500)
    table.build_index()
    rows = database.connection.dialect.layout.rows(table.name)
    database.connection.command(f"DELETE FROM {rows} WHERE cityHash64(id) % 3 = 0")
    left = table.ids()
    assert 1500 < len(left) < 1800
    for share in (1, 0.95):
        hits = 0
        for query in vectors[::250]:
            exact = [photo for photo in nearest(vectors, query) if photo in left]
            found = {hit.photo.id for hit in table.search(query, 9, exact[:3])}
            assert len(found) == 9
            hits += len(found & set(exact[3:12]))
        assert hits >= share * 90
        table.build_index()  # anew, so that it may be asked again


def test_the_index_state_follows_the_index(database: Database) -> None:
    _, table, _ = filled(database, 400)
    assert table.index_state().state == "none"
    table.build_index()
    assert table.index_state().state == built(database)
    table.build_index()
    assert table.index_state().state == built(database)


def test_get_keeps_the_order_asked_for(database: Database) -> None:
    _, table, _ = filled(database, 20)
    wanted = ["photo-00007", "missing", "photo-00002"]
    assert [n.photo.id for n in table.get(wanted)] == ["photo-00007", "photo-00002"]
    assert table.get([]) == []


def test_scores_rank_the_whole_collection(database: Database) -> None:
    _, table, vectors = filled(database, 200)
    ids, scores = table.scores(vectors[8] * 3)
    assert ids[0] == "photo-00008"
    assert scores.dtype == np.float32
    exact = vectors @ vectors[8]
    assert np.allclose(scores, [exact[int(photo[-5:])] for photo in ids], atol=1e-5)
    assert np.all(np.diff(scores) <= 0)


def test_common_facts_come_most_frequent_first(database: Database) -> None:
    _, table, _ = filled(database, 50)
    assert table.common("keyword") == ["tree's", "boat", "lake"]
    assert table.common("country") == ["Norway", "Peru"]
    assert table.common("photographer", 2) == ["Person 0", "Person 1"]


def test_random_photos_and_urls(database: Database) -> None:
    _, table, _ = filled(database, 30)
    drawn = table.random(10)
    assert len({photo.id for photo in drawn}) == 10
    assert {photo.id for photo in drawn} <= set(photo_ids(30))
    assert table.urls()["photo-00004"] == "sample:photo-00004"
    assert len(table.random(99)) == 30


def test_hostile_facts_come_back_as_they_went_in(database: Database) -> None:
    hostile = 'it\'s \\ "q" `b` %s %(x)s \n\t\0; DROP TABLE labels -- 😀'
    photo = Photo(hostile, hostile, hostile, hostile, hostile, hostile, 1, 2, hostile, (hostile,))
    _, table, _ = filled(database, 20)
    vector = unit_vectors(1, seed=5)
    table.add([photo], vector)
    assert table.search(vector[0], 1)[0].photo == photo
    assert (
        table.search(vector[0], 1, only=Filter((hostile,), (hostile,), (hostile,)))[0].photo
        == photo
    )
    assert table.search(vector[0], 1, [hostile])[0].photo.id != hostile
    assert table.get([hostile])[0].photo == photo


def test_dropping_a_collection_leaves_nothing(database: Database) -> None:
    collection, _, _ = filled(database, 5)
    database.collections.drop(collection)
    assert database.collections.all() == []
    again, table, _ = filled(database, 2)
    assert database.collections.all()[0].name == again.name
    assert table.count() == 2


@pytest.mark.parametrize("name", ["labels", "Sessions", "collections"])
def test_the_explorers_own_tables_are_not_for_photos(database: Database, name: str) -> None:
    with pytest.raises(ExplorerError, match="one of the explorer's own tables"):
        database.collections.open(Collection(name, "m", "f", "s"))


def test_a_table_that_no_collection_describes_is_left_alone(database: Database) -> None:
    database.connection.command(
        "CREATE TABLE unsplash_25k (id String, url String, vector Array(Float32)) "
        "ENGINE = MergeTree ORDER BY id"
    )
    with pytest.raises(ExplorerError, match="A table unsplash_25k is there already"):
        database.collections.open(Collection("unsplash_25k", "m", "f", "s"))
    assert database.collections.all() == []


def test_a_table_whose_name_another_load_is_about_to_write_is_waited_for(
    database: Database,
) -> None:
    collection, _, _ = filled(database, 3)
    row = database.connection.rows("SELECT * FROM collections")[0]
    database.connection.command(
        "ALTER TABLE collections DELETE WHERE 1 SETTINGS mutations_sync = 2"
    )

    def written_meanwhile(_: float) -> None:
        database.connection.insert("collections", row)

    waiting = Collections(replace(database.connection, sleep=written_meanwhile))
    assert waiting.open(collection).count() == 3


def test_a_deletion_that_was_cut_off_leaves_the_name_free(database: Database) -> None:
    _, table, _ = filled(database, 3)
    table.drop()
    assert database.collections.all() == []
    database.collections.open(Collection("unsplash_25k", "another", "f", "s"))
    assert [c.model for c in database.collections.all()] == ["another"]


def test_another_models_vectors_are_refused(database: Database) -> None:
    filled(database, 1)
    with pytest.raises(ExplorerError, match="made with a-model, not other: use --model a-model"):
        database.collections.open(Collection("unsplash_25k", "other", "f", "s"))
    with pytest.raises(ExplorerError, match="a-model has changed since"):
        database.collections.open(Collection("unsplash_25k", "a-model", "retrained", "s"))
