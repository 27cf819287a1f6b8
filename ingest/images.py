"""Decoding: bytes or a file to an upright sRGB image on white, as a browser shows it."""

from math import ceil
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from ingest import files
from ingest.budget import BUDGET
from ingest.formats import cut
from ingest.formats.orientation import turned, upright
from ingest.formats.stored import Stored, open_stored

MAX_PIXELS = 250_000_000  # a telephone's 200 megapixels stay below

# CLIP sees the centre square; a strip would be blown up to gigabytes on the way there.
MAX_ASPECT = 50

# Smaller ones are converted whole, as one band.
_BAND = 2_000_000  # pixels

_FULL_SIZE = "size before it was reduced"
# Bytes a pixel while it is decoded, where the decoder keeps more than the pixels.
_DECODERS = {"WEBP": 16, "AVIF": 14, "HEIF": 14, "TIFF": 8}
_COPIES = {"PNG": 3}  # of the file
_SAMPLES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2}


def decode(file: Path | IO[bytes], side: int | None = None) -> Image.Image:
    """Read an image: its first frame on its canvas, turned upright, as sRGB on white.

    With a side it trades exactness for speed: a JPEG whose shorter side is at least twice as long
    is read at a half, a quarter or an eighth of its size, which its format makes cheap. Photos
    read at a half took .6 of the time, and their vectors had a cosine of .9998 or more to those of
    the whole with ViT-B/32 (random weights), .98 or more with the sample's model, which is
    not meant for photos (tests/bench/RESULTS.md). Large pictures of other formats are reduced
    while they are converted, to twice the side or more.

    Of a strip, more than MAX_ASPECT times longer than wide, only the middle is kept.

    Args:
        file: where it is.
        side: pixels of the shorter side that will do; the image has as many if the file has them.
            None: as large as the file has it.

    Raises:
        OSError: the file can't be read.
        ValueError: it is not an image of the known kinds, most of it is missing, or it needs more
            memory than there is.
    """
    if isinstance(file, Path):
        with files.held(file) as content:
            return _decode(content, side)
    return _decode(file.read(), side)


def _decode(content: bytes, side: int | None) -> Image.Image:
    picture = _open(content, side)
    size = turned(picture.canvas, picture.orientation)
    if size[0] * size[1] > MAX_PIXELS:
        raise ValueError(f"more than {MAX_PIXELS // 1_000_000} megapixels")
    factor = _factor(picture, side)
    with (
        BUDGET.hold(
            _cost(picture, factor) + _COPIES.get(picture.image.format or "", 1) * len(content)
        ),
        picture.image,
    ):
        rgb = upright(_read(picture, content, side, factor), picture.orientation)
    rgb.info = {_FULL_SIZE: size}
    return rgb


def full_size(image: Image.Image) -> tuple[int, int]:
    """Width and height, in pixels, that an image from `decode` has in its file, upright."""
    size: tuple[int, int] = image.info.get(_FULL_SIZE, image.size)
    return size


def _open(content: bytes, side: int | None) -> Stored:
    picture = open_stored(content)
    whole = picture.image.size
    if side is not None and picture.image.format in ("JPEG", "MPO"):
        picture.image.draft(None, (side, side))
    elif side is not None and picture.image.format == "HEIF":
        # A camera's own smaller copy, where it has one as large as that.
        picture.image.draft(None, (2 * side, 2 * side))
    if picture.image.size != whole:
        picture.part = (0, 0, *picture.image.size)
    return picture


def _factor(picture: Stored, side: int | None) -> int:
    """How many pixels become one while they are converted, across and down."""
    width, height = picture.image.size
    if side is None or width * height <= _BAND:
        return 1
    return max(1, min(width, height) // (2 * side))


def _cost(picture: Stored, factor: int) -> int:
    """Bytes that reading takes at its peak, about."""
    width, height = picture.image.size
    sample = _SAMPLES.get(picture.image.mode, 4)
    cost = width * height * _DECODERS.get(picture.image.format or "", sample)
    if picture.image.info.get("progressive"):
        # All coefficients are kept, of two bytes each, whatever size is asked for.
        cost += picture.canvas[0] * picture.canvas[1] * 2 * len(picture.image.getbands())
    return cost + 8 * ceil(picture.canvas[0] / factor) * ceil(picture.canvas[1] / factor)


def _read(picture: Stored, content: bytes, side: int | None, factor: int) -> Image.Image:
    picture, missing = cut.read(picture, content, lambda other: _open(other, side))
    if picture.place is None:
        return _convert(picture, _middle(picture.part), missing, factor)
    width, height = picture.canvas
    canvas = Image.new("RGB", (ceil(width / factor), ceil(height / factor)), "white")
    left, top = picture.place
    canvas.paste(_convert(picture, picture.part, missing, factor), (left // factor, top // factor))
    return canvas


def _middle(part: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """The part itself, or of a strip the middle, which is all that counts of it."""
    left, top, right, bottom = part
    across = min(right - left, MAX_ASPECT * (bottom - top))
    down = min(bottom - top, MAX_ASPECT * (right - left))
    left, top = left + (right - left - across) // 2, top + (bottom - top - down) // 2
    return left, top, left + across, top + down


def _convert(
    picture: Stored,
    box: tuple[int, int, int, int],
    missing: cut.Missing | None,
    factor: int,
) -> Image.Image:
    """The part in a box as RGB on white, a band of rows at a time."""
    image, (left, top, right, bottom) = picture.image, box
    paint = picture.look.painter(image.mode)
    rows = max(1, _BAND // ((right - left) * factor)) * factor
    if bottom - top <= rows and missing is None and factor == 1:
        return paint(image if box == (0, 0, *image.size) else image.crop(box))
    size = ceil((right - left) / factor), ceil((bottom - top) / factor)
    converted = Image.new("RGB", size, "white")
    for start in range(top, bottom, rows):
        stop = min(start + rows, bottom)
        band = paint(image.crop((left, start, right, stop)))
        if missing is not None:
            opaque = np.where(missing[start:stop, left:right], 0, 255).astype(np.uint8)
            white = Image.new("RGB", band.size, "white")
            band = Image.composite(band, white, Image.fromarray(opaque))
        converted.paste(band.reduce(factor), (0, (start - top) // factor))
    return converted
