"""Opening a database: what is up to date is left alone, what is older is brought up to date."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from db.arrivals import arrived
from db.connection import Connection, connect
from db.database import TABLES, open_database
from db.embedded import Folder
from db.errors import ExplorerError
from db.sessions import NOBODY, READING
from db.upgrades import UPGRADES
from tests.conftest import filled
from tests.disks import Disk, small_disk
from tests.reopened import reopened

# The tables of the first version, as it made them.
FIRST = (
    "CREATE TABLE collections (name String, model String, fingerprint String, source String, "
    "dimension UInt32, created DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY name",
    "CREATE TABLE sessions (id String, collection String, fingerprint String, prompt String, "
    "page_size UInt32, countries Array(String), photographers Array(String), "
    "keywords Array(String), created DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY id",
    "CREATE TABLE rounds (session String, round UInt32, weight Array(Float32), "
    "photos Array(String), made DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY (session, round)",
    "CREATE TABLE labels (session String, sequence UInt64, action UInt64, undoes UInt64, "
    "photo String, label Int8, round UInt32, made DateTime64(3, 'UTC')) ENGINE = MergeTree "
    "ORDER BY (session, sequence)",
    "CREATE TABLE classifiers (id String, name String, collection String, model String, "
    "fingerprint String, prompt String, session String, method String, rounds UInt32, ups UInt32, "
    "downs UInt32, weight Array(Float32), created DateTime64(3, 'UTC'), version UInt32, "
    "deleted UInt8) ENGINE = MergeTree ORDER BY (id, version)",
    "CREATE TABLE mine (id String, url String, vector Array(Float32), page String, "
    "photographer String, photographer_url String, description String, width UInt32, "
    "height UInt32, country String, keywords Array(String)) ENGINE = MergeTree ORDER BY id",
    "INSERT INTO collections VALUES ('mine', 'a-model', 'f', 's', 512, now())",
    "INSERT INTO mine (id, url, vector) VALUES ('a', 'file:///a', arrayResize([1.], 512))",
    "INSERT INTO sessions (id, collection, prompt, page_size) VALUES ('old', 'mine', 'p', 9)",
    "INSERT INTO labels (session, sequence, photo) VALUES ('old', 1, 'a')",
    "INSERT INTO classifiers (id, name, collection, weight, created) "
    "VALUES ('c', 'Lakes', 'mine', [1.], '2025-01-02 03:04:05')",
)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to the database, in order."""
    kept: list[str] = []
    command = Connection.command

    def keep(self: Connection, sql: str, parameters: Any = None) -> Any:
        kept.append(sql)
        return command(self, sql, parameters)

    monkeypatch.setattr(Connection, "command", keep)
    return kept


def changes(statements: list[str]) -> list[str]:
    return [sql for sql in statements if not re.match("SELECT|EXISTS", sql)]


def files(url: str) -> dict[Path, tuple[int, int, int]]:
    """The definitions of all tables and functions: their file, size and time."""
    path = Folder.of(url).path
    found = [*path.glob("store/*/*/*.sql"), *path.glob("*/*.sql")]
    return {
        file: (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        for file in found
        for stat in [file.stat()]
    }


def test_what_is_up_to_date_is_left_as_it_is(database_url: str, sent: list[str]) -> None:
    open_database(database_url).close()
    before = files(database_url)
    assert len(before) > len(TABLES)
    sent.clear()
    again = open_database(database_url)
    assert changes(sent) == []
    assert files(database_url) == before
    again.again().close()
    again.close()


def test_a_database_of_the_first_version_is_brought_up_to_date_once(
    database_url: str, sent: list[str]
) -> None:
    first = connect(database_url)
    for statement in FIRST:
        first.command(statement)
    first.close()
    database = open_database(database_url)
    assert [sql for sql in sent if "ADD COLUMN" in sql]
    old = database.sessions.find("old")
    assert old is not None
    assert (old.method, old.title) == ("article", "p")
    assert (old.owner, old.shared, old.sequence) == ("", NOBODY, 0)
    assert database.sessions.update("old", shared=READING) == database.sessions.find("old")
    assert database.sessions.labels("old")[0].author == ""
    assert database.collections.photos(database.collections.all()[0]).get(["a"])[0].photo.id == "a"
    (classifier,) = database.classifiers.all()
    assert (classifier.number, classifier.threshold, classifier.saved) == (
        1,
        None,
        classifier.created,
    )
    assert arrived(database.connection, "mine", classifier.seen) == set()
    assert database.damage() == []
    numbers = database.connection.rows("SELECT number FROM upgrades ORDER BY number")
    assert [row["number"] for row in numbers] == list(range(1, len(UPGRADES) + 1))
    database.close()
    sent.clear()
    open_database(database_url).close()
    assert changes(sent) == []


def test_an_upgrade_that_was_cut_off_goes_on_where_it_was(
    database_url: str, sent: list[str]
) -> None:
    database = open_database(database_url)
    database.connection.command("ALTER TABLE labels DROP COLUMN click")
    database.connection.command("ALTER TABLE upgrades DELETE WHERE 1 SETTINGS mutations_sync = 2")
    database.connection.insert("upgrades", {"number": 2})
    database.close()
    sent.clear()
    open_database(database_url).close()
    assert changes(sent)[0] == "ALTER TABLE labels ADD COLUMN IF NOT EXISTS click String DEFAULT ''"


# ---- no room


@pytest.mark.parametrize("lacks", ["f_bavail", "f_favail"])
def test_nothing_is_defined_where_there_is_no_room(
    database_url: str, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    database = open_database(database_url)
    filled(database, 3, "there")
    real = os.statvfs(Folder.of(database_url).path)
    counts = {name: getattr(real, name) for name in ("f_frsize", "f_bavail", "f_favail", "f_files")}
    full = SimpleNamespace(**{**counts, "f_files": 1000, "f_favail": 1000, lacks: 1})
    before = files(database_url)
    monkeypatch.setattr(os, "statvfs", lambda _: full)
    for define in (
        lambda: filled(database, 3, "another"),
        lambda: database.connection.command("ALTER TABLE there ADD COLUMN x String"),
        lambda: open_database(f"{database_url}_new"),
    ):
        with pytest.raises(ExplorerError) as caught:
            define()
        assert str(caught.value) == (
            f"The disk of {Folder.of(database_url).path} is full: free 4 MB or more and try "
            "again; nothing was changed there"
        )
    assert files(database_url) == before
    open_database(database_url).close()
    database.close()


def test_a_folder_that_takes_no_file_is_told(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def refuse(self: Path, mode: str = "r", *rest: Any, **others: Any) -> Any:
        if ".room" in self.name:
            raise OSError(122, "Disk quota exceeded")
        return opened(self, mode, *rest, **others)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ExplorerError, match=r"Can't write in .* \(Disk quota exceeded\), so noth"):
        filled(database, 3)


def test_a_definition_that_comes_out_empty_is_put_back(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = database.connection.rows(
        "SELECT metadata_path FROM system.tables WHERE database = currentDatabase() "
        "AND name = 'views'"
    )
    file = Folder.of(database.connection.url).path / told[0]["metadata_path"]
    before = file.read_text()
    command = type(database.connection.client).command

    def lose(self: Any, sql: str, *rest: Any, **others: Any) -> Any:
        answer = command(self, sql, *rest, **others)
        file.write_text("")
        return answer

    monkeypatch.setattr(type(database.connection.client), "command", lose)
    with pytest.raises(ExplorerError, match=r"views\.sql could not be written: free some space"):
        database.connection.command("ALTER TABLE views ADD COLUMN x String")
    assert file.read_text() == before


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk", megabytes=48) as mounted:
        yield mounted


def test_a_full_disk_takes_nothing_from_a_database(disk: Disk) -> None:
    path = disk.path / "database"
    there = ["[('mine', 300)]"]
    assert reopened(path, "fill") == there
    disk.fill()
    full = f"The disk of {path} is full: free 4 MB or more and try again; nothing was changed there"
    for _ in range(2):
        assert reopened(path, "define") == [*there, full]
    (told,) = reopened(path, "thumb")[1:]
    assert told == (
        "The disk of the database is full (Code: 243. DB::Exception: Cannot reserve 1.00 MiB, "
        "not enough space. (NOT_ENOUGH_SPACE)): free some space on it and try again; what was "
        "stored stays"
    )
    assert not [file for file in path.glob("**/*.sql") if not file.stat().st_size]
    disk.free()
    assert reopened(path, "define") == there
    disk.fill(leave=3 << 20)
    assert reopened(path, "drop") == ["[('mine', 300), ('another', 3)]"]
    disk.free()
    assert reopened(path) == ["[('another', 3)]"]
