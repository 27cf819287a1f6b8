import numpy as np
import pytest

from classifier.session import Session
from db.classifiers import SavedClassifier
from db.database import Database
from db.errors import ExplorerError
from ingest.deletion import delete
from tests.conftest import TextTower, filled


def test_what_hangs_on_a_collection_is_said_before_it_is_deleted(database: Database) -> None:
    collection, _, _ = filled(database, 20)
    tower = TextTower()
    session = Session.start(database, collection, tower, "a boat")  # type: ignore[arg-type]
    weight = np.eye(1, 512, dtype=np.float32)[0]
    saved = SavedClassifier(
        *("1", "Red boats", collection.name, "m", "f", "a boat", session.row.id, "article"),
        *(1, 1, 1, weight),
    )
    database.classifiers.save(saved)
    view = database.views.publish(saved, 0.5)
    with pytest.raises(ExplorerError) as refused:
        delete(database, collection.name, sure=False)
    assert str(refused.value) == (
        f"{collection.name} is not deleted, since 1 view would go with it ({view.name}); "
        "1 classifier would have nothing to rank (Red boats); 1 session could not be gone on with: "
        "add --yes to delete it"
    )
    assert database.collections.all()
    delete(database, collection.name, sure=True)
    assert not database.collections.all()


def test_what_nothing_hangs_on_is_deleted_at_once(database: Database) -> None:
    collection, _, _ = filled(database, 20)
    delete(database, collection.name, sure=False)
    assert not database.collections.all()


def test_a_collection_that_is_not_there_is_one_line(database: Database) -> None:
    with pytest.raises(ExplorerError, match="There is no collection mine: python -m ingest status"):
        delete(database, "mine", sure=True)
