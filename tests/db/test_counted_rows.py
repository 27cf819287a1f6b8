"""Rows that go while a load ends: what is counted is what is there."""

from typing import Any

import pytest

from db.audit import AUDIT, Entry
from db.counts import Counts
from db.database import Database
from db.merges import Merges
from db.rows import Rows
from tests.clickhouse_server import Dress
from tests.conftest import filled, photo_ids
from tests.db.conftest import Open


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


def test_what_was_sent_twice_since_no_answer_came_counts_once(opened: Open) -> None:
    database, server = opened(Dress())
    server.lose_answer_to = "INSERT INTO `counts`"
    _, table, _ = filled(database, 30)
    assert server.lose_answer_to == ""
    assert database.damage() == []
    assert Counts(database.connection).all() == {table.name: 30}
    server.lose_answer_to = f"INSERT INTO `{AUDIT.name}`"
    database.audit.add(Entry("ann", "load", "photos"))
    assert server.lose_answer_to == ""
    assert database.audit.count() == len(database.audit.latest(9)) == 1


def test_what_two_loads_put_right_at_once_is_put_right_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(database, 30)
    counts = Counts(database.connection)
    write, found = Counts._write, []
    with monkeypatch.context() as patch:
        patch.setattr(Counts, "_write", lambda _, *row: found.append(row))
        for _ in range(2):
            counts.settle("unsplash_25k", 20)
    for row in found:
        write(counts, *row)
    assert counts.all() == {"unsplash_25k": 20}
    counts.settle("unsplash_25k", 25)
    counts.settle("unsplash_25k", 25)
    assert counts.all() == {"unsplash_25k": 25}
