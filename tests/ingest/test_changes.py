"""A collection in step with its source: files and rows that change, move and go."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.clip import Clip, Precision
from classifier.preprocess import Pixels
from db.contents import Content
from db.database import Database
from db.errors import ExplorerError
from db.photo import Photo
from db.photos import PhotoTable
from db.rows import Rows
from db.thumbnails import Thumbnails
from ingest.content import why_not_gone
from ingest.pipeline import Order, load
from ingest.report import Report
from ingest.sources import FolderSource, Source, UnsplashSource
from tests.conftest import filled
from tests.ingest.photos import photo_bytes, write_photos
from tests.photo_host import Answer, photo_host

Load = Callable[..., Report]
OTHER = 100  # numbers from here on are other pictures


@pytest.fixture
def into(database: Database, model: str) -> Load:
    """Loads a folder, or another source, into a collection."""

    def run(
        source: Path | Source, thumbnails: Thumbnails | None = None, **options: object
    ) -> Report:
        given = FolderSource(source) if isinstance(source, Path) else source
        order = Order(given, "mine", model, model, **options)  # type: ignore[arg-type]
        return load(order, database, thumbnails, lambda _: None, lambda _: None)

    return run


def table_of(database: Database) -> PhotoTable:
    collection = database.collections.find("mine")
    assert collection is not None
    return database.collections.photos(collection)


def stored(database: Database) -> dict[str, tuple[str, Photo, np.ndarray]]:
    """By file name: the id, the photo and its vector; each is there once."""
    table = table_of(database)
    found = table.get(sorted(table.ids()))
    assert table.count() == len(found)
    return {n.photo.url.rsplit("/", 1)[1]: (n.photo.id, n.photo, n.vector) for n in found}


def changes(report: Report) -> tuple[int, int, int, int, int]:
    return (report.added, report.changed, report.moved, len(report.gone), report.present)


def write(path: Path, number: int, moment: int = 0) -> Path:
    """A picture written at some second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(photo_bytes(number))
    if moment:
        os.utime(path, ns=(moment, moment))
    return path


# --- files ------------------------------------------------------------------------------------


def test_an_edited_file_gets_a_new_vector_size_and_thumbnail_under_the_same_id(
    into: Load, database: Database, photos: Path, thumbnails: Thumbnails
) -> None:
    into(photos, thumbnails)
    before = stored(database)["003.jpg"]
    thumbnail = thumbnails.get(before[0], before[1].url)
    write(photos / "003.jpg", OTHER + 4)
    report = into(photos, thumbnails)
    assert changes(report) == (0, 1, 0, 0, 9)
    assert report.summary() == (
        "10 photos in mine, 0 added, 9 already there, 1 changed, 0 moved, 0 gone, 0 skipped"
    )
    photo, after, vector = stored(database)["003.jpg"]
    assert photo == before[0]
    assert (before[1].width, after.width) == (63, 64)
    assert vector @ before[2] < 0.9999
    assert thumbnails.get(photo, after.url) != thumbnail
    assert table_of(database).index_state().state == "built"
    assert table_of(database).search(vector, 1)[0].photo.id == photo
    assert changes(into(photos)) == (0, 0, 0, 0, 10)


def test_an_edit_that_keeps_the_size_is_seen_and_a_mere_touch_reads_nothing(
    into: Load, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "photos" / "a.jpg", 1)
    into(path.parent)
    before = stored(database)["a.jpg"]
    other = bytearray(path.read_bytes())
    other[-20] ^= 1
    path.write_bytes(other)
    os.utime(path, ns=(7, 7))
    assert changes(into(path.parent)) == (0, 1, 0, 0, 0)
    assert stored(database)["a.jpg"][0] == before[0]
    os.utime(path, ns=(9, 9))
    monkeypatch.setattr(FolderSource, "read", pytest.fail)
    assert changes(into(path.parent)) == (0, 0, 0, 0, 1)
    [content] = database.contents.of(table_of(database)).values()
    assert content.modified == 9


def test_a_file_that_was_set_back_to_an_older_one_is_seen(
    into: Load, database: Database, tmp_path: Path
) -> None:
    path = write(tmp_path / "photos" / "a.jpg", 1, 2_000_000_000_000_000_000)
    into(path.parent)
    before = stored(database)["a.jpg"]
    write(path, 2, 1_000_000_000_000_000_000)
    assert into(path.parent).changed == 1
    assert stored(database)["a.jpg"][2] @ before[2] < 0.9999


def test_moved_files_keep_their_ids_and_are_not_read_again(
    into: Load, database: Database, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into(photos)
    before = stored(database)
    (photos / "trips").mkdir()
    (photos / "001.jpg").rename(photos / "trips" / "001.jpg")
    (photos / "002.jpg").rename(photos / "lake.jpg")
    monkeypatch.setattr(FolderSource, "read", pytest.fail)
    report = into(photos)
    assert changes(report) == (0, 0, 2, 0, 8)
    assert "0 changed, 2 moved, 0 gone" in report.summary()
    after = stored(database)
    assert after["001.jpg"][0] == before["001.jpg"][0]
    assert after["lake.jpg"][0] == before["002.jpg"][0]
    moved = after["001.jpg"][1]
    assert moved.url == (photos / "trips" / "001.jpg").as_uri()
    assert (moved.description, moved.keywords) == ("trips/001.jpg", ("trips",))
    assert (moved.width, moved.height) == (61, 40)
    np.testing.assert_array_equal(after["lake.jpg"][2], before["002.jpg"][2])
    assert changes(into(photos)) == (0, 0, 0, 0, 10)


def test_a_new_file_where_a_moved_one_was_gets_an_id_of_its_own(
    into: Load, database: Database, photos: Path
) -> None:
    into(photos)
    before = stored(database)["004.jpg"][0]
    (photos / "004.jpg").rename(photos / "moved.jpg")
    write(photos / "004.jpg", OTHER)
    # The path is known and holds another picture; the old one is at a path that is new.
    report = into(photos)
    assert (report.added + report.changed + report.moved, report.rows) == (2, 11)
    (photos / "moved.jpg").rename(photos / "again.jpg")
    into(photos)
    (photos / "again.jpg").rename(photos / "moved.jpg")
    write(photos / "again.jpg", OTHER + 1)
    assert into(photos).rows == 12
    after = stored(database)
    assert len({photo for photo, _, _ in after.values()}) == 12
    assert before in {photo for photo, _, _ in after.values()}
    assert changes(into(photos)) == (0, 0, 0, 0, 12)


def test_a_copy_is_a_new_photo_and_of_two_copies_one_is_the_moved(
    into: Load, database: Database, photos: Path
) -> None:
    into(photos)
    write(photos / "copy.jpg", 5)
    assert changes(into(photos)) == (1, 0, 0, 0, 10)
    (photos / "006.jpg").unlink()
    write(photos / "first.jpg", 6)
    write(photos / "second.jpg", 6)
    assert changes(into(photos)) == (1, 0, 1, 0, 10)


def test_a_gone_file_stays_until_it_is_to_be_taken_out(
    into: Load, database: Database, photos: Path
) -> None:
    into(photos)
    (photos / "007.jpg").unlink()
    report = into(photos)
    assert (report.rows, changes(report)) == (10, (0, 0, 0, 1, 9))
    assert "1 gone (--prune takes them out)" in report.summary()
    report = into(photos, prune=True)
    assert (report.rows, [photo.url for photo in report.gone]) == (
        9,
        [(photos / "007.jpg").as_uri()],
    )
    assert "1 gone and taken out" in report.summary()
    table = table_of(database)
    assert table.index_state().state == "built"
    vector = stored(database)["002.jpg"][2]
    assert len(table.search(vector, 9)) == 9
    assert changes(into(photos, prune=True)) == (0, 0, 0, 0, 9)
    write(photos / "007.jpg", 7)
    assert into(photos).added == 1


def test_a_folder_that_is_not_there_or_empty_takes_nothing_out(
    into: Load, database: Database, photos: Path, tmp_path: Path
) -> None:
    into(photos)
    away = photos.rename(tmp_path / "away")
    with pytest.raises(ExplorerError, match="is not a folder"):
        into(photos, prune=True)
    photos.mkdir()
    with pytest.raises(ExplorerError, match="holds no images"):
        into(photos, prune=True)
    photos.rmdir()
    away.rename(photos)
    assert changes(into(photos, prune=True)) == (0, 0, 0, 0, 10)


def test_what_can_not_be_looked_for_is_not_taken_for_gone(
    into: Load, database: Database, photos: Path
) -> None:
    write(photos / "sub" / "a.jpg", OTHER)
    into(photos)
    (photos / "sub").rename(photos.parent / "elsewhere")
    (photos / "sub").symlink_to(photos / "sub")  # asking for what is in it is an error
    report = into(photos, prune=True)
    assert (report.rows, len(report.gone), sum(report.away.values())) == (11, 0, 1)
    assert "1 not looked for: Too many levels of symbolic links" in report.summary()


def test_a_disk_that_is_not_there_takes_nothing_out(
    into: Load, database: Database, photos: Path
) -> None:
    path = write(photos / "disk" / "a.jpg", OTHER)
    into(photos)
    [(known, content)] = [
        (photo, content)
        for photo, content in database.contents.of(table_of(database)).items()
        if photo == stored(database)["a.jpg"][0]
    ]
    assert not content.apart
    assert why_not_gone(path, content, photos) == ""
    database.contents.add("mine", {known: replace(content, apart=True)})
    path.unlink()  # the folder stays, as a mount point does
    report = into(photos, prune=True)
    assert (report.rows, report.away) == (11, {"the disk that it was on is not there": 1})
    path.parent.rmdir()
    assert into(photos, prune=True).rows == 11


def test_a_collection_without_records_gets_them_and_reads_only_what_was_written_since(
    into: Load, database: Database, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in photos.iterdir():
        os.utime(path, ns=(1_000, 1_000))
    into(photos)
    database.contents.forget("mine")
    write(photos / "003.jpg", OTHER)
    assert changes(into(photos)) == (0, 1, 0, 0, 9)
    assert len(database.contents.of(table_of(database))) == 10
    monkeypatch.setattr(FolderSource, "read", pytest.fail)
    assert changes(into(photos)) == (0, 0, 0, 0, 10)


def test_a_folder_that_was_renamed_keeps_its_ids(
    into: Load, database: Database, photos: Path
) -> None:
    into(photos)
    before = {photo for photo, _, _ in stored(database).values()}
    moved = photos.rename(photos.parent / "new name")
    report = into(moved, into=True)
    assert changes(report) == (0, 0, 10, 0, 0)
    assert {photo for photo, _, _ in stored(database).values()} == before


def test_the_limit_makes_nothing_gone(into: Load, photos: Path) -> None:
    into(photos)
    assert changes(into(photos, limit=3, prune=True)) == (0, 0, 0, 0, 3)


def test_a_changed_file_that_can_not_be_read_keeps_its_row(
    into: Load, database: Database, photos: Path
) -> None:
    into(photos)
    (photos / "003.jpg").write_bytes(b"no picture any more")
    report = into(photos)
    assert (report.rows, report.changed, len(report.skipped)) == (10, 0, 1)


def test_a_kill_between_the_new_row_and_the_old_one_is_mended_by_the_next_load(
    into: Load, database: Database, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into(photos)
    before = stored(database)["003.jpg"]
    write(photos / "003.jpg", OTHER)
    with monkeypatch.context() as patch:
        patch.setattr(Rows, "_delete", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            into(photos)
    assert table_of(database).count() == 11
    assert into(photos).rows == 10
    after = stored(database)["003.jpg"]
    assert after[0] == before[0]
    assert after[2] @ before[2] < 0.9999


def test_many_changes_build_the_index_anew_once(
    into: Load, database: Database, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.plan._FEW", 2)
    into(photos)
    for number in range(3):
        write(photos / f"{number:03d}.jpg", OTHER + number)
    states = []
    replacing = Rows.replace

    def watched(rows: Rows, *what: Any) -> None:
        states.append(table_of(database).index_state().state)
        replacing(rows, *what)

    monkeypatch.setattr(Rows, "replace", watched)
    assert into(photos).changed == 3
    assert states == ["none"]
    assert table_of(database).index_state().state == "built"


# --- rows of a table --------------------------------------------------------------------------


def test_rows_whose_address_or_facts_changed_are_brought_up_to_date(
    into: Load, database: Database, tmp_path: Path
) -> None:
    table = tmp_path / "photos.csv000"

    def write_rows(*rows: str) -> UnsplashSource:
        table.write_text("\n".join(["photo_id,photo_image_url,photo_description", *rows]))
        return UnsplashSource([table])

    with photo_host() as host:
        urls = [host.serve(f"/{n}", Answer(photo_bytes(n))) for n in range(4)]
        lines = [f"p{n},{url},photo {n}" for n, url in enumerate(urls[:3])]
        assert into(write_rows(*lines)).added == 3
        before = stored(database)
        asked = len(host.asked)
        lines[1] = f"p1,{urls[1]},a lake"
        report = into(write_rows(*lines))
        assert (changes(report), len(host.asked)) == ((0, 1, 0, 0, 2), asked)
        lines[0] = f"p0,{urls[3]},photo 0"
        report = into(write_rows(*lines))
        assert (changes(report), len(host.asked)) == ((0, 1, 0, 0, 2), asked + 1)
        report = into(write_rows(*lines[:2]))
        assert (report.rows, changes(report)) == (3, (0, 0, 0, 1, 2))
        assert into(write_rows(*lines[:2]), prune=True).rows == 2
    after = stored(database)
    assert sorted((photo, facts.description) for photo, facts, _ in after.values()) == [
        ("p0", "photo 0"),
        ("p1", "a lake"),
    ]
    assert after["3"][2] @ before["0"][2] < 0.9999
    np.testing.assert_array_equal(after["1"][2], before["1"][2])


def test_rows_that_can_not_be_read_are_told_and_make_nothing_gone(
    into: Load, tmp_path: Path
) -> None:
    table = tmp_path / "photos.csv000"
    with photo_host() as host:
        lines = [f"p{n},{host.serve(f'/{n}', Answer(photo_bytes(n)))}" for n in range(3)]
        table.write_text("\n".join(["photo_id,photo_image_url", *lines]))
        into(UnsplashSource([table]))
        lines[1] += ",too,many"
        table.write_text("\n".join(["photo_id,photo_image_url", *lines]))
        report = into(UnsplashSource([table]), prune=True)
    assert (report.rows, report.gone, report.notices()) == (
        3,
        [],
        ["photos.csv000, line 3: 4 fields where the first line has 2"],
    )
    assert report.summary() == (
        "3 photos in mine, 0 added, 2 already there, 0 skipped, "
        "1 not looked for: rows of the table can't be read, 1 rows can't be read"
    )


def test_the_picture_that_a_host_sends_in_place_of_others_is_told(
    into: Load, tmp_path: Path
) -> None:
    table = tmp_path / "photos.csv000"
    with photo_host() as host:
        numbers = [0, 1, 7, 7, 7, 2, 3, 3]
        lines = [
            f"p{place},{host.serve(f'/{place}', Answer(photo_bytes(number)))}"
            for place, number in enumerate(numbers)
        ]
        table.write_text("\n".join(["photo_id,photo_image_url", *lines]))
        report = into(UnsplashSource([table]))
        assert report.summary() == (
            "8 photos in mine, 8 added, 0 already there, 0 skipped, "
            "5 photos came with the bytes of others"
        )
        assert report.notices() == [
            "the same picture came for 3 photos: p2, p3, p4",
            "the same picture came for 2 photos: p6, p7",
        ]
        # As long as they are there, whether they came now or earlier.
        assert len(into(UnsplashSource([table])).same) == 2


def test_a_photo_that_the_model_makes_no_vector_of_is_skipped_and_the_others_come_in(
    into: Load, database: Database, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = Clip.encode_prepared

    def overflowing(clip: Clip, prepared: Sequence[Pixels], precision: Precision) -> np.ndarray:
        vectors = encode(clip, prepared, precision)
        vectors[2] = np.nan
        return vectors

    with monkeypatch.context() as patch:
        patch.setattr(Clip, "encode_prepared", overflowing)
        report = into(photos)
    assert (report.added, [skip.reason for skip in report.skipped]) == (
        9,
        ["the model makes no vector of it"],
    )
    assert into(photos).rows == 10


# --- several sources --------------------------------------------------------------------------


def test_another_source_is_refused_by_name_unless_it_is_meant(
    into: Load, database: Database, photos: Path, tmp_path: Path
) -> None:
    into(photos)
    more = write_photos(tmp_path / "more", 2)
    with pytest.raises(ExplorerError) as refusal:
        into(more)
    assert str(refusal.value) == (
        f"mine holds photos from folder {photos}, and none from folder {more}: --into mine puts "
        "them beside each other, --collection NAME keeps them apart"
    )
    assert table_of(database).count() == 10
    assert into(more, into=True).rows == 12
    # From then on it is one of the collection's own.
    assert into(more).rows == into(photos).rows == 12


def test_a_folder_below_is_no_other_source_and_one_of_a_like_name_is(
    into: Load, database: Database, photos: Path
) -> None:
    write(photos / "sub" / "a.jpg", OTHER)
    write(photos.parent / "photos 2" / "a.jpg", OTHER)
    into(photos)
    assert changes(into(photos / "sub")) == (0, 0, 0, 0, 1)
    with pytest.raises(ExplorerError, match="holds photos from"):
        into(photos.parent / "photos 2")


def test_a_collection_without_records_is_known_by_its_first_source(
    into: Load, database: Database, photos: Path, tmp_path: Path
) -> None:
    into(photos)
    database.contents.forget("mine")
    with pytest.raises(ExplorerError, match="holds photos from"):
        into(write_photos(tmp_path / "more", 2))
    assert into(photos).rows == 10


def test_the_same_ids_of_two_tables_are_two_photos(
    into: Load, database: Database, tmp_path: Path
) -> None:
    with photo_host() as host:
        sources = []
        for name in ("one", "two"):
            rows = "".join(
                f"p{n},{host.serve(f'/{name}/{n}', Answer(photo_bytes(n)))}\n" for n in range(3)
            )
            table = tmp_path / f"{name}.csv"
            table.write_text("photo_id,photo_image_url\n" + rows)
            sources.append(UnsplashSource([table]))
        into(sources[0])
        assert changes(into(sources[1], into=True, prune=True)) == (3, 0, 0, 0, 0)
        urls = table_of(database).urls()
        for source in sources:
            assert changes(into(source, into=True, prune=True)) == (0, 0, 0, 0, 3)
    assert len(urls) == len(set(urls.values())) == 6
    assert {"p0", "p1", "p2"} < set(urls)


# --- taking photos out ------------------------------------------------------------------------


def test_a_photo_that_was_taken_out_by_hand_stays_out_until_it_is_asked_for(
    into: Load, database: Database, photos: Path
) -> None:
    into(photos)
    collection = database.collections.find("mine")
    assert collection is not None
    photo = stored(database)["003.jpg"][0]
    database.remove(collection, [photo], "taken out by hand")
    report = into(photos)
    assert (report.rows, report.known) == (9, 1)
    [failure] = database.failures.of(table_of(database)).values()
    assert (failure.id, failure.reason) == (photo, "taken out by hand")
    assert into(photos, retry_failed=True).rows == 10


def test_many_photos_are_taken_out_and_the_search_stays_right(database: Database) -> None:
    collection, table, vectors = filled(database, 600)
    table.build_index()
    out = [f"photo-{n:05d}" for n in range(0, 600, 2)]
    database.remove(collection, out)
    assert table.count() == 300
    scores = vectors @ vectors[1]
    scores[::2] = -2
    best = {f"photo-{n:05d}" for n in np.argsort(-scores)[:9]}
    assert {found.photo.id for found in table.search(vectors[1], 9)} == best
    assert database.contents.of(table) == {}


def test_contents_are_the_latest_of_photos_that_are_there(database: Database) -> None:
    _, table, _ = filled(database, 2)
    database.contents.add(table.name, {"photo-00000": Content("a", 1), "nowhere": Content("b")})
    database.contents.add(table.name, {"photo-00000": Content("a", 2, -5, "d", True)})
    assert database.contents.of(table) == {"photo-00000": Content("a", 2, -5, "d", True)}
    assert database.contents.sources(table) == ["a"]
