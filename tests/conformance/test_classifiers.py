import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from db.classifiers import SavedClassifier
from db.database import Database
from db.errors import ExplorerError


def saved(identity: str, name: str, collection: str = "c") -> SavedClassifier:
    weight = np.eye(1, 512, dtype=np.float32)[0]
    return SavedClassifier(
        identity, name, collection, "m", "f", "a prompt", "s", "article", 3, 4, 5, weight
    )


def names(database: Database) -> list[str]:
    return [classifier.name for classifier in database.classifiers.all()]


def test_a_classifier_comes_back_whole(database: Database) -> None:
    classifier = saved("1", "it's \\ a %s name")
    database.classifiers.save(classifier)
    (stored,) = database.classifiers.all()
    assert (stored.name, stored.ups, stored.downs, stored.rounds) == (classifier.name, 4, 5, 3)
    assert np.array_equal(stored.weight, classifier.weight)
    assert stored.weight.dtype == np.float32


def test_renaming_keeps_one_classifier(database: Database) -> None:
    database.classifiers.save(saved("1", "first"))
    database.classifiers.save(saved("2", "other"))
    for name in ("second", "First"):
        first = next(c for c in database.classifiers.all() if c.id == "1")
        database.classifiers.rename(first, name)
    assert sorted(names(database)) == ["First", "other"]


def test_renaming_does_not_shift_the_date(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        database.classifiers.save(saved("1", "first"))
        (before,) = database.classifiers.all()
        database.classifiers.rename(before, "second")
        (after,) = database.classifiers.all()
    finally:
        monkeypatch.undo()
        time.tzset()
    assert after.created == before.created
    assert abs(after.created - datetime.now(UTC)) < timedelta(hours=1)


def test_a_deleted_classifier_is_off_the_list_and_its_name_is_free(database: Database) -> None:
    database.classifiers.save(saved("1", "lakes"))
    database.classifiers.delete(database.classifiers.all()[0])
    assert names(database) == []
    database.classifiers.save(saved("2", "lakes"))
    assert names(database) == ["lakes"]


def test_a_name_is_taken_once_a_collection(database: Database) -> None:
    database.classifiers.save(saved("1", "Lakes"))
    with pytest.raises(ExplorerError, match="named 'lakes' is there already"):
        database.classifiers.save(saved("2", "lakes"))
    database.classifiers.save(saved("3", "lakes", collection="other"))


@pytest.mark.parametrize("name", ["", " \n ", "x" * 81])
def test_a_useless_name_is_refused(database: Database, name: str) -> None:
    with pytest.raises(ExplorerError, match="a name of 1 to 80 characters"):
        database.classifiers.save(saved("1", name))
