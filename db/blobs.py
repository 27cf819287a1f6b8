"""A file of blobs by key, for caches: it loses what it likes, and harms nobody.

SQLite rather than LMDB, whose file is memory: where that file is cut short, by a full disk or a
copy, touching the missing part kills the process with SIGBUS, whatever LMDB's options (4 of 15
damaged files did). SQLite reads its file with `mmap_size=0`, and without the shared memory of a
write-ahead log, so that damage is an error; each blob has a checksum besides.
"""

import hashlib
import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TypeVar

from db.errors import ExplorerError, first_line
from db.private import private_folder

_LOG = logging.getLogger(__name__)

PATIENCE = 2.0  # seconds to wait for another process that writes

# What passes, or is the disk's: the file is kept. Anything else says that it is damaged.
_WHOLE = frozenset(
    {
        *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM),
        *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM),
    }
)
_SET_UP = (
    "PRAGMA mmap_size = 0",
    "PRAGMA cell_size_check = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA journal_mode = TRUNCATE",
    # Nothing is forced to disk: what a power cut damages is made again.
    "PRAGMA synchronous = OFF",
    # Numbered in the order in which they came, whatever the clock says.
    "CREATE TABLE IF NOT EXISTS blobs (place INTEGER PRIMARY KEY AUTOINCREMENT, "
    "key BLOB NOT NULL UNIQUE, checksum BLOB NOT NULL, blob BLOB NOT NULL)",
)

T = TypeVar("T")


def open_cache(
    folder: Path, file: str, max_size: int, what: str, obsolete: Sequence[str] = ()
) -> "Blobs":
    """Open a cache that has a folder of its own.

    Args:
        folder: where it lies; processes may share it.
        file: its name there.
        max_size: bytes of disk that it may take.
        what: what it is, in words.
        obsolete: names of files of earlier versions, which are deleted.

    Raises:
        ExplorerError: the folder can't be written, or holds something else.
    """
    try:
        private_folder(folder)
        for name in obsolete:
            (folder / name).unlink(missing_ok=True)
        return Blobs(folder / file, max_size)
    except (OSError, sqlite3.Error) as error:
        raise ExplorerError(
            f"Can't open {what} in {folder}: {first_line(error)}. Delete that "
            "folder (it is only a cache), or set EXPLORER_DATA to one that can be written"
        ) from error


class Blobs:
    """Blobs by key, in one file; safe to share between threads, and between processes.

    Beyond its size the oldest go. What can't be read or stored is logged and taken for missing; a
    damaged file is made anew.
    """

    def __init__(self, file: Path, max_size: int) -> None:
        """Open the file, or make it.

        Args:
            file: in a folder that is there.
            max_size: bytes of disk that the blobs may take.

        Raises:
            sqlite3.Error: the file can't be opened or written, for another reason than damage or
                a full disk.
        """
        self._file = file
        self._max_size = max_size
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        try:
            self._try(_size)
        except sqlite3.Error as error:
            if _code(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                raise
            _LOG.warning("%s can't be used now: %s", file, error)

    def get(self, key: str) -> bytes | None:
        """The blob of a key, or None."""

        def read(connection: sqlite3.Connection) -> bytes | None:
            row = connection.execute(
                "SELECT blob, checksum FROM blobs WHERE key = ?", [_hash(key.encode())]
            ).fetchone()
            if row is None or not isinstance(row[0], bytes) or _hash(row[0]) != row[1]:
                return None
            return row[0]

        return self._logged(read, "a cached picture was not read")

    def put(self, key: str, blob: bytes) -> None:
        """Store a blob, in place of another of its key."""

        def write(connection: sqlite3.Connection) -> None:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                self._make_room(connection)
                connection.execute(
                    "INSERT OR REPLACE INTO blobs (key, checksum, blob) VALUES (?, ?, ?)",
                    [_hash(key.encode()), _hash(blob), blob],
                )

        self._logged(write, "a picture was not cached")

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._let_go()

    def _make_room(self, connection: sqlite3.Connection) -> None:
        while _size(connection) > self._max_size:
            gone = connection.execute(
                "DELETE FROM blobs WHERE place IN (SELECT place FROM blobs ORDER BY place LIMIT 8)"
            )
            if not gone.rowcount:
                return

    def _logged(self, work: Callable[[sqlite3.Connection], T], what: str) -> T | None:
        try:
            return self._try(work)
        except sqlite3.Error as error:
            _LOG.warning("%s: %s", what, error)
            return None

    def _try(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something with the file; once more with a new one where it is damaged."""
        with self._lock:
            try:
                return work(self._opened())
            except sqlite3.Error as error:
                self._let_go()
                if _code(error) in _WHOLE:
                    raise
                _LOG.warning("%s is damaged and made anew: %s", self._file, error)
                self._delete()
                return work(self._opened())

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(
                self._file, PATIENCE, isolation_level=None, check_same_thread=False
            )
            self._connection = connection
            for statement in _SET_UP:
                connection.execute(statement)
        return self._connection

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _delete(self) -> None:
        for file in (self._file, self._file.with_name(f"{self._file.name}-journal")):
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                raise sqlite3.OperationalError(f"{file} can't be deleted: {error}") from error


def _code(error: sqlite3.Error) -> int:
    """SQLite's code without its details; PERM, which deletes nothing, of an error of Python's."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_PERM)) & 0xFF


def _size(connection: sqlite3.Connection) -> int:
    """Bytes of the pages in use."""
    pages, free, size = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _hash(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=20).digest()
