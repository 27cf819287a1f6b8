import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from db.arrivals import arrived, latest_arrival
from db.classifiers import SavedClassifier
from db.database import Database
from db.errors import ExplorerError
from db.rows import Rows
from tests.conftest import filled, unit_vectors


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


def test_a_name_is_a_line_of_letters(database: Database) -> None:
    database.classifiers.save(saved("1", " a\x01\x1b[2J\n\tb\x7f "))
    assert names(database) == ["a[2J b"]
    assert database.classifiers.named("c", "A[2j  b") is not None


@pytest.mark.parametrize("name", ["", " \n ", "\x01\x1b", "\u200b \u2060", "x" * 81])
def test_a_useless_name_is_refused(database: Database, name: str) -> None:
    with pytest.raises(ExplorerError, match="a name of 1 to 80 characters"):
        database.classifiers.save(saved("1", name))


def fit(place: int, threshold: float | None = None) -> SavedClassifier:
    weight = np.eye(1, 512, place, dtype=np.float32)[0]
    return replace(saved("another", "another"), weight=weight, ups=place, threshold=threshold)


def test_versions_are_kept_counted_on_and_taken_back(database: Database) -> None:
    classifiers = database.classifiers
    classifiers.save(saved("1", "lakes"))
    (first,) = classifiers.all()
    assert (first.number, first.threshold) == (1, None)
    second = classifiers.add_version(first, fit(7, 0.25))
    assert (second.id, second.name, second.number) == ("1", "lakes", 2)
    (current,) = classifiers.all()
    assert (current.ups, current.threshold, current.created) == (7, 0.25, first.created)
    classifiers.rename(current, "ponds")
    versions = classifiers.versions(classifiers.all()[0])
    assert [(v.number, v.name, v.ups) for v in versions] == [(2, "ponds", 7), (1, "ponds", 4)]
    classifiers.use(versions[1])
    assert [(c.name, c.number, c.ups) for c in classifiers.all()] == [("ponds", 1, 4)]
    assert len(classifiers.versions(first)) == 2
    third = classifiers.add_version(classifiers.all()[0], fit(9))
    assert third.number == 3, "a version that was taken back keeps its number"
    assert [v.number for v in classifiers.versions(third)] == [3, 2, 1]
    classifiers.delete(third)
    assert classifiers.find("1") is None


def test_a_session_is_known_by_each_version_that_it_made(database: Database) -> None:
    classifiers = database.classifiers
    classifiers.save(replace(saved("1", "lakes"), session="first"))
    classifiers.save(replace(saved("2", "ponds"), session="first"))
    classifiers.save(replace(saved("3", "gone"), session="first"))
    classifiers.delete(classifiers.find("3") or saved("3", "gone"))
    lakes = classifiers.find("1")
    assert lakes is not None
    classifiers.add_version(lakes, replace(fit(7), session="second"))
    made = {
        session: {(one.name, one.number, own) for one, own in found}
        for session, found in classifiers.by_session().items()
    }
    assert made == {"first": {("lakes", 2, 1), ("ponds", 1, 1)}, "second": {("lakes", 2, 2)}}


def test_versions_that_are_made_at_once_are_all_kept(database: Database) -> None:
    database.classifiers.save(saved("1", "lakes"))
    (first,) = database.classifiers.all()
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda n: database.classifiers.add_version(first, fit(n)), range(4)))
    assert sorted(version.number for version in made) == [2, 3, 4, 5]
    assert len(database.classifiers.versions(first)) == 5


def test_a_name_is_found_in_capitals_or_not_and_a_free_one_is_proposed(
    database: Database,
) -> None:
    database.classifiers.save(saved("1", "Lakes"))
    database.classifiers.save(saved("2", "lakes 2"))
    found = database.classifiers.named("c", " LAKES ")
    assert found is not None
    assert found.id == "1"
    assert database.classifiers.named("other", "lakes") is None
    assert database.classifiers.unused("c", "lakes") == "lakes 3"
    long = "x" * 80
    assert database.classifiers.unused("c", long) == "x" * 78 + " 2"


def test_photos_that_came_in_since_a_version_was_saved_are_known(database: Database) -> None:
    _, table, _ = filled(database, 5)
    database.classifiers.save(saved("1", "lakes", table.name))
    (first,) = database.classifiers.all()
    assert arrived(database.connection, table.name, first.seen) == set()
    before = table.get(sorted(table.ids()))
    news = [replace(before[0].photo, id=f"new-{n}") for n in range(3)]
    table.add(news, unit_vectors(3, seed=9))
    changed = replace(before[1].photo, description="another")
    Rows(database.connection, table).replace([changed], unit_vectors(1, seed=8))
    assert arrived(database.connection, table.name, first.seen) == {"new-0", "new-1", "new-2"}
    second = database.classifiers.add_version(first, replace(fit(1), collection=table.name))
    assert arrived(database.connection, table.name, second.seen) == set()


def test_photos_come_in_one_after_another_though_the_clock_is_set_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, table, _ = filled(database, 2)
    seen = latest_arrival(database.connection, table.name)
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    (one,) = table.get(sorted(table.ids())[:1])
    table.add([replace(one.photo, id="new")], unit_vectors(1))
    assert arrived(database.connection, table.name, seen) == {"new"}
