"""A photo's whole picture, for a browser to show."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from ingest.content import path_of
from ingest.images import FORMATS
from ingest.sources import read_url

# Bytes and pixels up to which a file goes to the browser as it is.
MAX_BYTES = 30_000_000
MAX_PIXELS = 30_000_000
DRAWN_SIDE = 800
# What every browser shows; Pillow takes a JPEG with a second picture behind it for an MPO.
_SHOWN = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
}


@dataclass(frozen=True)
class Original:
    """The bytes of a picture, and their media type."""

    content: bytes
    media_type: str


def read_original(url: str, side: int) -> Original:
    """The picture behind a `file:` or `sample:` URL.

    A file goes out as it is: a browser turns it as its EXIF says and knows its colour profile. One
    that is too large for that is reduced, and keeps both.

    Args:
        url: the photo's url.
        side: pixels of the longer side of a picture that has to be reduced.

    Raises:
        OSError: the file can't be read.
        ValueError: it is no image, or the URL is of another kind.
    """
    if not url.startswith("file:"):
        return _encoded(read_url(url, DRAWN_SIDE))
    path = path_of(url)
    if not path.is_file():
        raise FileNotFoundError("the file is gone")
    media_type = _as_it_is(path)
    if media_type is not None:
        return Original(path.read_bytes(), media_type)
    upright = read_url(url, side)
    upright.thumbnail((side, side))
    return _encoded(upright)


def _as_it_is(path: Path) -> str | None:
    """The media type of a file that a browser shows well, or None."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            small = image.width * image.height <= MAX_PIXELS
            media_type = _SHOWN.get(image.format or "")
    except (UnidentifiedImageError, Image.DecompressionBombError):
        return None
    return media_type if small and path.stat().st_size <= MAX_BYTES else None


def _encoded(image: Image.Image) -> Original:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=90, icc_profile=image.info.get("icc_profile"))
    return Original(buffer.getvalue(), "image/jpeg")
