"""The LMDB cache of small JPEGs by photo id. Safe to delete: what is missing is made again."""

import hashlib
import logging
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import lmdb
from PIL import Image, ImageOps

from db.errors import ExplorerError, first_line

_LOG = logging.getLogger(__name__)

SIDE = 400
MAX_SIZE = 1 << 30  # bytes: some 60,000 thumbnails; beyond that the oldest go
MAP_SIZE = 8 << 30  # bytes of address space, not of disk: LMDB's file grows as it is filled


class Thumbnails:
    """Square thumbnails of photos that a browser can't fetch by itself.

    They are cut as CLIP sees a photo: the centre square, upright.
    """

    def __init__(self, folder: Path, read: Callable[[str], Image.Image]) -> None:
        """Open the cache.

        Args:
            folder: where LMDB keeps its files; one `Thumbnails` a process and folder.
            read: opens the photo of a `file:` or `sample:` url; raises OSError or ValueError.

        Raises:
            ExplorerError: the folder can't be written, or holds something else.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._environment, self._order = _open(folder)
        except (OSError, lmdb.Error) as error:
            raise ExplorerError(
                f"Can't open the thumbnail cache in {folder}: {first_line(error)}. Delete that "
                "folder (it is only a cache), or set EXPLORER_DATA to one that can be written"
            ) from error
        self._read = read

    def get(self, photo_id: str, url: str) -> bytes:
        """The photo's thumbnail as JPEG bytes, made now if it isn't cached.

        Raises:
            OSError: the photo is gone or can't be read.
            ValueError: the photo is not an image, or its url is not one that can be read here.
        """
        cached = self._cached(photo_id)
        return self.put(photo_id, self._read(url)) if cached is None else cached

    def put(self, photo_id: str, image: Image.Image) -> bytes:
        """Cache the thumbnail of an image that is open anyway; returns the JPEG bytes."""
        side = min(SIDE, *image.size)
        square = ImageOps.fit(image.convert("RGB"), (side, side), Image.Resampling.LANCZOS)
        buffer = BytesIO()
        square.save(buffer, "JPEG", quality=85)
        try:
            with self._environment.begin(write=True) as transaction:
                self._make_room(transaction)
                transaction.put(_key(photo_id), buffer.getvalue())
                transaction.put(_now(), _key(photo_id), db=self._order)
        except lmdb.Error as error:
            # Full, or on a full disk: the thumbnail is made again when it is wanted again.
            _LOG.warning("a thumbnail was not cached: %s", error)
        return buffer.getvalue()

    def _make_room(self, transaction: lmdb.Transaction) -> None:
        """Delete the oldest thumbnails while there are too many."""
        oldest = transaction.cursor(self._order)
        while _size(transaction) > MAX_SIZE and oldest.first():
            transaction.delete(oldest.value())
            oldest.delete()

    def _cached(self, photo_id: str) -> bytes | None:
        try:
            with self._environment.begin() as transaction:
                found = transaction.get(_key(photo_id))
        except lmdb.Error as error:
            _LOG.warning("a thumbnail was not read: %s", error)
            return None
        return None if found is None else bytes(found)

    def close(self) -> None:
        """Release the files."""
        self._environment.close()


def _open(folder: Path) -> tuple[lmdb.Environment, Any]:
    """Open the files, or new ones where they are broken or of another LMDB.

    Returns the environment, whose main database holds the JPEGs, and the one beside it that holds
    their keys in the order in which they came.
    """
    try:
        return _open_files(folder)
    except (lmdb.InvalidError, lmdb.VersionMismatchError, lmdb.CorruptedError) as error:
        _LOG.warning("the thumbnail cache is made anew: %s", error)
        for name in ("data.mdb", "lock.mdb"):
            (folder / name).unlink(missing_ok=True)
        return _open_files(folder)


def _open_files(folder: Path) -> tuple[lmdb.Environment, Any]:
    environment = lmdb.open(str(folder), map_size=MAP_SIZE, max_dbs=1)
    try:
        return environment, environment.open_db(b"order")
    except lmdb.Error:
        environment.close()
        raise


def _size(transaction: lmdb.Transaction) -> int:
    """Bytes of the pages that hold the JPEGs."""
    stat = transaction.stat()
    pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
    return int(pages * stat["psize"])


def _now() -> bytes:
    # Big-endian: LMDB sorts keys byte by byte.
    return time.time_ns().to_bytes(8)


def _key(photo_id: str) -> bytes:
    # A hash, because LMDB's keys end at 511 bytes.
    return hashlib.blake2b(photo_id.encode(), digest_size=20).digest()
