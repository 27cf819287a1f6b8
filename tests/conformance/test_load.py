"""A whole load, on every engine."""

from pathlib import Path

import pytest

from db.database import Database
from ingest.pipeline import Order, load
from ingest.sources import FolderSource
from tests.checkpoints import make_checkpoint
from tests.conformance.conftest import after_building
from tests.ingest.photos import write_photos


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a CLIP with random weights."""
    return str(make_checkpoint(tmp_path_factory.mktemp("models") / "tiny"))


def test_a_folder_that_is_loaded_twice_is_there_once(
    database: Database, tmp_path: Path, model: str
) -> None:
    folder = write_photos(tmp_path / "photos", 10)
    order = Order(FolderSource(folder), "mine", model, model)
    reports = [load(order, database, None, lambda _: None, lambda _: None) for _ in range(2)]
    assert [(report.added, report.present) for report in reports] == [(10, 0), (0, 10)]
    (collection,) = database.collections.all()
    table = database.collections.photos(collection)
    assert table.count() == len(table.ids()) == 10
    assert table.index_state().state == after_building(database)
    for found in table.get(sorted(table.ids())):
        assert table.search(found.vector, 1)[0].photo == found.photo
