"""What the explorer writes is its user's alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.private import keep_private, private_folder

_WRITE = """
from pathlib import Path
from db.database import open_database
from db.private import keep_private
from db.settings import load_settings
from db.sessions import SessionRow
from db.thumbnails import Thumbnails
from PIL import Image
settings = load_settings()
keep_private(settings.data)
database = open_database(settings.database_url)
database.sessions.add(SessionRow("a", "b", "c", "a lake", 9))
thumbnails = Thumbnails(settings.data / "thumbnails", lambda url: Image.new("RGB", (9, 9)))
thumbnails.get("a", "sample:a")
"""


@pytest.fixture(autouse=True)
def _mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    """What somebody else could read or list of a folder."""
    found = [folder, *folder.rglob("*")]
    paths = [path for path in found if not path.is_symlink()]
    return [str(path.relative_to(folder)) for path in paths if path.stat().st_mode & 0o077]


@pytest.mark.parametrize("is_there", [True, False])
def test_others_can_read_nothing_of_the_data_folder(tmp_path: Path, is_there: bool) -> None:
    data = tmp_path / "data"
    if is_there:
        # As an earlier version of the explorer left it.
        (data / "thumbnails" / "deeper").mkdir(parents=True)
        (data / "thumbnails" / "old.bin").write_bytes(b"photo")
        (data / "thumbnails" / "deeper" / "link").symlink_to("/etc/passwd")
    environment = {**os.environ, "EXPLORER_DATA": str(data), "DATABASE_URL": ""}
    subprocess.run([sys.executable, "-c", _WRITE], check=True, env=environment)
    assert (data / "database" / "metadata").is_dir()
    assert list((data / "thumbnails").glob("*.sqlite*"))
    assert open_to_others(data) == []


def test_a_folder_with_other_things_in_it_stays_as_open_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "database").mkdir()
    (tmp_path / "public_html").mkdir()
    before = tmp_path.stat().st_mode
    keep_private(tmp_path)
    private_folder(tmp_path / "database")
    assert tmp_path.stat().st_mode == before
    assert open_to_others(tmp_path / "public_html") == ["."]
    assert open_to_others(tmp_path / "database") == []


def test_it_says_what_to_do_where_the_folder_is_somebody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    tmp_path.chmod(0o755)
    monkeypatch.setattr(Path, "chmod", refuse)
    private_folder(tmp_path)
    assert caplog.messages == [
        f"Others on this machine may read {tmp_path}, and that can't be changed (Operation not "
        f"permitted): have its owner run chmod -R go= {tmp_path}"
    ]
