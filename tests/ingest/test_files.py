import os
import socket
from pathlib import Path
from threading import BoundedSemaphore

import pytest

from ingest import files


def test_a_file_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_PIECE", 7)
    for content in (b"", b"1234567", bytes(range(256))):
        (tmp_path / "a").write_bytes(content)
        assert files.read(tmp_path / "a") == content


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert files.read(tmp_path / "b") == b"1"


@pytest.mark.parametrize("kind", ["pipe", "folder", "/dev/zero", "/dev/tty", "link to a pipe"])
def test_what_is_no_regular_file_is_not_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.jpg"
    os.mkfifo(tmp_path / "pipe")
    if kind == "pipe":
        path = tmp_path / "pipe"
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "pipe" if kind.startswith("link") else kind)
    # Where there is no terminal, its device can't be opened at all.
    with pytest.raises((ValueError, OSError), match=r"not a regular file|No such device"):
        files.read(path)


def test_a_socket_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # an address may have 100 bytes
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("a.jpg")
        with pytest.raises(OSError, match="No such device or address"):
            files.read(tmp_path / "a.jpg")


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 2_000_000)
    with (tmp_path / "a").open("wb") as file:
        file.truncate(2_000_001)
    with pytest.raises(ValueError, match=r"^over 2 MB$"):
        files.read(tmp_path / "a")


def test_what_can_not_be_opened_keeps_its_reason(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.read(tmp_path / "gone")
    with pytest.raises((OSError, ValueError)):
        files.read(tmp_path / ("a" * 5000))
    with pytest.raises(ValueError, match="null"):
        files.read(tmp_path / "a\0b")


def test_a_disk_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"1")
    read_end, write_end = os.pipe()
    opened = os.open

    def hanging(path: Path, flags: int) -> int:
        os.read(read_end, 1)
        return opened(path, flags)

    monkeypatch.setattr(files, "_hanging", BoundedSemaphore(2))
    monkeypatch.setattr(files.os, "open", hanging)
    for _ in range(2):
        with pytest.raises(TimeoutError, match=r"^the disk did not answer in time$"):
            files.read(tmp_path / "a", patience=0.1)
    with pytest.raises(TimeoutError, match=r"^the disk does not answer: .* reads hang already$"):
        files.read(tmp_path / "a", patience=0.1)
    os.write(write_end, b"12")
    for end in (read_end, write_end):
        os.close(end)
