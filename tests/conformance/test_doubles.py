"""What is sent twice counts once: a client whose answer was lost sends again."""

from datetime import UTC, datetime

import numpy as np
import pytest

from db.database import Database
from db.photos import Filter
from db.sessions import LabelRow, RoundRow, SessionRow
from tests.conformance.conftest import built
from tests.conftest import filled, photo_ids


def test_a_block_of_photos_that_came_twice_is_there_once(database: Database) -> None:
    _, table, vectors = filled(database, 600)
    table.build_index()
    photos = [found.photo for found in table.get(photo_ids(600)[:200])]
    table.add(photos, vectors[:200])
    assert table.count() == 800
    table.drop_doubles()
    table.build_index()
    assert table.count() == len(table.ids()) == 600
    assert table.index_state().state == built(database)
    for query in vectors[::60]:
        found = table.search(query, 9)
        assert len({hit.photo.id for hit in found}) == 9
        assert found[0].distance == pytest.approx(0, abs=1e-5)


def test_a_table_without_doubles_is_left_alone(database: Database) -> None:
    _, table, _ = filled(database, 50)
    table.drop_doubles()
    assert table.count() == 50


def test_a_session_that_was_stored_twice_is_one(database: Database) -> None:
    sessions = database.sessions
    row = SessionRow("s", "mine", "f", "a lake", 9, Filter(), "checked", datetime.now(UTC))
    label = LabelRow("s", 5, 5, 0, "photo", 1, 1)
    undo = LabelRow("s", 6, 6, 5, "photo", -1, 1)
    shown = RoundRow("s", 1, np.ones(512, dtype=np.float32), ("photo",))
    for _ in range(2):
        sessions.add(row)
        sessions.add_round(shown)
        sessions.add_labels([label])
        sessions.add_labels([undo])
    assert [summary.row.id for summary in sessions.recent("mine")] == ["s"]
    assert sessions.labels("s") == [label, undo]
    assert [found.round for found in sessions.rounds("s")] == [1]


def test_of_two_rounds_of_one_number_the_later_one_counts(database: Database) -> None:
    for photo in ("first", "second"):
        row = RoundRow("s", 1, np.ones(512, dtype=np.float32), (photo,))
        database.sessions.add_round(row)
    assert [found.photos for found in database.sessions.rounds("s")] == [("second",)]
