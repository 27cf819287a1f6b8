"""Rows that go while a load ends: what is counted is what is there."""

from typing import Any

import pytest

from db.counts import Counts
from db.database import Database
from db.merges import Merges
from db.rows import Rows
from tests.conftest import filled, photo_ids


def test_a_load_that_ends_during_a_deletion_counts_no_photo_that_goes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection, table, _ = filled(database, 30)
    run = Merges.run

    def meanwhile(merges: Merges, *statement: Any, **options: Any) -> bool:
        table.drop_doubles()  # as at the end of another load
        return run(merges, *statement, **options)

    monkeypatch.setattr(Merges, "run", meanwhile)
    database.remove(collection, photo_ids(30)[:7])
    assert table.count() == 23
    assert database.damage() == []
    assert Counts(database.connection).all() == {table.name: 23}


def test_a_deletion_hides_no_loss_that_was_there(database: Database) -> None:
    collection, table, _ = filled(database, 30)
    lost = tuple(photo_ids(30)[:4])
    database.connection.command(
        f"ALTER TABLE {table.name} DELETE WHERE id IN %(lost)s SETTINGS mutations_sync = 2",
        {"lost": lost},
    )
    database.remove(collection, photo_ids(30)[10:15])
    Rows(database.connection, table).remove(["nowhere"])
    assert [line.split(":")[0] for line in database.damage()] == [
        "4 of 25 photos of unsplash_25k are missing"
    ]
