"""A photo's whole picture, for a browser to show or a file to keep."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from classifier.exports.folder import Fetched
from db.addresses import is_file, is_web, path_of
from db.photo import Photo
from ingest import files
from ingest.download import Downloader, fitted
from ingest.formats.orientation import UPRIGHT
from ingest.formats.stored import open_stored
from ingest.images import decode
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
    "BMP": "image/bmp",
    "AVIF": "image/avif",
}

_SUFFIXES = {
    **{"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"},
    **{"BMP": ".bmp", "TIFF": ".tif", "AVIF": ".avif", "HEIF": ".heic"},
}


@dataclass(frozen=True)
class Original:
    """The bytes of a picture, and their media type."""

    content: bytes
    media_type: str


def read_original(url: str, side: int) -> Original:
    """The picture behind a `file:` or `sample:` URL.

    A file goes out as it is: a browser turns it as its EXIF says and knows its colour profile. One
    that is too large for that, or of a kind that browsers don't show, is reduced and upright.

    Args:
        url: the photo's url.
        side: pixels of the longer side of a picture that has to be reduced.

    Raises:
        OSError: the file can't be read.
        ValueError: it is no image, or the URL is of another kind.
    """
    if not url.startswith("file:"):
        return _encoded(read_url(url, DRAWN_SIDE))
    content = files.read(path_of(url))
    media_type = _as_it_is(content)
    if media_type is not None:
        return Original(content, media_type)
    upright = decode(BytesIO(content), side)
    upright.thumbnail((side, side))
    return _encoded(upright)


def fetcher(side: int) -> Callable[[Photo], Fetched]:
    """What gets a photo's own bytes, to be kept in a file.

    A file's are as they are. A host is asked for at most `side` pixels; a scene is drawn.
    """
    downloader = Downloader()

    def fetch(photo: Photo) -> Fetched:
        """Get a photo's bytes.

        Raises:
            OSError: it can't be had now.
            ValueError: it is gone, or a host sent no image.
        """
        if is_file(photo.url):
            path = path_of(photo.url)
            return Fetched(files.read(path), path.suffix)
        if is_web(photo.url):
            content = downloader.get(fitted(photo.url, side))
            return Fetched(content, _suffix(content))
        return Fetched(read_original(photo.url, side).content, ".jpg")

    return fetch


def _suffix(content: bytes) -> str:
    with open_stored(content).image as image:
        return _SUFFIXES.get(image.format or "", ".jpg")


def _as_it_is(content: bytes) -> str | None:
    """The media type of a file that a browser shows well, or None."""
    stored = open_stored(content)
    with stored.image as image:
        small = image.width * image.height <= MAX_PIXELS and len(content) <= MAX_BYTES
        # Browsers don't turn those.
        turned = image.format == "WEBP" and stored.orientation != UPRIGHT
        return _SHOWN.get(image.format or "") if small and not turned else None


def _encoded(image: Image.Image) -> Original:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return Original(buffer.getvalue(), "image/jpeg")
