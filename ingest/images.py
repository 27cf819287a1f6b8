"""Decoding: bytes or a file to an upright RGB image."""

import warnings
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError

# Pillow warns from here on and refuses at twice this; a 100-megapixel camera stays below.
MAX_PIXELS = 120_000_000
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

# CLIP sees the centre square; a strip would be blown up to gigabytes on the way there.
MAX_ASPECT = 50

# Not all that Pillow knows: some of its other readers start programs, or raise what they like.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")

_ORIENTATION = 0x0112  # the EXIF tag
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


_SIDEWAYS = (5, 6, 7, 8)
_FULL_SIZE = "size before it was reduced"


def decode(file: Path | IO[bytes], side: int | None = None) -> Image.Image:
    """Read an image: its first frame, turned upright as its EXIF says, as RGB.

    Palette, grey, 16-bit and CMYK images are converted; what is transparent becomes white.

    With a side it trades exactness for speed: a JPEG whose shorter side is at least twice as long
    is read at a half, a quarter or an eighth of its size, which its format makes cheap. Photos
    read at a half took .6 of the time, and their vectors had a cosine of .9998 or more to those of
    the whole with ViT-B/32 (random weights), .98 or more with the sample's model, which is
    not meant for photos (tests/bench/RESULTS.md).

    Args:
        file: where it is.
        side: pixels of the shorter side that will do; the image has as many if the file has them.
            None: as large as the file has it.

    Raises:
        OSError: the file can't be read.
        ValueError: it is not an image of these kinds, is cut short or broken, has more than
            MAX_PIXELS pixels, or is MAX_ASPECT times longer than wide.
    """
    try:
        with Image.open(file, formats=FORMATS) as image:
            strip = max(image.size) > MAX_ASPECT * min(image.size)
            upright = None if strip else _read(image, side)
    except Image.DecompressionBombError as error:
        raise ValueError(f"more than {MAX_PIXELS // 1_000_000} megapixels") from error
    except UnidentifiedImageError as error:
        raise ValueError("not a JPEG, PNG, WebP or GIF image") from error
    except (OSError, ValueError, SyntaxError, EOFError, IndexError) as error:
        # What Pillow's readers of broken files raise; only the file system's errors have a number.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        short = "truncated" in str(error).lower()
        raise ValueError("image cut short" if short else "broken image") from error
    if upright is None:
        raise ValueError(f"more than {MAX_ASPECT} times longer than wide")
    return upright


def full_size(image: Image.Image) -> tuple[int, int]:
    """Width and height, in pixels, that an image from `decode` has in its file, upright."""
    size: tuple[int, int] = image.info.get(_FULL_SIZE, image.size)
    return size


def _read(image: Image.Image, side: int | None) -> Image.Image:
    # Not ImageOps.exif_transpose: it writes the EXIF anew, and a wrongly typed tag breaks that.
    orientation = image.getexif().get(_ORIENTATION)
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    size = image.size[::-1] if orientation in _SIDEWAYS else image.size
    if side is not None:
        image.draft(None, (side, side))
    upright = _to_rgb(image if turn is None else image.transpose(turn))
    upright.info[_FULL_SIZE] = size
    return upright


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        # convert() would clip 16-bit values to 255 instead of scaling them.
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    if image.mode == "RGB":
        image.load()  # convert() would copy it: 96 MB of a camera's photo
        return image
    return image.convert("RGB")
