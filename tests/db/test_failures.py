from datetime import UTC, datetime, timedelta

from db.database import Database
from db.failures import Failure
from db.photo import Photo
from tests.conftest import filled, unit_vectors

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def failure(photo: str, reason: str = "HTTP 404", after: int = 0) -> Failure:
    return Failure(photo, f"https://host/{photo}", reason, True, AT + timedelta(seconds=after))


def test_what_was_recorded_comes_back(database: Database) -> None:
    _, table, _ = filled(database, 3)
    assert database.failures.of(table) == {}
    hostile = Failure(
        "a'b\\\n\t%(x)s", "https://host/{q:String}'\x00", 'it\'s "gone" 🐶', False, AT
    )
    database.failures.add("unsplash_25k", [failure("gone"), hostile])
    assert database.failures.of(table) == {"gone": failure("gone"), hostile.id: hostile}


def test_a_photos_latest_failure_counts(database: Database) -> None:
    _, table, _ = filled(database, 3)
    database.failures.add("unsplash_25k", [failure("a", "HTTP 404", after=9)])
    # Though the clock was set back.
    database.failures.add("unsplash_25k", [failure("a", "HTTP 410")])
    assert database.failures.of(table) == {"a": failure("a", "HTTP 410")}


def test_a_photo_that_came_in_since_is_no_failure(database: Database) -> None:
    _, table, _ = filled(database, 3)
    database.failures.add("unsplash_25k", [failure("late"), failure("never")])
    table.add([Photo("late", "https://host/late")], unit_vectors(1))
    assert list(database.failures.of(table)) == ["never"]


def test_collections_are_kept_apart_and_forgotten_with_their_photos(database: Database) -> None:
    collection, table, _ = filled(database, 3)
    _, other, _ = filled(database, 3, "other")
    for name in ("unsplash_25k", "other"):
        database.failures.add(name, [failure(f"in {name}")])
    assert list(database.failures.of(table)) == ["in unsplash_25k"]
    database.drop(collection)
    _, again, _ = filled(database, 3)
    assert database.failures.of(again) == {}
    assert list(database.failures.of(other)) == ["in other"]
