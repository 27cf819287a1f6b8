import csv
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from classifier.exports.cells import plain
from classifier.exports.entries import Entry, Selection
from classifier.exports.folder import Export, Fetched, Order, Report
from classifier.exports.job import Exporter
from classifier.exports.manifest import NAME
from db.addresses import is_file, path_of
from db.errors import ExplorerError
from db.photo import Photo
from db.sessions import DOWN, UP
from ingest.sources import FolderSource
from tests.classifier.selections import selection
from tests.ingest.photos import photo_bytes


def entries(n: int, label: int | None = None) -> list[Entry]:
    return [
        Entry(Photo(f"-id{number}", f"https://images.test/{number}"), 0.5, label)
        for number in range(n)
    ]


def fetch(photo: Photo) -> Fetched:
    return Fetched(photo_bytes(int(photo.url.rpartition("/")[2])), ".jpg")


def run(
    some: Selection, folder: Path, by: Callable[[Photo], Fetched] = fetch, **order: bool
) -> Report:
    return Export(Order(some, folder, **order), by).run()


def listed(folder: Path) -> dict[str, str]:
    with (folder / NAME).open(encoding="utf-8", newline="") as file:
        return {plain(row["id"]): plain(row["file_name"]) for row in csv.DictReader(file)}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != NAME
    }


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    folder = tmp_path / "originals"
    for number, name in enumerate(
        ("a/=1.jpg", "b/=1.jpg", "c/=1.JPG", "d/+.png", "e/caf\udce9[*].jpg")
    ):
        path = folder / name
        path.parent.mkdir(parents=True)
        path.write_bytes(photo_bytes(number))
    return folder


def of_files(folder: Path) -> Selection:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return selection(
        *(
            Entry(Photo(f"id-{path.parent.name}", path.as_uri()), 0.5, DOWN if n % 2 else UP)
            for n, path in enumerate(paths)
        )
    )


def read(photo: Photo) -> Fetched:
    path = path_of(photo.url)
    return Fetched(path.read_bytes(), path.suffix)


def read_any(photo: Photo) -> Fetched:
    return read(photo) if is_file(photo.url) else fetch(photo)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # theirs
def test_hugging_faces_datasets_reads_the_folder(tmp_path: Path) -> None:
    some = selection(*entries(3), *(Entry(Photo("no", "https://images.test/7"), 0.1, DOWN),))
    report = run(some, tmp_path / "out")
    assert report.summary() == "4 photos written"
    import datasets  # takes seconds

    table = datasets.load_dataset(
        "imagefolder", data_dir=str(tmp_path / "out"), cache_dir=str(tmp_path / "cache")
    )["train"]
    rows = {row["id"]: row for row in table}
    assert rows.keys() == {"'-id0", "'-id1", "'-id2", "no"}
    assert rows["'-id1"]["image"].size == (61, 40)
    assert (rows["'-id1"]["label"], rows["no"]["label"]) == ("Lakes", "not Lakes")
    assert (rows["'-id1"]["thumb"], rows["no"]["thumb"]) == (None, "down")
    assert rows["no"]["score"] == 0.1


def test_a_tree_has_a_folder_for_yes_and_one_for_no(tmp_path: Path) -> None:
    some = selection(*entries(2, UP), *entries(4, DOWN)[2:], name="-Lakes/../&")
    run(some, tmp_path / "out", by_class=True)
    # torchvision's ImageFolder: a class for each folder, and nothing else counts.
    classes = {path.name: path for path in (tmp_path / "out").iterdir() if path.is_dir()}
    assert sorted(classes) == ["Lakes_..__", "not -Lakes_..__"]
    assert sorted(path.name for path in classes["Lakes_..__"].iterdir()) == ["id0.jpg", "id1.jpg"]
    assert listed(tmp_path / "out")["-id3"] == "not -Lakes_..__/id3.jpg"
    assert (tmp_path / "out" / listed(tmp_path / "out")["-id3"]).read_bytes() == photo_bytes(3)


def test_names_that_collide_and_odd_names_are_told_apart(tmp_path: Path, originals: Path) -> None:
    some = of_files(originals)
    run(some, tmp_path / "out", read)
    names = listed(tmp_path / "out")
    assert len({name.casefold() for name in names.values()}) == 5
    assert all(
        name.isprintable() and not name.startswith(("=", "+", "-", ".")) for name in names.values()
    )
    for entry in some.entries:
        assert (tmp_path / "out" / names[entry.photo.id]).read_bytes() == read(entry.photo).content


def test_links_lead_to_the_files_and_others_are_copied(tmp_path: Path, originals: Path) -> None:
    some = selection(*of_files(originals).entries, *entries(1))
    gone = originals / "d" / "+.png"
    gone.unlink()
    report = run(some, tmp_path / "out", link=True)
    names = listed(tmp_path / "out")
    assert (tmp_path / "out" / names["id-a"]).readlink() == originals / "a" / "=1.jpg"
    assert not (tmp_path / "out" / names["-id0"]).is_symlink()
    assert [(photo.id, why) for photo, why in report.missing] == [("id-d", "there is no such file")]
    assert report.summary() == "5 photos written, 1 could not be had"
    (originals / "a" / "=1.jpg").unlink()
    again = run(some, tmp_path / "out", link=True)
    assert [photo.id for photo, _ in again.missing] == ["id-a", "id-d"]


@pytest.mark.parametrize("link", [True, False])
def test_originals_that_may_not_be_read_are_missing_ones(tmp_path: Path, link: bool) -> None:
    """No part of a path may have so many letters: it fails as one does that may not be read."""
    urls = [f"file:///{'x' * 300}/a.jpg", "file:///a%00b.jpg", "file:///none/x.jpg"]
    some = selection(*(Entry(Photo(f"id-{n}", url), 0.5, UP) for n, url in enumerate(urls)))
    report = run(selection(*some.entries, *entries(1)), tmp_path / "out", read_any, link=link)
    assert [photo.id for photo, _ in report.missing] == ["id-1", "id-2", "id-0"]
    assert report.missing[2][1] == "File name too long"
    assert report.written == 1


def test_missing_originals_are_told_and_come_with_the_next_run(tmp_path: Path) -> None:
    def flaky(photo: Photo) -> Fetched:
        if photo.id in away:
            raise away[photo.id]
        return fetch(photo)

    away = {
        "-id1": OSError("timed out"),
        "-id2": FileNotFoundError(2, "No such file"),
        "-id3": ValueError("HTTP 404"),
    }
    some = selection(*entries(5))
    report = run(some, tmp_path, flaky)
    assert [why for _, why in report.missing] == ["timed out", "No such file", "HTTP 404"]
    assert listed(tmp_path).keys() == {"-id0", "-id4"}
    away.clear()
    assert run(some, tmp_path, flaky).summary() == "3 photos written, 2 there already"
    assert len(contents(tmp_path)) == 5
    assert (
        run(
            selection(Entry(Photo("x", "https://images.test/1"), 1, None)),
            tmp_path / "b",
            lambda _: Fetched(b"", ".jpg"),
        ).missing[0][1]
        == "it is empty"
    )


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "id0.jpg").write_bytes(b"mine")
    with pytest.raises(ExplorerError, match=r"is not empty: name an empty folder, or a new one"):
        run(selection(*entries(2)), tmp_path)
    assert contents(tmp_path) == {"id0.jpg": b"mine"}
    (tmp_path / "id0.jpg").unlink()
    run(selection(*entries(1)), tmp_path)
    (tmp_path / "id1.jpg").write_bytes(b"mine")  # meanwhile
    (tmp_path / "id0.jpg").write_bytes(b"edited")
    run(selection(*entries(2)), tmp_path)
    assert contents(tmp_path)["id1.jpg"] == b"mine"
    assert contents(tmp_path)["id0.jpg"] == b"edited"
    assert (tmp_path / listed(tmp_path)["-id1"]).read_bytes() == photo_bytes(1)


@pytest.mark.parametrize("cut", range(0, 400, 37))
def test_an_export_that_was_killed_goes_on(tmp_path: Path, cut: int) -> None:
    """Killed: the list ends anywhere, a file is empty, and what was half written lies about."""
    some = selection(*entries(4))
    run(some, tmp_path)
    whole = contents(tmp_path)
    text = (tmp_path / NAME).read_bytes()
    head = text.index(b"\n") + 1
    (tmp_path / NAME).write_bytes(text[: head + cut])
    for name in list(whole)[2:]:
        (tmp_path / name).unlink()
    (tmp_path / list(whole)[2]).touch()
    (tmp_path / ".export-1-2.part").write_bytes(b"half")
    report = run(some, tmp_path)
    assert report.written + report.present == 4
    assert report.present <= 2
    names = listed(tmp_path)
    for entry in some.entries:
        assert (tmp_path / names[entry.photo.id]).read_bytes() == fetch(entry.photo).content
    assert not list(tmp_path.glob(".*"))


def test_an_export_can_be_stopped_and_goes_on(tmp_path: Path) -> None:
    stop = Event()

    def once(photo: Photo) -> Fetched:
        stop.set()
        return fetch(photo)

    some = selection(*entries(40))
    report = Export(Order(some, tmp_path), once, stop).run()
    assert report.stopped
    assert 0 < report.written < 40
    assert len(listed(tmp_path)) == report.written
    again = run(some, tmp_path)
    assert (again.present, again.written) == (report.written, 40 - report.written)


def test_an_earlier_export_has_to_be_a_part_of_this_one(tmp_path: Path) -> None:
    run(selection(*entries(3)), tmp_path)
    before = contents(tmp_path)
    with pytest.raises(ExplorerError, match=r"is no part of this one \(.* place: 1\): name"):
        run(selection(*entries(2)), tmp_path)
    with pytest.raises(ExplorerError, match=r"in another place: 3\): name another folder"):
        run(selection(*entries(3)), tmp_path, by_class=True)
    assert contents(tmp_path) == before
    assert run(selection(*entries(4)), tmp_path).summary() == "1 photo written, 3 there already"


@pytest.mark.parametrize(
    "list_of_others",
    [
        "a,b\r\n1,2\r\n",
        "",
        "file_name,id\r\n",
        '"',
        "\0",
        "file_name,id,label,thumb,score,url,photographer,page\r\n../../x,-id0,a,b,1,c,d,e\r\n",
    ],
)
def test_another_programs_list_is_left_alone(tmp_path: Path, list_of_others: str) -> None:
    (tmp_path / NAME).write_text(list_of_others, newline="")
    with pytest.raises(
        ExplorerError, match=r"is another program's: name an|holds an earlier export"
    ):
        run(selection(*entries(1)), tmp_path)
    assert (tmp_path / NAME).read_text() == list_of_others.replace("\r\n", "\n")


def test_what_cant_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExplorerError, match=r"Can't write to .*/file: File exists. What is there"):
        run(selection(*entries(1)), tmp_path / "file")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(
        ExplorerError, match=r"No space left on device. What is there stays: put this"
    ):
        run(selection(*entries(30)), tmp_path / "out")
    monkeypatch.undo()
    assert contents(tmp_path / "out") == {}
    assert run(selection(*entries(30)), tmp_path / "out").written == 30


def test_files_have_the_rights_of_new_files(tmp_path: Path) -> None:
    run(selection(*entries(1)), tmp_path / "out")
    (tmp_path / "new").touch()
    rights = [
        stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "new", tmp_path / "out" / "id0.jpg")
    ]
    assert rights[0] == rights[1]


def test_one_export_at_a_time_and_its_error_is_a_line(tmp_path: Path) -> None:
    go, exporter = Event(), Exporter()

    def slow(photo: Photo) -> Fetched:
        go.wait(30)
        return fetch(photo)

    job = exporter.start(Order(selection(*entries(2)), tmp_path / "out"), slow)
    with pytest.raises(ExplorerError, match=r"Photos are being written to .*out: wait until that"):
        exporter.start(Order(selection(*entries(2)), tmp_path / "other"), slow)
    # Others would keep the app from ending until the last photo is written.
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "export")
    go.set()
    job.wait(30)
    assert (job.done, job.error, exporter.running) == (2, "", False)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    job = exporter.start(Order(selection(*entries(2)), tmp_path / "full"), fetch)
    job.wait(30)
    assert job.error.endswith("is not empty: name an empty folder, or a new one")

    def bug(_photo: Photo) -> Fetched:
        raise KeyError("a bug")

    job = exporter.start(Order(selection(*entries(2)), tmp_path / "third"), bug)
    job.wait(30)
    assert job.error.startswith(f"Writing to {tmp_path / 'third'} stopped: 'a bug'. What is there")


@pytest.mark.parametrize("by_class", [False, True])
def test_copies_below_a_loaded_folder_are_no_new_photos(tmp_path: Path, by_class: bool) -> None:
    (tmp_path / "one.jpg").write_bytes(photo_bytes(1))
    copies = tmp_path / "out" / "lakes"
    run(selection(*entries(3)), copies, by_class=by_class)
    source = FolderSource(tmp_path)
    assert [photo.description for photo in source.photos()] == ["one.jpg"]
    assert source.left_out == {
        "folders that photos were exported to (load them by their own path)": 1
    }
    assert len(list(FolderSource(copies).photos())) == 3


def test_a_list_of_another_program_hides_no_photos(tmp_path: Path) -> None:
    for name, content in (("a", b"file_name,text\r\n"), ("b", b"")):
        (tmp_path / name).mkdir()
        (tmp_path / name / NAME).write_bytes(content)
        (tmp_path / name / "one.jpg").write_bytes(photo_bytes(1))
    (tmp_path / "c").mkdir()
    os.mkfifo(tmp_path / "c" / NAME)
    (tmp_path / "c" / "one.jpg").write_bytes(photo_bytes(1))
    assert len(list(FolderSource(tmp_path).photos())) == 3
