"""Files from browsers, whatever they are called."""

import stat
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.errors import ExplorerError
from pages.uploads import Limits, keep

LIMITS = Limits(files=20, megabytes=1)


@dataclass
class Sent:
    """A file as a browser sends it."""

    name: str
    content: bytes = b"red"

    @property
    def size(self) -> int:
        return len(self.content)

    def getbuffer(self) -> memoryview:
        return memoryview(self.content)


def kept(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_folder_is_kept_as_it_is_for_nobody_elses_eyes(tmp_path: Path) -> None:
    folder = tmp_path / "uploads" / "mine"
    sent = [Sent("trip/day 1/IMG_1.jpg"), Sent("trip/Åre.PNG", b"blue"), Sent("trip/notes.txt")]
    assert keep(sent, folder, LIMITS) == 2
    assert kept(folder) == {"trip/day 1/IMG_1.jpg": b"red", "trip/Åre.PNG": b"blue"}
    for path in (tmp_path / "uploads").rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("../../../etc/x.jpg", "etc/x.jpg"),
        ("/etc/x.jpg", "etc/x.jpg"),
        ("..\\..\\C:\\x.jpg", "C_/x.jpg"),
        ("a/./b//x.jpg", "a/b/x.jpg"),
        ("a/.ssh/x.jpg", "a/ssh/x.jpg"),
        ("x\0.jpg", "x_.jpg"),
        ("a\n<b>/x&.jpg", "a__b_/x_.jpg"),
        (f"{'y' * 300}.jpg", f"{'y' * 100}.jpg"),
        (f"{'海' * 300}.jpg", f"{'海' * 33}.jpg"),
        ("/".join("abcdefghijkl") + "/x.jpg", "f/g/h/i/j/k/l/x.jpg"),
    ],
)
def test_names_are_no_paths_out(tmp_path: Path, name: str, at: str) -> None:
    keep([Sent(name)], tmp_path / "mine", LIMITS)
    assert list(kept(tmp_path)) == [f"mine/{at}"]


@settings(max_examples=150, deadline=None)
@given(names=st.lists(st.text(max_size=40).map(lambda text: f"{text}.jpg"), max_size=4))
def test_whatever_a_browser_says_everything_lies_in_the_folder(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    home = tmp_path_factory.mktemp("any")
    folder = home / "mine"
    sent = [Sent(name, name.encode("utf-8", "replace")) for name in names]
    try:
        count = keep(sent, folder, LIMITS)
    except ExplorerError:
        assert not list(home.iterdir())
        return
    assert [path.name for path in home.iterdir()] == ["mine"]
    assert count <= len(names)
    assert {each.content for each in sent} >= set(kept(folder).values())


def test_what_is_there_is_neither_overwritten_nor_kept_twice(tmp_path: Path) -> None:
    assert keep([Sent("a.jpg"), Sent("a.jpg", b"blue"), Sent("a.jpg")], tmp_path, LIMITS) == 3
    keep([Sent("a.jpg", b"blue"), Sent("a.jpg")], tmp_path, LIMITS)
    assert kept(tmp_path) == {"a.jpg": b"red", "a-2.jpg": b"blue"}


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    folder, other = tmp_path / "mine", tmp_path / "other.jpg"
    folder.mkdir()
    (folder / "a.jpg").symlink_to(other)
    keep([Sent("a.jpg")], folder, LIMITS)
    assert not other.exists()
    assert (folder / "a-2.jpg").read_bytes() == b"red"


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ([Sent(f"{n}.jpg") for n in range(21)], "These are 21 files, and 20 can come at once: up"),
        ([Sent("a.jpg", bytes(1_000_001))], "These are 1 MB, and 1 can come at once: upload them"),
        ([Sent("a.txt"), Sent(".hidden.txt")], "None of 2 files is a photo: upload JPEG, PNG or"),
        ([Sent("a.svg")], "None of 1 file is a photo"),
        ([Sent("..")], "None of 1 file is a photo"),
    ],
)
def test_too_much_or_nothing_is_refused(tmp_path: Path, sent: list[Sent], says: str) -> None:
    with pytest.raises(ExplorerError) as refused:
        keep(sent, tmp_path / "mine", LIMITS)
    assert says in str(refused.value)
    assert not (tmp_path / "mine").exists()


def test_where_there_is_no_room_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("a file")
    with pytest.raises(ExplorerError, match="Photos can't be kept in"):
        keep([Sent("a.jpg")], tmp_path / "mine", LIMITS)
