"""The cache of small JPEGs by photo id. Safe to delete: what is missing is made again."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from db.blobs import open_cache

SIDE = 400
MAX_SIZE = 1 << 30  # bytes: some 60,000 thumbnails; beyond that the oldest go

# Of earlier versions, whose cache it was.
_OLD = ("data.mdb", "lock.mdb")


class Thumbnails:
    """Square thumbnails of photos that a browser can't fetch by itself.

    They are cut as CLIP sees a photo: the centre square, upright.
    """

    def __init__(self, folder: Path, read: Callable[[str], Image.Image]) -> None:
        """Open the cache.

        Args:
            folder: where the cache lies; processes may share it.
            read: opens the photo of a `file:` or `sample:` url; raises OSError or ValueError.

        Raises:
            ExplorerError: the folder can't be written, or holds something else.
        """
        self._blobs = open_cache(
            folder, "thumbnails.sqlite", MAX_SIZE, "the thumbnail cache", obsolete=_OLD
        )
        self._read = read

    def get(self, photo_id: str, url: str) -> bytes:
        """The photo's thumbnail as JPEG bytes, made now if it isn't cached.

        Raises:
            OSError: the photo is gone or can't be read.
            ValueError: the photo is not an image, or its url is not one that can be read here.
        """
        cached = self._blobs.get(photo_id)
        return self.put(photo_id, self._read(url)) if cached is None else cached

    def put(self, photo_id: str, image: Image.Image) -> bytes:
        """Cache the thumbnail of an image that is open anyway; returns the JPEG bytes."""
        side = min(SIDE, *image.size)
        square = ImageOps.fit(image.convert("RGB"), (side, side), Image.Resampling.LANCZOS)
        buffer = BytesIO()
        square.save(buffer, "JPEG", quality=85)
        self._blobs.put(photo_id, buffer.getvalue())
        return buffer.getvalue()

    def close(self) -> None:
        """Release the file."""
        self._blobs.close()
