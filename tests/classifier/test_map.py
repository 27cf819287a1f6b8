from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from classifier.map.job import Mapper
from classifier.map.layout import lay_out
from db.database import Database
from db.errors import ExplorerError
from db.maps import Maps
from tests.conftest import filled, unit_vectors


@pytest.fixture
def mapper(database: Database, tmp_path: Path) -> Iterator[Mapper]:
    made = Mapper(database, Maps(tmp_path / "maps"))
    yield made
    if made.job is not None:
        made.job.stop()
        made.job.wait(60)
        assert not made.job.running
    made.maps.close()


def test_a_map_keeps_neighbours_and_is_the_same_each_time() -> None:
    vectors = unit_vectors(300, seed=4)
    told: list[float] = []
    places = lay_out(vectors, told.append)
    assert places.shape == (300, 2)
    assert places.dtype == np.float32
    assert (places.min(axis=0) == 0).all()
    assert (places.max(axis=0) == 1).all()
    by_chance = np.random.default_rng(0).random((300, 2))
    assert trustworthiness(vectors, by_chance, n_neighbors=10) < 0.6
    assert trustworthiness(vectors, places, n_neighbors=10) > 0.75
    assert told == sorted(told)
    assert len(told) > 10
    assert told[-1] == 1
    assert (lay_out(vectors) == places).all()


@pytest.mark.parametrize("n", [0, 1, 2, 4, 5, 6, 40])
def test_few_and_equal_vectors_have_places_too(n: int) -> None:
    vectors = unit_vectors(n, seed=2)
    places = lay_out(np.repeat(vectors, 3, axis=0))
    assert places.shape == (3 * n, 2)
    assert np.isfinite(places).all()
    assert (places[::3] == places[1::3]).all(), "equal vectors lie on one another"
    assert len(np.unique(places, axis=0)) == n, "others don't"


def test_a_map_is_made_beside_the_app_and_stored(mapper: Mapper, database: Database) -> None:
    collection, table, _ = filled(database, 60)
    job = mapper.start(collection)
    with pytest.raises(ExplorerError, match="unsplash_25k is being laid out: wait until"):
        mapper.start(collection)
    job.wait(100)
    assert (job.running, job.error, job.done) == (False, "", 1)
    made = mapper.maps.get(collection)
    assert made is not None
    assert set(made.ids) == table.ids()
    assert made.places.shape == (60, 2)


def test_a_map_that_is_stopped_leaves_none(mapper: Mapper, database: Database) -> None:
    collection, _, _ = filled(database, 600)
    job = mapper.start(collection)
    job.stop()
    job.wait(60)
    assert (job.running, job.error) == (False, "")
    assert mapper.maps.get(collection) is None


def test_a_map_whose_process_fails_says_why(
    mapper: Mapper, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    collection, _, _ = filled(database, 60)
    monkeypatch.setattr("classifier.map.job.ROOT", tmp_path)
    job = mapper.start(collection)
    job.wait(60)
    assert "unsplash_25k could not be laid out: " in job.error
    assert "No module named" in job.error
    assert job.error.endswith(". Try again, or see that there is enough memory")


def test_a_collection_without_photos_is_not_laid_out(mapper: Mapper, database: Database) -> None:
    collection, _, _ = filled(database, 0)
    job = mapper.start(collection)
    job.wait(60)
    assert job.error == "unsplash_25k holds no photos: load some before it is laid out"
