"""Loads that start together make one collection, which has its name all the time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.collections import Collection, Collections
from db.connection import Connection
from db.database import Database
from db.photos import PhotoTable

OURS = Collection("mine", "a-model", "a-fingerprint", "a test")


def test_a_load_that_starts_beside_another_never_takes_its_collections_name_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.collections.open(OURS)  # the other load's
    late = replace(OURS, created=OURS.created + timedelta(milliseconds=3))
    run, names = Connection.command, []

    def watched(connection: Connection, sql: str, parameters: Any = None) -> Any:
        answer = run(connection, sql, parameters)
        names.append(int(run(connection, "SELECT count() FROM collections")))
        return answer

    with monkeypatch.context() as patch:
        # As it looked a moment before.
        patch.setattr(Collections, "find", lambda *_: None)
        patch.setattr(PhotoTable, "exists", lambda _: False)
        patch.setattr(Connection, "command", watched)
        database.collections.open(late)
    assert names
    assert min(names) >= 1
    found = database.collections.find("mine")
    assert found is not None
    assert found.model == "a-model"


def test_a_name_that_was_left_over_is_not_the_new_collections(database: Database) -> None:
    old = replace(OURS, model="another", created=datetime(2026, 1, 1, tzinfo=UTC))
    for _ in range(2):
        database.connection.insert("collections", vars(old))
    database.collections.open(OURS)
    rows = database.connection.rows("SELECT model FROM collections")
    assert [row["model"] for row in rows] == ["a-model"]
