from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Event

import pytest
from PIL import Image

from db.database import Database
from db.errors import ExplorerError
from db.photo import Photo
from db.thumbnails import Thumbnails
from ingest.archive import Tell
from ingest.job import MOST, Loader
from ingest.pipeline import Order
from ingest.sources import FolderSource, Keyed
from tests.ingest.photos import write_broken

PATIENCE = 100  # seconds after which a test gives up


class Gated(Keyed):
    """Two photos that can be read once the gate is open."""

    name = root = "a gate"
    workers = 1

    def __init__(self) -> None:
        self.gate = Event()
        self.asked = Event()

    def photos(self, tell: Tell) -> Sequence[Photo]:
        return [Photo(id="a", url="https://host/a"), Photo(id="b", url="https://host/b")]

    def read(self, photo: Photo, side: int) -> Image.Image:
        self.asked.set()
        assert self.gate.wait(PATIENCE)
        return Image.new("RGB", (side, side), (len(photo.id), 2, 3))


class Failing(Gated):
    """A source that fails as nothing should once it was listed."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def ahead(self, photos: Sequence[Photo]) -> AbstractContextManager[None]:
        raise self._error


@pytest.fixture
def loader(database: Database, thumbnails: Thumbnails) -> Loader:
    return Loader(database, thumbnails)


@pytest.fixture
def gated() -> Iterator[Gated]:
    source = Gated()
    yield source
    source.gate.set()


def test_a_job_loads_and_reports(
    loader: Loader, database: Database, photos: Path, model: str
) -> None:
    assert (loader.job, loader.running) == (None, False)
    job = loader.start(Order(FolderSource(photos), "mine", model, model))
    job.wait(PATIENCE)
    assert (job.running, loader.running, loader.job, job.error) == (False, False, job, "")
    assert job.report is not None
    assert job.report.summary() == "10 photos in mine, 10 added, 0 already there, 0 skipped"
    [collection] = database.collections.all()
    assert database.collections.photos(collection).count() == 10


def test_its_last_progress_is_beyond_the_reading(loader: Loader, photos: Path, model: str) -> None:
    job = loader.start(Order(FolderSource(photos), "mine", model, model))
    job.wait(PATIENCE)
    assert job.progress.step in ("Reading photos", "Building the index")
    if job.progress.step == "Reading photos":
        assert (job.progress.done, job.progress.total) == (10, 10)


def test_what_is_skipped_is_listed(loader: Loader, photos: Path, model: str) -> None:
    write_broken(photos)
    job = loader.start(Order(FolderSource(photos), "mine", model, model))
    job.wait(PATIENCE)
    assert sorted(skip.photo.description for skip in job.skipped) == [
        "000-note.jpg",
        "004-empty.png",
        "005-cut.jpg",
        "999-gone.jpg",
    ]
    assert job.report is not None
    assert job.report.skipped == job.skipped


def test_one_job_at_a_time(
    loader: Loader, database: Database, gated: Gated, photos: Path, model: str
) -> None:
    first = loader.start(Order(gated, "slow", model, model))
    assert gated.asked.wait(PATIENCE)
    assert (loader.running, first.running, first.report) == (True, True, None)
    second = loader.start(Order(FolderSource(photos), "mine", model, model), "ann@x.org")
    assert loader.waiting == (second,)
    assert (second.running, second.by, loader.job) == (False, "ann@x.org", first)
    assert database.collections.find("mine") is None
    gated.gate.set()
    first.wait(PATIENCE)
    while loader.waiting or loader.running:
        assert loader.job is not None
        loader.job.wait(PATIENCE)
    assert loader.job is second
    assert second.report is not None
    assert second.report.rows == 10


def test_the_line_goes_on_in_its_order_whatever_happens_to_those_before(
    loader: Loader, gated: Gated, photos: Path, model: str
) -> None:
    loader.start(Order(gated, "slow", model, model))
    assert gated.asked.wait(PATIENCE)
    ends: list[str] = []

    class Noted(Failing):
        def __init__(self, name: str) -> None:
            super().__init__(MemoryError())
            self.name = self.root = name

        def photos(self, tell: Tell) -> Sequence[Photo]:
            ends.append(self.name)
            raise MemoryError

    jobs = [loader.start(Order(Noted(name), "mine", model, model)) for name in "abcd"]
    with pytest.raises(ExplorerError, match="mine from b is in line already: wait for it"):
        loader.start(Order(Noted("b"), "mine", model, model))
    loader.stop(jobs[2])
    assert [job.order.source.name for job in loader.waiting] == ["a", "b", "d"]
    for number in range(MOST - 3):
        loader.start(Order(Noted(f"n{number}"), "mine", model, model))
    with pytest.raises(ExplorerError, match="20 loads are in line already: wait for some of them"):
        loader.start(Order(Noted("z"), "mine", model, model))
    gated.gate.set()
    while loader.waiting or loader.running:
        assert loader.job is not None
        loader.job.wait(PATIENCE)
    assert ends == ["a", "b", "d", *(f"n{number}" for number in range(MOST - 3))]
    assert not jobs[2].running
    last = loader.start(Order(FolderSource(photos), "mine", model, model))
    last.wait(PATIENCE)
    assert last.report is not None


def test_pages_can_ask_the_database_while_a_job_reads(
    loader: Loader, database: Database, gated: Gated, model: str
) -> None:
    job = loader.start(Order(gated, "slow", model, model))
    assert gated.asked.wait(PATIENCE)
    collection = database.collections.find("slow")
    assert collection is not None
    assert database.collections.photos(collection).count() == 0
    gated.gate.set()
    job.wait(PATIENCE)
    assert database.collections.photos(collection).count() == 2


def test_a_fault_that_a_person_can_mend_is_its_error(loader: Loader, tmp_path: Path) -> None:
    job = loader.start(Order(FolderSource(tmp_path / "nowhere"), "mine", None, "a model"))
    job.wait(PATIENCE)
    assert (job.running, job.report) == (False, None)
    assert job.error == f"{tmp_path}/nowhere is not a folder: give one that holds images"


def test_after_an_error_another_job_can_start(
    loader: Loader, tmp_path: Path, photos: Path, model: str
) -> None:
    loader.start(Order(FolderSource(tmp_path / "nowhere"), "mine", model, model)).wait(PATIENCE)
    job = loader.start(Order(FolderSource(photos), "mine", model, model))
    job.wait(PATIENCE)
    assert (job.error, job.report is not None) == ("", True)


@pytest.mark.parametrize(
    ("error", "text"), [(MemoryError(), "MemoryError"), (RuntimeError("a bug"), "a bug")]
)
def test_whatever_stops_a_job_is_one_line_that_says_how_to_go_on(
    loader: Loader, model: str, error: Exception, text: str
) -> None:
    job = loader.start(Order(Failing(error), "mine", model, model))
    job.wait(PATIENCE)
    assert (job.running, job.report) == (False, None)
    assert job.error == (
        f"Loading mine stopped: {text}. What is in it stays; load it again to go on"
    )
