"""Reading pixels, also of a picture whose file ends too soon or is broken further down.

A browser shows what is there on white. So does this, unless that is less than a quarter.
"""

from collections.abc import Callable
from contextlib import suppress

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from ingest.formats import png
from ingest.formats.stored import BROKEN, CUT, Stored, decoding

MOST_MISSING = 0.75  # of the pixels
_LARGEST_BLOCK = 32  # rows that a JPEG of four rows of blocks in one decodes at once
_END_OF_JPEG = b"\xff\xd9"
# What libjpeg fills in where nothing was read.
_UNREAD_GREY = 128

Missing = npt.NDArray[np.bool_]


Again = Callable[[bytes], Stored]


def read(stored: Stored, content: bytes, again: Again) -> tuple[Stored, Missing | None]:
    """Read the pixels.

    Args:
        stored: the picture.
        content: its file.
        again: opens a file in the same way.

    Returns:
        The picture whose image was read, and which pixels are missing, bool (height, width), or
        None if none are.

    Raises:
        ValueError: most of it is missing.
    """
    try:
        with decoding():
            stored.image.load()
    except ValueError as error:
        reason = str(error)
    else:
        return stored, None
    if stored.image.format in ("JPEG", "MPO"):
        return _part_of_jpeg(content, again, reason)
    if stored.image.format == "PNG" and reason == BROKEN:
        with suppress(ValueError):
            mended = again(png.without_sum(content))
            with decoding():
                mended.image.load()
            return mended, None
    if stored.image.format in ("PNG", "GIF", "BMP"):
        return _part(content, again, reason)
    raise ValueError(reason)


def _part(content: bytes, again: Again, reason: str) -> tuple[Stored, Missing | None]:
    """Read what there is twice, over other colours each time: where these show, is nothing."""
    pixels = []
    for fill in (0, 255):
        stored = again(content)
        pixels.append(_filled(stored.image, fill))
    missing = pixels[0] != pixels[1]
    if missing.ndim > 2:
        missing = missing.any(axis=2)
    _restore_skipped_rows(stored, missing)
    if missing.mean() > MOST_MISSING:
        raise ValueError(reason)
    return stored, missing if missing.any() else None


def _filled(image: Image.Image, fill: int) -> npt.NDArray[np.uint8]:
    """The pixels of an image, with a colour where none were read."""
    if not isinstance(image, ImageFile.ImageFile):
        raise TypeError("only an open file can be read in part")
    try:
        with decoding():
            image.load_prepare()
            colour = fill if len(image.getbands()) == 1 else (fill,) * len(image.getbands())
            image.im.paste(colour, (0, 0, *image.im.size))
            image.load()
    except ValueError:
        image.tile = []  # so that nobody tries once more
    if image._im is None:
        raise ValueError(BROKEN)
    return np.asarray(image)


def _restore_skipped_rows(stored: Stored, missing: Missing) -> None:
    """Repeat rows of an interlaced GIF into those below them that come later in the file."""
    if stored.image.format != "GIF" or not stored.interlaced:
        return
    there = np.flatnonzero(~missing.all(axis=1))
    if not len(there):
        return
    pixels, rows_below = np.asarray(stored.image), np.arange(len(missing))
    source = there[np.maximum(np.searchsorted(there, rows_below, side="right") - 1, 0)]
    source = np.where((rows_below - source > 0) & (rows_below - source < 8), source, rows_below)
    rows = Image.fromarray(pixels[source], stored.image.mode)
    stored.image.im.paste(rows.im, (0, 0, *stored.image.size))
    missing[:] = missing[source]


def _part_of_jpeg(content: bytes, again: Again, reason: str) -> tuple[Stored, Missing | None]:
    """A JPEG that lacks its end marker alone is whole; one that lacks more has a part missing."""
    whole = again(content + _END_OF_JPEG)
    if whole.image.info.get("progressive"):
        with decoding():
            whole.image.load()
        grey = (np.asarray(whole.image.convert("RGB")) == _UNREAD_GREY).all(axis=2).mean()
        if grey > MOST_MISSING:
            raise ValueError(reason)
        return whole, None
    stored, missing = _part(content, again, reason)
    if reason == CUT and missing is not None:
        first = int(np.flatnonzero(missing.any(axis=1))[0])
        if first >= missing.shape[0] - _LARGEST_BLOCK:
            with decoding():
                whole.image.load()
            return whole, None
    return stored, missing
