"""What was read is in the table after some seconds, however few photos they are."""

import time
from pathlib import Path
from typing import Any

import pytest

from db.database import Database
from ingest.pipeline import Order, load
from ingest.sources import FolderSource
from ingest.streak import Skip
from ingest.writer import BLOCK, PERIOD, Writer
from tests.conftest import filled, unit_vectors
from tests.ingest.photos import write_photos

PATIENCE = 60  # seconds after which a test gives up


class Clock:
    """Stands still until it is turned."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_block_is_written_when_it_is_full_or_has_waited(database: Database) -> None:
    _, table, _ = filled(database, 1)
    clock = Clock()
    photos = [found.photo for found in table.get(["photo-00000"])]

    def add(writer: Writer, n: int = 1) -> None:
        writer.expect()
        writer.add(photos * n, unit_vectors(n), {})
        writer._wait()

    with Writer(database, table, clock=clock) as writer:
        assert not writer.is_due
        add(writer)
        clock.now += PERIOD - 0.1
        add(writer)
        assert (writer.added, writer.is_due) == (0, False)
        clock.now += 0.1
        assert writer.is_due
        add(writer)
        assert (writer.added, writer.is_due) == (3, False)
        clock.now += 100 * PERIOD
        assert not writer.is_due, "nothing waits"
        add(writer, BLOCK)
        assert writer.added == 3 + BLOCK
    assert PERIOD <= 10


def test_failures_do_not_wait_either(database: Database) -> None:
    _, table, _ = filled(database, 1)
    clock = Clock()
    photo = table.random(1)[0]
    with Writer(database, table, clock=clock) as writer:
        writer.note([Skip(photo, "gone", final=True)])
        clock.now += PERIOD
        assert writer.is_due


class StuckSource(FolderSource):
    """The last photo comes only once the others are in the table."""

    workers = 2

    def __init__(self, folder: Path, database: Database) -> None:
        super().__init__(folder)
        self.database = database
        self.rows = 0

    def read(self, photo: Any, size: int) -> Any:
        end = time.monotonic() + PATIENCE
        while "009" in photo.url and self.rows < 9 and time.monotonic() < end:
            (collection,) = self.database.collections.all()
            self.rows = self.database.collections.photos(collection).count()
            time.sleep(0.05)
        return super().read(photo, size)


def test_photos_that_were_read_do_not_wait_for_one_that_hangs(
    database: Database, tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.writer.PERIOD", 0.2)
    source = StuckSource(write_photos(tmp_path / "photos", 10), database)
    order = Order(source, "mine", model, model)
    report = load(order, database, None, lambda _: None, lambda _: None)
    assert source.rows == 9
    assert (report.rows, report.added, report.skipped) == (10, 10, [])
