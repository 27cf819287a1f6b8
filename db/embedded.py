"""The embedded engine's folder: its lock, its reasons, and the room that definitions need.

The engine takes a definition (the `.sql` file of a table, a view or a function) for written where
the disk was full: it leaves a file of 0 bytes, and the next start fails at it. So there has to be
room before a statement that defines something is run, and afterwards no file may be empty.
"""

import fcntl
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from db.errors import ExplorerError, first_line
from db.names import checked_name, quoted
from db.private import private_folder

ROOM = 4 << 20  # bytes free on the disk, below which nothing is defined
FILES = 64  # files that there must be room for, where the disk counts them
_TRIAL = 256 << 10  # bytes that are written to see whether a quota allows them

# Statements that write definitions, or the files of a mutation, which are as dangerous when empty.
# DROP is none of them: it is what makes room.
_DEFINES = re.compile(r"(CREATE|ALTER|RENAME|EXCHANGE|ATTACH|DETACH)\b")

# Standard error belongs to the process: one at a time.
_listening = threading.Lock()


@dataclass(frozen=True)
class Folder:
    """What a DSN `chdb:///absolute/path[?database=name]` names.

    Attributes:
        path: the engine's folder.
        database: the database in it; None for the engine's own.
    """

    path: Path
    database: str | None

    @classmethod
    def of(cls, url: str) -> "Folder":
        """The folder that a DSN names."""
        parts = urlsplit(url)
        return cls(Path(unquote(parts.path)), parse_qs(parts.query).get("database", [None])[0])

    def open(self) -> Client:
        """A client of the database.

        Raises:
            ExplorerError: another process has it, its files are damaged, or can't be written.
        """
        client = _open(self.path, self.database)
        if self.lock() is None:
            client.close()
            raise ExplorerError(self.moved())
        return client

    def lock(self) -> tuple[int, int] | None:
        """Which file locks the folder now (device and inode); None if there is none.

        The engine holds one open as long as it runs. Where another one lies, or none, the folder
        was moved away, and what the engine writes goes to a new one that nobody will look at.
        """
        try:
            stat = (self.path / "status").stat()
        except OSError:
            return None
        return stat.st_dev, stat.st_ino

    def moved(self) -> str:
        """One line for when it is no longer where it was opened."""
        return (
            f"The database is no longer in {self.path}: the folder was moved, replaced or deleted "
            "while it was open, and nothing is stored elsewhere. Put it back, or stop the app and "
            "start it with EXPLORER_DATA set to where it is now"
        )

    def create_database(self) -> None:
        """Create the database if it isn't there."""
        if self.database is None:
            return
        name = checked_name(self.database)
        client = _open(self.path, None)
        try:
            there = client.command(
                "SELECT count() FROM system.databases WHERE name = %(name)s", {"name": name}
            )
            if not int(str(there)):
                sql = f"CREATE DATABASE IF NOT EXISTS {quoted(name)}"
                with self.defining(sql):
                    client.command(sql)
        finally:
            client.close()

    @contextmanager
    def defining(self, sql: str) -> Iterator[None]:
        """Runs a statement only if there is room for what it defines, and sees that it is written.

        Raises:
            ExplorerError: there is no room, or the folder can't be written.
        """
        if not _DEFINES.match(sql):
            yield
            return
        check_room(self.path)
        before = self._definitions()
        yield
        for file in [file for file, text in self._definitions().items() if not text]:
            _put_back(file, before.get(file, b""))

    def _definitions(self) -> dict[Path, bytes]:
        """The files that define this database, its tables and the functions of all."""
        name = self.database or "default"
        metadata = self.path / "metadata"
        files = [metadata / f"{name}.sql", *(metadata / name).glob("*.sql")]
        found: dict[Path, bytes] = {}
        for file in [*files, *(self.path / "user_defined").glob("*.sql")]:
            with suppress(FileNotFoundError):
                found[file] = file.read_bytes()
        return found


def check_room(path: Path) -> None:
    """See that a definition can be written.

    Raises:
        ExplorerError: the disk is full, or the folder can't be written.
    """
    trial = path / f".room-{os.getpid()}-{threading.get_ident()}"
    try:
        disk = os.statvfs(path)
        if disk.f_bavail * disk.f_frsize < ROOM or (disk.f_files and disk.f_favail < FILES):
            raise _no_room(path)
        with trial.open("wb") as file:
            file.write(bytes(_TRIAL))
    except OSError as error:
        raise ExplorerError(
            f"Can't write in {path} ({error.strerror}), so nothing was changed there: make it "
            "writable or free some space, and try again"
        ) from error
    finally:
        with suppress(OSError):
            trial.unlink(missing_ok=True)


def _no_room(path: Path) -> ExplorerError:
    return ExplorerError(
        f"The disk of {path} is full: free {ROOM >> 20} MB or more and try again; nothing was "
        "changed there"
    )


def _put_back(file: Path, text: bytes) -> None:
    """Undo a definition that was not written: an empty one would keep the database from opening."""
    try:
        if text:
            file.write_bytes(text)
        else:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise ExplorerError(
            f"{file} could not be written ({error.strerror}) and is empty: free some space, then "
            "put that file back from a backup before the database is opened again"
        ) from error
    raise ExplorerError(
        f"{file} could not be written: free some space on its disk, close the app or the command, "
        "and try again; what was stored stays"
    )


# ---- opening


def _open(path: Path, database: str | None) -> Client:
    try:
        _refuse_if_locked(path)
        _refuse_if_gone(path)
        private_folder(path)
    except OSError as error:
        raise ExplorerError(_cant_open(path, first_line(error))) from error
    with _standard_error() as said:
        try:
            return clickhouse_connect.get_client(
                interface="chdb",
                path=str(path),
                database=database,
                tz_mode="schema",
                # Nothing is sent anywhere: packing vectors would only take time.
                settings={"output_format_arrow_compression_method": "none"},
            )
        except (ClickHouseError, OSError) as error:
            raise ExplorerError(_cant_open(path, said() or first_line(error))) from error


def _refuse_if_locked(path: Path) -> None:
    """Say who holds the engine before it is asked, since it would tell only stderr."""
    status = path / "status"
    if not status.exists():
        return
    text = status.read_text(errors="replace")
    owner = re.search(r"PID: (\d+)", text)
    if owner and int(owner[1]) == os.getpid():
        return
    with status.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = f"process {owner[1]}" if owner else "another process"
            raise ExplorerError(
                f"{status} is locked by {holder}, and the embedded database serves one process: "
                "stop that one, or, if it is the app, load photos from its Collection page"
            ) from None


def _refuse_if_gone(path: Path) -> None:
    """The engine would make a database anew, and empty, where only its folder of tables is lost."""
    metadata = path / "metadata"
    if not metadata.is_dir():
        if (path / "store").is_dir():
            raise ExplorerError(_gone(path, metadata))
        return
    for link in metadata.iterdir():
        if link.is_symlink() and not link.exists():
            raise ExplorerError(_gone(path, (metadata / link.readlink()).resolve()))


def _gone(path: Path, missing: Path) -> str:
    return (
        f"The database in {path} is damaged: {missing} is missing, with all that was stored there. "
        f"Put it back from a backup, or delete {path} to start with an empty database"
    )


def _cant_open(path: Path, said: str) -> str:
    """One line of what the engine says on standard error, and what to do."""
    damaged = re.search(r"metadata file ([^\n]+?\.sql)\b", said)
    if damaged:
        return (
            f"Can't open the embedded database in {path}: the definition of "
            f"{Path(damaged[1]).stem}, {damaged[1]}, is damaged. Put that file back from a "
            "backup, or move it away to open the database without that table, whose rows stay"
        )
    told = re.search(r"strerror: ([^(\n]+?)\.? \(", said)
    file = re.search(r"file (/[^\n:]+?):? ?,", said)
    reason = f"{told[1]}{f', {file[1]}' if file else ''}" if told else _first(said)
    return (
        f"Can't open the embedded database in {path}: {reason}. "
        "See that the folder can be written, or put it back from a backup if it is damaged"
    )


def _first(said: str) -> str:
    """The engine's first sentence, at most as long as a line may be."""
    line = next((line for line in said.splitlines() if line.strip()), "no reason was given")
    return line.strip()[:200].rstrip(".")


@contextmanager
def _standard_error() -> Iterator[Callable[[], str]]:
    """Hears what is written to standard error; what nobody asked for is passed on at the end."""
    with _listening:
        before = os.dup(2)
        # A pipe, since a file could be on the very disk that is full.
        ear, mouth = os.pipe()
        os.set_blocking(ear, False)
        os.set_blocking(mouth, False)
        os.dup2(mouth, 2)
        try:
            yield lambda: _heard(ear).decode(errors="replace")
        finally:
            os.dup2(before, 2)
            os.write(2, _heard(ear))
            for end in (before, ear, mouth):
                os.close(end)


def _heard(ear: int) -> bytes:
    parts = []
    with suppress(BlockingIOError):
        while part := os.read(ear, 1 << 16):
            parts.append(part)
    return b"".join(parts)
