"""What a photo's file was when it was read, and whether a file that is missing is gone."""

import hashlib
import stat
from dataclasses import replace
from pathlib import Path

from PIL import Image

from db.contents import Content
from ingest import files

_KEY = "content when it was read"
_DIGEST_SIZE = 16  # bytes


def keep_content(image: Image.Image, content: Content) -> Image.Image:
    """Have an image that was read tell what was read; returns the image."""
    image.info[_KEY] = content
    return image


def content_of(image: Image.Image, source: str) -> Content:
    """What an image was read from, as the source of that name told."""
    found: Content = image.info.get(_KEY, Content())
    return replace(found, source=source)


def bytes_content(body: bytes) -> Content:
    """The content of bytes that came without a file."""
    return Content(
        size=len(body), digest=hashlib.blake2b(body, digest_size=_DIGEST_SIZE).hexdigest()
    )


def file_content(path: Path, folder: Path) -> Content | None:
    """What a file below a folder is now, without its digest; None where that can't be told."""
    try:
        found = path.stat()
        apart = found.st_dev != folder.stat().st_dev
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return Content("", found.st_size, found.st_mtime_ns, "", apart)


def digest_of(path: Path) -> str:
    """The digest of a regular file's bytes; "" where they can't be read."""
    try:
        return bytes_content(files.read(path)).digest
    except (OSError, ValueError):
        return ""


def is_there(path: Path) -> bool:
    """Whether there is a file, or a link, of that name.

    Raises:
        OSError: it can't be told.
    """
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


def why_not_gone(path: Path, content: Content, folder: Path) -> str:
    """Why a file that is not there may be there still; "" where it is gone.

    Args:
        path: of the file, below the folder.
        content: what it was.
        folder: the one that is loaded; it is there.
    """
    if not content.apart:
        return ""
    above = path.parent
    while not above.exists() and above != folder:
        above = above.parent
    if above.stat().st_dev == folder.stat().st_dev:
        return "the disk that it was on is not there"
    return ""
