"""What is sent twice counts once: a client whose answer was lost sends again."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from db.database import Database
from db.photos import Filter
from db.sessions import LABELLING, LabelRow, RoundRow, SessionRow
from tests.conformance.conftest import built
from tests.conftest import filled, photo_ids


def test_a_block_of_photos_that_came_twice_is_there_once(database: Database) -> None:
    _, table, vectors = filled(database, 600)
    table.build_index()
    photos = [found.photo for found in table.get(photo_ids(600)[:200])]
    table.add(photos, vectors[:200])
    assert table.count() == 800
    for place in (0, 50, 150):
        nearest = np.argsort(-(vectors @ vectors[place]))[1:6]
        shown = table.search(vectors[place], 5, photo_ids(600)[place : place + 1])
        assert [hit.photo.id for hit in shown] == [f"photo-{row:05d}" for row in nearest]
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
    shown = RoundRow("s", 1, np.ones(512, dtype=np.float32), ("photo",), sequence=4)
    for _ in range(2):
        sessions.add(row)
        sessions.add_round(shown)
        sessions.add_labels([label])
        sessions.add_labels([undo])
    assert [summary.row.id for summary in database.listed.recent("mine")] == ["s"]
    assert sessions.labels("s") == [label, undo]
    assert [found.round for found in sessions.rounds("s")] == [1]


def test_of_two_rounds_that_two_processes_gave_one_number_none_is_lost(
    database: Database,
) -> None:
    for photo in ("first", "second"):
        row = RoundRow("s", 1, np.ones(512, dtype=np.float32), (photo,))
        assert database.sessions.add_round(row).sequence
    found = database.sessions.rounds("s")
    assert [(row.round, row.photos) for row in found] == [(1, ("first",)), (2, ("second",))]


def test_what_two_processes_change_of_one_session_both_stands(database: Database) -> None:
    row = SessionRow("s", "mine", "f", "a lake", 9)
    added = database.sessions.add(row)
    renamed = database.sessions.update("s", name="Lakes")
    shared = database.sessions.update("s", shared=LABELLING)
    assert renamed is not None
    assert added.sequence < renamed.sequence
    assert (shared, shared and shared.name) == (database.sessions.find("s"), "Lakes")
    both = [replace(renamed, name=name, sequence=0) for name in ("One", "Two")]
    for state in both:  # as processes do that looked before either had written
        database.sessions.add(state)
    found = database.sessions.find("s")
    assert found is not None
    assert (found.name, found.version) == ("Two", 1)
    assert database.listed.recent("mine")[0].row == found
    database.sessions.update("s", deleted=True)
    assert database.sessions.update("s", name="Three") is None
    assert database.sessions.stored("s").deleted
