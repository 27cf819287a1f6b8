import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from weakref import ref

import numpy as np
import pytest
from PIL import Image

from classifier.clip import load_clip
from db.collections import Collection
from db.database import Database
from db.errors import ExplorerError
from db.photo import Photo
from db.photos import PhotoTable
from db.thumbnails import Thumbnails
from db.vector_index import IndexState
from ingest import writer
from ingest.archive import Tell
from ingest.models import full_name
from ingest.pipeline import Order, load
from ingest.report import Progress, Report
from ingest.retry import TransientError
from ingest.sample import CHECKPOINT
from ingest.shard import Shard
from ingest.sources import FolderSource, Keyed, SampleSource, Source, UnsplashSource, read_url
from ingest.streak import Skip
from tests.ingest.photos import photo_bytes, write_broken, write_photos
from tests.ingest.zoo import animals
from tests.photo_host import Answer, photo_host

NO_IMAGE = "not a JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC image"


def order(source: Source, model: str | None, collection: str = "mine", **options: Any) -> Order:
    return Order(source, collection, model, "no default model", **options)


def run(
    wanted: Order, database: Database, thumbnails: Thumbnails | None = None
) -> tuple[Report, list[Progress], list[Skip]]:
    progress: list[Progress] = []
    skips: list[Skip] = []
    report = load(wanted, database, thumbnails, progress.append, skips.append)
    return report, progress, skips


def table_of(database: Database, name: str = "mine") -> PhotoTable:
    collection = database.collections.find(name)
    assert collection is not None
    return database.collections.photos(collection)


def vectors_of(database: Database, name: str = "mine") -> dict[str, np.ndarray]:
    table = table_of(database, name)
    return {found.photo.url: found.vector for found in table.get(sorted(table.ids()))}


class Listed(Keyed):
    """A source of photos that are given, and read as told."""

    name = root = "a list"
    workers = 3

    def __init__(self, photos: Sequence[Photo], read: Callable[[Photo], Image.Image]) -> None:
        self._photos = photos
        self._read = read

    def photos(self, tell: Tell) -> Sequence[Photo]:
        return self._photos

    def read(self, photo: Photo, side: int) -> Image.Image:
        return self._read(photo)


def listed(n: int) -> list[Photo]:
    return [Photo(id=f"{number:03d}", url=f"https://host/{number}") for number in range(n)]


def numbered_image(photo: Photo) -> Image.Image:
    with Image.open(BytesIO(photo_bytes(int(photo.id)))) as image:
        return image.convert("RGB")


# --- counts and words -------------------------------------------------------------------------


def test_a_folder_comes_in_whole(database: Database, photos: Path, model: str) -> None:
    report, _, skips = run(order(FolderSource(photos), model), database)
    assert (report.rows, report.added, report.present, skips) == (10, 10, 0, [])
    assert report.summary() == "10 photos in mine, 10 added, 0 already there, 0 skipped"
    assert table_of(database).count() == 10


def test_broken_files_are_skipped_by_name_with_their_reasons(
    database: Database, photos: Path, model: str
) -> None:
    write_broken(photos)
    report, _, skips = run(order(FolderSource(photos), model, batch_size=4), database)
    assert sorted((skip.photo.description, skip.reason) for skip in skips) == [
        ("000-note.jpg", NO_IMAGE),
        ("004-empty.png", NO_IMAGE),
        ("005-cut.jpg", "image cut short"),
        ("999-gone.jpg", "No such file or directory"),
    ]
    assert report.skipped == skips
    assert report.summary() == (
        "10 photos in mine, 10 added, 0 already there, 4 skipped "
        f"(2 {NO_IMAGE}, 1 No such file or directory, 1 image cut short)"
    )


@pytest.mark.parametrize(
    ("fault", "reason", "unexpected"),
    [
        (MemoryError(), "not enough memory to read it", 0),
        (AssertionError(), "unexpected AssertionError: AssertionError", 1),
        (KeyError("PLTE"), "unexpected KeyError: 'PLTE'", 1),
        (RuntimeError("a\nb" + "c" * 200), "unexpected RuntimeError: a", 1),
        (RecursionError("c" * 200), f"unexpected RecursionError: {'c' * 80}", 1),
    ],
)
def test_whatever_reading_a_photo_raises_is_that_photos_skip(
    database: Database, model: str, fault: Exception, reason: str, unexpected: int
) -> None:
    def read(photo: Photo) -> Image.Image:
        if photo.id == "001":
            raise fault
        return numbered_image(photo)

    report, _, skips = run(order(Listed(listed(4), read), model), database)
    assert (report.added, report.unexpected) == (3, unexpected)
    assert [(skip.photo.id, skip.reason, skip.final) for skip in skips] == [("001", reason, False)]


def test_the_zoo_comes_in_whole_and_with_nothing_unexpected(
    database: Database, tmp_path: Path, model: str
) -> None:
    zoo = list(animals())
    for animal in zoo:
        (tmp_path / animal.name).write_bytes(animal.content)
    report, _, skips = run(order(FolderSource(tmp_path), model), database)
    assert (skips, report.unexpected, report.added) == ([], 0, len(zoo))


def test_large_numbers_are_grouped() -> None:
    report = Report("mine", rows=25_000, added=24_000, present=1_000)
    assert report.summary() == "25,000 photos in mine, 24,000 added, 1,000 already there, 0 skipped"


def test_a_second_load_adds_nothing_and_loads_and_reads_nothing(
    database: Database, photos: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(order(FolderSource(photos), model), database)
    monkeypatch.setattr("ingest.pipeline.load_model", pytest.fail)
    source = FolderSource(photos)
    source.read = pytest.fail  # type: ignore[method-assign,assignment]
    report, _, _ = run(order(source, model), database)
    assert report.summary() == "10 photos in mine, 0 added, 10 already there, 0 skipped"


def test_a_second_load_adds_what_is_missing(database: Database, photos: Path, model: str) -> None:
    run(order(FolderSource(photos), model), database)
    write_photos(photos, 13)
    report, _, _ = run(order(FolderSource(photos), model), database)
    assert (report.rows, report.added, report.present) == (13, 3, 10)


def test_a_skipped_photo_is_tried_again(database: Database, photos: Path, model: str) -> None:
    write_broken(photos)
    run(order(FolderSource(photos), model), database)
    (photos / "000-note.jpg").write_bytes(photo_bytes(77))
    report, _, skips = run(order(FolderSource(photos), model), database)
    # The two that nobody has touched since are not images still.
    assert (report.rows, report.added, report.present, report.known) == (11, 1, 10, 2)
    assert [skip.reason for skip in skips] == ["No such file or directory"]
    assert report.summary() == (
        "11 photos in mine, 1 added, 10 already there, 1 skipped (1 No such file or directory), "
        "2 known to fail not tried again"
    )


def test_the_limit_takes_the_first_photos(database: Database, photos: Path, model: str) -> None:
    first, _, _ = run(order(FolderSource(photos), model, limit=4), database)
    assert (first.rows, first.added, first.present) == (4, 4, 0)
    again, _, _ = run(order(FolderSource(photos), model, limit=6), database)
    assert (again.rows, again.added, again.present) == (6, 2, 4)
    names = sorted(url.rsplit("/", 1)[1] for url in vectors_of(database))
    assert names == [f"{number:03d}.jpg" for number in range(6)]


def test_a_limit_beyond_the_end_takes_all(database: Database, photos: Path, model: str) -> None:
    report, _, _ = run(order(FolderSource(photos), model, limit=99), database)
    assert report.rows == 10


def test_two_sources_share_a_collection(
    database: Database, photos: Path, tmp_path: Path, model: str
) -> None:
    run(order(FolderSource(photos), model), database)
    more = write_photos(tmp_path / "more", 3)
    report, _, _ = run(order(FolderSource(more), model, into=True), database)
    assert (report.rows, report.added, report.present) == (13, 3, 0)


def test_a_source_that_fails_everywhere_adds_nothing(
    database: Database, tmp_path: Path, model: str
) -> None:
    for number in range(5):
        (tmp_path / f"{number}.jpg").write_text("no photo")
    report, _, skips = run(order(FolderSource(tmp_path), model, batch_size=2), database)
    assert report.summary() == (
        f"0 photos in mine, 0 added, 0 already there, 5 skipped (5 {NO_IMAGE})"
    )
    assert len(skips) == 5


def test_skips_and_batches_meet_in_every_way(database: Database, model: str) -> None:
    """Whatever fails, at the start, the end or all along a batch, the others come in."""

    def read(photo: Photo) -> Image.Image:
        if photo.id in broken:
            raise OSError("HTTP 404")
        return numbered_image(photo)

    for pattern, broken in enumerate(
        ({"000"}, {"006"}, {"003", "004", "005"}, {"002", "006"}, {"000", "001", "002"})
    ):
        wanted = order(Listed(listed(7), read), model, f"mine_{pattern}", batch_size=3)
        report, _, _ = run(wanted, database)
        there = table_of(database, f"mine_{pattern}").ids()
        assert there == {photo.id for photo in listed(7)} - broken
        assert (report.added, len(report.skipped)) == (7 - len(broken), len(broken))


def test_reading_stays_at_most_two_batches_ahead(database: Database, model: str) -> None:
    begun: list[str] = []

    def read(photo: Photo) -> Image.Image:
        begun.append(photo.id)
        return numbered_image(photo)

    ahead: list[int] = []

    def watch(progress: Progress) -> None:
        if progress.total and progress.unit == "photo":
            ahead.append(len(begun) - progress.done)

    wanted = order(Listed(listed(60), read), model, batch_size=5)
    load(wanted, database, None, watch, lambda skip: None)
    assert len(begun) == 60
    assert max(ahead) <= 2 * 5


def test_only_the_images_that_are_being_read_are_in_memory(database: Database, model: str) -> None:
    images: list[ref[Image.Image]] = []

    def read(photo: Photo) -> Image.Image:
        image = numbered_image(photo)
        images.append(ref(image))
        return image

    counts: list[int] = []

    def watch(progress: Progress) -> None:
        counts.append(sum(image() is not None for image in images))

    wanted = order(Listed(listed(40), read), model, batch_size=10)
    load(wanted, database, None, watch, lambda skip: None)
    assert len(images) == 40
    assert max(counts) <= Listed.workers


# --- failures ---------------------------------------------------------------------------------


class Host(Listed):
    """A list behind a host, whose photos fail as told by id."""

    patience: int | None = 12

    def __init__(self, photos: Sequence[Photo], faults: dict[str, Exception]) -> None:
        super().__init__(photos, self.fetch)
        self.faults = faults
        self.asked: list[str] = []

    def fetch(self, photo: Photo) -> Image.Image:
        self.asked.append(photo.id)
        if photo.id in self.faults:
            raise self.faults[photo.id]
        return numbered_image(photo)


def failures_of(database: Database) -> dict[str, tuple[str, bool]]:
    failed = database.failures.of(table_of(database)).values()
    return {failure.id: (failure.reason, failure.final) for failure in failed}


def test_failures_are_recorded_with_their_reasons(database: Database, model: str) -> None:
    faults = {"003": ValueError("HTTP 404"), "007": TransientError("timed out")}
    run(order(Host(listed(10), faults), model), database)
    assert failures_of(database) == {"003": ("HTTP 404", True), "007": ("timed out", False)}


def test_a_rerun_tries_only_what_may_have_changed(database: Database, model: str) -> None:
    faults = {"003": ValueError("HTTP 404"), "007": TransientError("timed out")}
    run(order(Host(listed(10), faults), model), database)
    again = Host(listed(12), {})
    report, _, _ = run(order(again, model), database)
    # What failed before comes last.
    assert again.asked == ["010", "011", "007"]
    assert (report.added, report.present, report.known) == (3, 8, 1)
    assert failures_of(database) == {"003": ("HTTP 404", True)}


def test_failed_photos_are_tried_again_when_that_is_asked_for(
    database: Database, model: str
) -> None:
    run(order(Host(listed(10), {"003": ValueError("HTTP 404")}), model), database)
    again = Host(listed(10), {})
    wanted = order(again, model, retry_failed=True)
    report, _, _ = run(wanted, database)
    assert (again.asked, report.added, report.known) == (["003"], 1, 0)
    assert failures_of(database) == {}


def test_a_photo_with_another_address_is_tried_again(database: Database, model: str) -> None:
    run(order(Host(listed(3), {"001": ValueError("HTTP 404")}), model), database)
    moved = [replace(photo, url=f"{photo.url}/new") for photo in listed(3)]
    report, _, _ = run(order(Host(moved, {}), model), database)
    assert (report.added, report.known) == (1, 0)


@pytest.mark.parametrize("fault", [TransientError("no connection"), ValueError("HTTP 404")])
def test_a_host_that_fails_everything_stops_the_load_with_one_line(
    database: Database, model: str, fault: Exception
) -> None:
    source = Host(listed(500), {f"{number:03d}": fault for number in range(20, 500)})
    source.workers = 0  # so that the last good photo can't come after the first bad one
    skips: list[Skip] = []
    with pytest.raises(ExplorerError) as refusal:
        load(order(source, model, batch_size=4), database, None, lambda _: None, skips.append)
    assert re.fullmatch(
        rf"12 photos in a row failed, the last one with {fault} \(https://host/\d+\): the photo "
        "host, or the way to it, is down. What is in the table stays; once that address opens in "
        "a browser, run it again to go on",
        str(refusal.value),
    )
    # What came before is in, and nothing is said of photos that the host said nothing about.
    assert table_of(database).count() == 20
    assert (skips, failures_of(database)) == ([], {})
    assert len(source.asked) <= 20 + 12 + 8
    report, _, _ = run(order(Host(listed(500), {}), model), database)
    assert (report.added, report.known) == (480, 0)


def test_broken_photos_in_a_row_are_no_host_that_is_down(database: Database, model: str) -> None:
    broken = {f"{number:03d}": ValueError("HTTP 404") for number in range(40) if number % 4}
    report, _, skips = run(order(Host(listed(40), broken), model, batch_size=4), database)
    assert (report.added, len(skips)) == (10, 30)


def test_photos_that_failed_before_do_not_tell_that_a_host_is_down(
    database: Database, model: str
) -> None:
    broken = {f"{number:03d}": ValueError("HTTP 404") for number in range(40) if number % 4}
    run(order(Host(listed(40), broken), model, batch_size=4), database)
    wanted = order(Host(listed(40), broken), model, retry_failed=True)
    report, _, skips = run(wanted, database)
    assert (report.added, len(skips)) == (0, 30)


# --- stopping and sharing ---------------------------------------------------------------------


def test_a_load_that_is_stopped_keeps_what_was_read_and_goes_on_later(
    database: Database, model: str
) -> None:
    source = Host(listed(100), {})
    wanted = order(source, model, batch_size=4)

    def stop_at_ten(progress: Progress) -> None:
        if progress.done == 10:
            wanted.stop.set()

    report = load(wanted, database, None, stop_at_ten, lambda _: None)
    assert report.stopped
    assert 10 <= report.added == len(source.asked) <= 10 + 2 * 4
    assert table_of(database).index_state().state == "none"
    rest, _, _ = run(order(Host(listed(100), {}), model), database)
    assert (rest.rows, rest.present, rest.stopped) == (100, report.added, False)


def test_a_stop_during_the_index_build_is_told(
    database: Database, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = order(Host(listed(20), {}), model)

    def endless(table: PhotoTable, report: Callable[[IndexState], None]) -> None:
        while True:
            report(IndexState("building"))

    def stop_at_index(progress: Progress) -> None:
        if progress.step == "Building the index":
            wanted.stop.set()

    with monkeypatch.context() as slow:
        slow.setattr(PhotoTable, "build_index", endless)
        report = load(wanted, database, None, stop_at_index, lambda _: None)
    assert (report.added, report.stopped) == (20, True)
    run(order(Host(listed(20), {}), model), database)
    assert table_of(database).index_state().state == "built"


def test_the_progress_of_the_index_is_told_in_rows(
    database: Database, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Progress] = []

    def half(table: PhotoTable, report: Callable[[IndexState], None]) -> None:
        report(IndexState("building", progress=0.5))

    monkeypatch.setattr(PhotoTable, "build_index", half)
    load(order(Host(listed(20), {}), model), database, None, told.append, lambda _: None)
    assert told[-1] == Progress("Building the index", 10, 20, 0.5, "row")


def test_photos_that_a_stop_kept_from_being_tried_again_are_no_failures(
    database: Database, model: str
) -> None:
    source = Host(listed(30), {"005": TransientError("HTTP 503")})
    wanted = order(source, model, batch_size=4)
    wanted.stop.set()
    report, _, skips = run(wanted, database)
    assert (report.stopped, skips, failures_of(database)) == (True, [], {})


def test_parts_of_a_list_make_the_whole(database: Database, model: str) -> None:
    asked: list[str] = []
    for number in (1, 2, 3):
        source = Host(listed(40), {})
        part = order(source, model, shard=Shard(number, 3), limit=30)
        report, _, _ = run(part, database)
        assert 0 < report.added == len(source.asked) < 30
        asked += source.asked
    assert sorted(asked) == [photo.id for photo in listed(30)]
    assert table_of(database).count() == 30


# --- vectors ----------------------------------------------------------------------------------


def test_every_row_holds_the_unit_vector_of_its_own_photo(
    database: Database, photos: Path, model: str
) -> None:
    write_broken(photos)
    run(order(FolderSource(photos), model, batch_size=4), database)
    clip = load_clip(full_name(model))
    stored = vectors_of(database)
    assert len(stored) == 10
    for url, vector in stored.items():
        [alone] = clip.encode_images([read_url(url)])
        np.testing.assert_allclose(vector, alone, atol=1e-6)
        assert np.linalg.norm(vector.astype(np.float64)) == pytest.approx(1, abs=1e-6)
    assert len(np.unique(np.stack(list(stored.values())).round(4), axis=0)) == 10


def test_the_batch_size_does_not_change_the_vectors(
    database: Database, photos: Path, model: str
) -> None:
    run(order(FolderSource(photos), model, "ones", batch_size=1), database)
    run(order(FolderSource(photos), model, "sevens", batch_size=7), database)
    ones, sevens = vectors_of(database, "ones"), vectors_of(database, "sevens")
    assert ones.keys() == sevens.keys()
    for url, vector in ones.items():
        np.testing.assert_allclose(vector, sevens[url], atol=1e-6)


def test_the_precision_that_was_asked_for_is_used(
    database: Database, photos: Path, model: str
) -> None:
    run(order(FolderSource(photos), model, "usual"), database)
    run(replace(order(FolderSource(photos), model, "faster"), precision="bfloat16"), database)
    usual, faster = vectors_of(database, "usual"), vectors_of(database, "faster")
    for url, vector in usual.items():
        assert vector @ faster[url] > 0.999
    assert any(not np.array_equal(vector, faster[url]) for url, vector in usual.items())


def test_a_load_of_several_inserts_loses_nothing(
    database: Database, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BLOCK", 8)
    report, _, _ = run(order(Listed(listed(30), numbered_image), model, batch_size=3), database)
    assert (report.rows, report.added) == (30, 30)
    stored = vectors_of(database)
    for photo in listed(30)[::7]:
        [alone] = load_clip(full_name(model)).encode_images([numbered_image(photo)])
        np.testing.assert_allclose(stored[photo.url], alone, atol=1e-6)


def test_what_was_inserted_before_a_fault_stays_and_the_next_load_goes_on(
    database: Database, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BLOCK", 4)

    class EndedError(BaseException):
        """What no skip is made of."""

    def read(photo: Photo) -> Image.Image:
        if photo.id == "009":
            raise EndedError
        return numbered_image(photo)

    with pytest.raises(EndedError):
        run(order(Listed(listed(12), read), model, batch_size=2), database)
    there = table_of(database).count()
    assert there in (4, 8)
    report, _, _ = run(order(Listed(listed(12), numbered_image), model), database)
    assert (report.rows, report.added, report.present) == (12, 12 - there, there)


def test_a_search_finds_a_photo_by_its_own_vector(
    database: Database, photos: Path, model: str
) -> None:
    run(order(FolderSource(photos), model), database)
    table = table_of(database)
    for url, vector in vectors_of(database).items():
        assert table.search(vector, 1)[0].photo.url == url


# --- facts, thumbnails and the index ----------------------------------------------------------


def test_sizes_and_thumbnails_are_those_of_the_upright_photo(
    database: Database, thumbnails: Thumbnails, tmp_path: Path, model: str
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.new("RGB", (60, 40), (255, 0, 0))
    lying.paste((0, 0, 255), (30, 0, 60, 40))
    folder = tmp_path / "lying"
    folder.mkdir()
    lying.save(folder / "a.jpg", exif=exif.tobytes(), quality=95)
    run(order(FolderSource(folder), model), database, thumbnails)
    table = table_of(database)
    [stored] = table.get(sorted(table.ids()))
    assert (stored.photo.width, stored.photo.height) == (40, 60)
    (folder / "a.jpg").unlink()  # so that it can only come from the cache
    with Image.open(BytesIO(thumbnails.get(stored.photo.id, stored.photo.url))) as thumbnail:
        assert thumbnail.size == (40, 40)
        top, bottom = thumbnail.getpixel((20, 2)), thumbnail.getpixel((20, 37))
    assert top[0] > 200 > 50 > top[2]  # type: ignore[index]
    assert bottom[2] > 200 > 50 > bottom[0]  # type: ignore[index]


def test_a_large_photo_keeps_its_own_size_and_a_sharp_thumbnail(
    database: Database, thumbnails: Thumbnails, tmp_path: Path, model: str
) -> None:
    folder = tmp_path / "large"
    folder.mkdir()
    Image.new("RGB", (1700, 1300)).save(folder / "a.jpg")
    assert FolderSource(folder).read(FolderSource(folder).photos()[0], 32).size == (850, 650)
    run(order(FolderSource(folder), model), database, thumbnails)
    table = table_of(database)
    [stored] = table.get(sorted(table.ids()))
    assert (stored.photo.width, stored.photo.height) == (1700, 1300)
    (folder / "a.jpg").unlink()  # so that it can only come from the cache
    with Image.open(BytesIO(thumbnails.get(stored.photo.id, stored.photo.url))) as thumbnail:
        assert thumbnail.size == (400, 400)


def test_every_photo_of_a_folder_has_its_thumbnail(
    database: Database, thumbnails: Thumbnails, photos: Path, model: str
) -> None:
    run(order(FolderSource(photos), model), database, thumbnails)
    for path in photos.iterdir():
        path.unlink()
    table = table_of(database)
    cached = {thumbnails.get(photo, url) for photo, url in table.urls().items()}
    assert len(cached) == 10


def test_facts_of_a_source_are_stored(database: Database, model: str) -> None:
    photo = Photo(
        id="000",
        url="https://host/0",
        page="https://unsplash.com/photos/0",
        photographer="Jané 🐶",
        photographer_url="https://unsplash.com/@jane",
        description="A \"lake\"\twith 'quotes'\nand lines",
        width=4000,
        height=3000,
        country="NA",
        keywords=("tree's", "lake"),
    )
    run(order(Listed([photo], numbered_image), model), database)
    [stored] = table_of(database).get(["000"])
    assert stored.photo == photo


def test_the_index_is_built(database: Database, photos: Path, model: str) -> None:
    run(order(FolderSource(photos), model), database)
    assert table_of(database).index_state().state == "built"


def test_the_index_takes_in_what_comes_later(database: Database, photos: Path, model: str) -> None:
    run(order(FolderSource(photos), model, limit=4), database)
    run(order(FolderSource(photos), model), database)
    assert table_of(database).index_state().state == "built"


def test_an_empty_table_gets_no_index_and_no_fault(
    database: Database, tmp_path: Path, model: str
) -> None:
    (tmp_path / "a.jpg").write_text("no photo")
    run(order(FolderSource(tmp_path), model), database)
    assert table_of(database).index_state().state == "none"


def test_progress_counts_every_photo_to_the_end(
    database: Database, photos: Path, model: str
) -> None:
    write_broken(photos)
    _, progress, _ = run(order(FolderSource(photos), model, batch_size=4), database)
    assert [step.step for step in progress[:2]] == ["Listing the photos", "Loading the CLIP model"]
    reading = [step for step in progress if step.step == "Reading photos"]
    assert [(step.done, step.total) for step in reading] == [(n, 14) for n in range(1, 15)]
    assert reading[-1].share == 1


# --- which model ------------------------------------------------------------------------------


def test_another_model_is_refused_by_name(
    database: Database, photos: Path, model: str, other_model: str
) -> None:
    run(order(FolderSource(photos), model, limit=2), database)
    with pytest.raises(ExplorerError) as refusal:
        run(order(FolderSource(photos), other_model), database)
    assert str(refusal.value) == (
        f"The vectors of mine were made with {model}, not {other_model}: "
        f"use --model {model}, or another --collection"
    )
    assert table_of(database).count() == 2


def test_a_collection_keeps_its_model_when_none_is_named(
    database: Database, photos: Path, model: str
) -> None:
    run(order(FolderSource(photos), model, limit=2), database)
    report, _, _ = run(order(FolderSource(photos), None), database)
    assert report.rows == 10


def test_a_new_collection_takes_the_default_model(
    database: Database, photos: Path, model: str
) -> None:
    run(Order(FolderSource(photos), "mine", None, model), database)
    collection = database.collections.find("mine")
    assert collection is not None
    assert (collection.model, collection.source) == (model, f"folder {photos}")
    assert collection.fingerprint == load_clip(model).fingerprint


def test_a_model_folder_is_stored_by_its_whole_path(
    database: Database, photos: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(model).parent)
    run(order(FolderSource(photos), Path(model).name), database)
    collection = database.collections.find("mine")
    assert collection is not None
    assert collection.model == model


def test_a_model_that_was_trained_further_is_refused(
    database: Database, photos: Path, model: str
) -> None:
    database.collections.open(Collection("mine", model, "another fingerprint", "a test"))
    with pytest.raises(ExplorerError, match="has changed since it made the vectors of mine"):
        run(order(FolderSource(photos), model), database)


def test_no_collection_is_left_by_a_model_that_can_not_be_loaded(
    database: Database, photos: Path, tmp_path: Path
) -> None:
    with pytest.raises(ExplorerError, match="there is no such folder"):
        run(order(FolderSource(photos), str(tmp_path / "no model")), database)
    assert database.collections.all() == []


@pytest.mark.parametrize("name", ["my photos", "1st", "", "a;b", "sessions", "Labels", "x" * 65])
def test_a_name_that_no_table_can_have_is_refused(
    database: Database, photos: Path, model: str, name: str
) -> None:
    with pytest.raises(ExplorerError, match=r"can't name a collection|choose another name"):
        run(order(FolderSource(photos), model, name), database)
    assert database.collections.all() == []


# --- over HTTP --------------------------------------------------------------------------------


def test_a_table_of_photos_comes_in_over_http_at_the_models_size(
    database: Database, thumbnails: Thumbnails, tmp_path: Path, model: str
) -> None:
    with photo_host() as host:
        lines = ["photo_id\tphoto_image_url\tphoto_width\tphoto_height"]
        for number in range(20):
            url = host.serve(f"/photo-{number}", Answer(photo_bytes(number)))
            lines.append(f"id{number}\t{url}?ixid={number}\t4000\t3000")
        host.serve("/photo-7", Answer(b"gone", 404))
        host.serve("/photo-13", Answer(b"<html></html>", content_type="text/html"))
        tables = tmp_path / "photos.tsv000"
        tables.write_text("\n".join(lines))
        source = UnsplashSource([tables])
        report, _, skips = run(order(source, model, batch_size=6), database, thumbnails)
    assert report.summary() == (
        f"18 photos in mine, 18 added, 0 already there, 2 skipped (1 HTTP 404, 1 {NO_IMAGE})"
    )
    assert {skip.photo.id for skip in skips} == {"id7", "id13"}
    wanted = "w=32&h=32&fit=crop&fm=jpg&q=85"
    assert sorted(host.asked) == sorted(f"/photo-{n}?{wanted}&ixid={n}" for n in range(20))
    [stored] = table_of(database).get(["id3"])
    assert stored.photo.url == f"{host.url}/photo-3?ixid=3"
    assert (stored.photo.width, stored.photo.height) == (4000, 3000)
    [alone] = load_clip(model).encode_images([Image.open(BytesIO(photo_bytes(3)))])
    np.testing.assert_allclose(stored.vector, alone, atol=1e-6)


def test_a_load_over_http_keeps_no_thumbnails(
    database: Database, thumbnails: Thumbnails, tmp_path: Path, model: str
) -> None:
    with photo_host() as host:
        url = host.serve("/a", Answer(photo_bytes(1)))
        (tmp_path / "t").write_text(f"photo_id,photo_image_url\na,{url}\n")
        run(order(UnsplashSource([tmp_path / "t"]), model), database, thumbnails)
    with pytest.raises(ValueError, match="neither a file nor a drawing"):
        thumbnails.get("a", url)


# --- the sample -------------------------------------------------------------------------------


@pytest.mark.skipif(not CHECKPOINT.is_dir(), reason="the sample's model is not there yet")
def test_the_sample_comes_in_with_its_own_model(database: Database, thumbnails: Thumbnails) -> None:
    wanted = Order(SampleSource(), "sample", None, "sample", limit=12)
    report, _, _ = run(wanted, database, thumbnails)
    assert report.summary() == "12 photos in sample, 12 added, 0 already there, 0 skipped"
    stored = vectors_of(database, "sample")
    norms = np.linalg.norm(np.stack(list(stored.values())).astype(np.float64), axis=1)
    np.testing.assert_allclose(norms, 1, atol=1e-6)
    collection = database.collections.find("sample")
    assert collection is not None
    assert (collection.model, collection.source) == ("sample", "drawn scenes")
    photo, url = next(iter(table_of(database, "sample").urls().items()))
    with Image.open(BytesIO(thumbnails.get(photo, url))) as thumbnail:
        assert thumbnail.size == (400, 400)
