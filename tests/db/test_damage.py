"""Damage is told, and never taken for emptiness."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from db.database import Database, open_database
from db.settings import Settings
from ingest.__main__ import main
from pages.services import open_services
from tests.conftest import STRATA, filled
from tests.disks import small_disk
from tests.reopened import reopened


def folder_of(database: Database, table: str) -> Path:
    """Where the rows of a table lie."""
    rows = database.connection.rows(
        "SELECT data_paths[1] AS path FROM system.tables WHERE database = currentDatabase() "
        "AND name = %(name)s",
        {"name": table},
    )
    return Path(rows[0]["path"])


def restarted(database: Database, table: str, meanwhile: Callable[[Path], None]) -> None:
    """Do something to the folder of a table, as if the engine were not there."""
    folder = folder_of(database, table)
    database.connection.command(f"DETACH TABLE {table} SYNC")
    meanwhile(folder)
    database.connection.command(f"ATTACH TABLE {table}")


def break_parts(folder: Path) -> None:
    """Cut the rows of a table short, as a disk does that loses its last blocks."""
    for file in folder.glob("*/data.bin"):
        os.truncate(file, 10)


def lose(folder: Path) -> None:
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (break_parts, "the engine set damaged files aside"),
        (lose, "the disk lost them, or they were deleted outside the explorer"),
    ],
)
def test_photos_that_are_missing_are_counted(
    database: Database, harm: Callable[[Path], None], why: str
) -> None:
    _, table, _ = filled(database, 300, "mine")
    filled(database, 30, "other")
    assert database.damage() == []
    restarted(database, "mine", harm)
    assert database.damage() == [
        f"300 of 300 photos of mine are missing: {why}. Load a test again to bring them back"
    ]
    filled(database, 300, "mine")
    table.drop_doubles()
    assert database.damage() == []
    assert table.count() == 300


def test_some_of_the_photos_are_missing(database: Database) -> None:
    _, table, _ = filled(database, 300, "mine")
    database.connection.command("DELETE FROM mine WHERE id < 'photo-00009'")
    (line,) = database.damage()
    assert line.startswith("9 of 300 photos of mine are missing: the disk lost them, or they were")
    table.drop_doubles()
    assert database.damage() == []


def test_thumbs_that_are_missing_are_told(database: Database) -> None:
    database.checks.draw("c", 1, 0.5, ["a"], STRATA)
    restarted(database, "checks", break_parts)
    assert database.damage() == [
        "Some of what checks holds (check samples of classifiers, and their thumbs) is missing: "
        "the engine set damaged files aside. Put the database back from a backup, or delete "
        f"{folder_of(database, 'checks')}/detached to hear no more of it"
    ]


def test_a_collection_whose_table_is_gone_is_told_and_can_be_loaded_again(
    database: Database,
) -> None:
    collection, table, _ = filled(database, 30, "mine")
    table.drop()
    assert database.collections.all() == []
    assert [lost.name for lost in database.collections.lost()] == ["mine"]
    assert database.damage() == [
        "All 30 photos of mine are missing: its table is gone. Put the database back from a "
        "backup, or load a test into it again"
    ]
    filled(database, 30, "mine")[1].drop_doubles()
    assert database.damage() == []
    table.drop()
    database.drop(collection)
    assert database.damage() == []
    assert database.collections.lost() == []


def test_a_table_whose_collection_is_gone_is_told_and_can_be_deleted(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(database, 30, "mine")
    restarted(database, "collections", break_parts)
    lines = database.damage()
    assert lines[0] == (
        "mine is a table of photos, and nothing tells any more which model made its vectors. Put "
        "the database back from a backup, or delete it: python -m ingest delete mine"
    )
    assert lines[1].startswith("Some of what collections holds (")
    monkeypatch.setenv("DATABASE_URL", database.connection.url)
    assert main(["delete", "mine"]) == 0
    assert capsys.readouterr().out == "mine is deleted; the photos themselves are not touched\n"
    assert [line for line in database.damage() if "mine" in line] == []
    assert main(["delete", "mine"]) == 1
    assert "There is no collection mine: python -m ingest status lists" in capsys.readouterr().err


def test_a_collection_that_can_not_be_read_is_listed_with_its_reason_and_can_be_deleted(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(database, 30, "mine")
    filled(database, 30, "other")
    database.connection.command("ALTER TABLE mine DROP COLUMN url")
    again = open_database(database.connection.url)
    assert [collection.name for collection in again.collections.all()] == ["mine", "other"]
    again.close()
    monkeypatch.setenv("DATABASE_URL", database.connection.url)
    assert main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("mine: can't be read: The database failed: ")
    assert "url" in lines[1]
    assert lines[2].startswith("other: 30 photos")
    assert main(["delete", "mine"]) == 0
    assert [collection.name for collection in database.collections.all()] == ["other"]


def test_rows_without_a_definition_are_told(database: Database) -> None:
    filled(database, 30, "mine")
    folder = folder_of(database, "mine")
    copy = folder.parent / "00000000-0000-4000-8000-000000000000"
    shutil.copytree(folder, copy)
    try:
        assert database.damage() == [
            f"{copy} holds rows of a table whose definition is gone. Put the database back from a "
            "backup, or delete that folder if nothing is missing"
        ]
    finally:
        shutil.rmtree(copy)


@pytest.mark.parametrize("table", ["mine", "collections"])
def test_the_sample_is_not_loaded_over_damage(
    database: Database, tmp_path: Path, table: str
) -> None:
    filled(database, 30, "mine")
    restarted(database, table, break_parts)
    if table == "mine":
        database.connection.command("DROP TABLE mine SYNC")
    assert database.collections.all() == []
    services = open_services(Settings(database.connection.url, tmp_path, "sample"))
    assert services.first_load is None
    services.thumbnails.close()
    services.database.close()


# ---- what keeps the engine from starting


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of 300 photos, closed."""
    path = tmp_path_factory.mktemp("stored") / "database"
    assert reopened(path, "fill") == ["[('mine', 300)]"]
    return path


@pytest.fixture
def path(stored: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(stored, tmp_path / "database", symlinks=True)


@pytest.mark.parametrize("text", [b"", b"\xff\x00 no SQL"])
def test_a_damaged_definition_is_named(path: Path, text: bytes) -> None:
    (file,) = path.glob("store/*/*/mine.sql")
    file.write_bytes(text)
    (told,) = reopened(path)
    assert told == (
        f"Can't open the embedded database in {path}: the definition of mine, {file}, is damaged. "
        "Put that file back from a backup, or move it away to open the database without that "
        "table, whose rows stay"
    )
    file.unlink()
    listed, lost, rows = reopened(path)
    assert listed == "[]"
    assert lost.startswith("All 300 photos of mine are missing: its table is gone.")
    assert rows.startswith(f"{path}/store/")


@pytest.mark.parametrize("lost", ["store", "metadata"])
def test_a_folder_that_is_missing_is_named_and_nothing_is_made_in_its_place(
    path: Path, lost: str
) -> None:
    shutil.rmtree(path / lost)
    for _ in range(2):
        (told,) = reopened(path)
        assert told.startswith(f"The database in {path} is damaged: {path / lost}")
        assert told.endswith(
            " is missing, with all that was stored there. Put it back from a backup, or delete "
            f"{path} to start with an empty database"
        )
    assert not (path / lost).exists()


def test_a_disk_that_takes_no_writes_is_told(stored: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=16) as disk:
        path = shutil.copytree(stored, disk.path / "database", symlinks=True)
        disk.read_only(True)
        (told,) = reopened(path)
        assert told == (
            f"Can't open the embedded database in {path}: Read-only file system, {path}/status. "
            "See that the folder can be written, or put it back from a backup if it is damaged"
        )
        disk.read_only(False)
        assert reopened(path) == ["[('mine', 300)]"]


def test_a_path_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (told,) = reopened(tmp_path / "file" / "database")
    assert told.startswith(f"Can't open the embedded database in {tmp_path}/file/database: [Errno")
