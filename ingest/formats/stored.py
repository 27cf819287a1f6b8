"""A picture as it is stored: Pillow's open file, and what its format says of its looks."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageFile, UnidentifiedImageError

from ingest.formats import bmp, png
from ingest.formats.coded import Coded, from_code_points
from ingest.formats.colour import Look
from ingest.formats.kinds import NAMES
from ingest.formats.orientation import UPRIGHT, orientation

# What they say of broken files is for developers; a person gets the reason of the skip.
logging.getLogger("PIL").setLevel(logging.CRITICAL)
warnings.filterwarnings("ignore", module=r"PIL\.")
# A budget of memory judges a picture, not Pillow's one figure for all of them (ingest/budget.py).
Image.MAX_IMAGE_PIXELS = None

# Not all that Pillow knows: some of its other readers start programs.
_FORMATS = ("JPEG", "WEBP", "GIF", "TIFF")
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"heif", b"miaf"}
)
_ORIENTATION = 0x0112
_PHOTOMETRIC, _BITS = 262, 258
_WHITE_IS_ZERO = 0
_MAX_PALETTE = 4 * 256  # bytes
_UNKNOWN = f"not a {NAMES} image"
CUT, BROKEN = "image cut short", "broken image"


@dataclass
class Stored:
    """A picture that was opened and not read yet.

    Attributes:
        image: Pillow's file.
        look: how its pixels are to look.
        orientation: 1 to 8, as EXIF counts.
        canvas: width and height of the whole picture.
        part: what of the image is a picture, (left, top, right, bottom), while it is not reduced.
        place: where on the canvas that part lies, if it doesn't fill it.
        interlaced: whether rows of a GIF come in four passes.
    """

    image: Image.Image
    look: Look
    orientation: int
    canvas: tuple[int, int]
    part: tuple[int, int, int, int]
    place: tuple[int, int] | None = None
    interlaced: bool = False


@contextmanager
def decoding(unknown: str = BROKEN) -> Iterator[None]:
    """Turn whatever a decoder raises over a broken file into a ValueError with a reason.

    Args:
        unknown: the reason where no decoder takes the file for one of its own.
    """
    try:
        yield
    except MemoryError:
        raise
    except UnidentifiedImageError as error:
        raise ValueError(unknown) from error
    except Exception as error:
        # Decoders of broken files raise what they like: AssertionError, KeyError, struct.error …
        raise ValueError(CUT if "truncated" in str(error).lower() else BROKEN) from error


def open_stored(content: bytes) -> Stored:
    """Open a picture, of which only the first frame counts.

    Raises:
        ValueError: it is not an image of the known kinds, or a broken one.
    """
    if content.startswith(png.SIGNATURE):
        return _open_png(content)
    if content[4:8] == b"ftyp":
        return _open_boxes(content)
    if content.startswith(b"BM"):
        return _open_bmp(content)
    image = _open(content, _FORMATS, _UNKNOWN)
    look, turn = Look(image.info.get("icc_profile")), orientation(image.info.get("exif", b""))
    stored = Stored(image, look, turn, image.size, (0, 0, *image.size))
    if image.format == "GIF":
        _place_gif(stored)
    elif image.format == "TIFF":
        _describe_tiff(stored)
    return stored


def _open(content: bytes, formats: tuple[str, ...], unknown: str = BROKEN) -> ImageFile.ImageFile:
    with decoding(unknown):
        opened = Image.open(BytesIO(content), formats=formats)
        if min(opened.size) < 1:
            raise ValueError("no pixels")
        return opened


def _open_bmp(content: bytes) -> Stored:
    image: Image.Image
    try:
        image = _open(content, ("BMP",))
        if image.palette is not None and len(image.palette.palette) > _MAX_PALETTE:
            image = bmp.decode(content)
    except ValueError:
        image = bmp.decode(content)
    return Stored(image, Look(), UPRIGHT, image.size, (0, 0, *image.size))


def _open_png(content: bytes) -> Stored:
    parts = png.take_apart(content)
    image = _open(parts.pixels, ("PNG",))
    look = Look(parts.profile, parts.clear, parts.depth)
    place = None if image.size == parts.canvas else parts.place
    turn = orientation(parts.exif)
    return Stored(image, look, turn, parts.canvas, (0, 0, *image.size), place)


def _open_boxes(content: bytes) -> Stored:
    """AVIF and HEIC, whose decoders turn the picture themselves."""
    size = int.from_bytes(content[:4])
    brands = {content[at : at + 4] for at in (8, *range(16, min(size, 256), 4))}
    if brands & _AVIF_BRANDS:
        image = _open(content, ("AVIF",))
        turn = orientation(image.info.get("exif", b""))
    elif brands & _HEIF_BRANDS:
        _learn_heif()
        image = _open(content, ("HEIF",))
        turn = UPRIGHT
    else:
        raise ValueError(_UNKNOWN)
    profile = image.info.get("icc_profile") or _coded_profile(content)
    return Stored(image, Look(profile), turn, image.size, (0, 0, *image.size))


def _learn_heif() -> None:
    # Imported when the first one comes: few folders hold any.
    import pillow_heif

    if "HEIF" not in Image.OPEN:
        pillow_heif.register_heif_opener(depth_images=False, aux_images=False)


def _coded_profile(content: bytes) -> Coded | None:
    """The space of the code points in a `colr` box."""
    at = content.find(b"colrnclx", 0, 1 << 16)
    if at < 0 or at + 14 > len(content):
        return None
    primaries, transfer = (int.from_bytes(content[at + n : at + n + 2]) for n in (8, 10))
    return from_code_points(primaries, transfer, video=True)


def _place_gif(stored: Stored) -> None:
    """The first frame may cover only a part of the canvas; the rest of that is transparent."""
    image = stored.image
    if isinstance(image, ImageFile.ImageFile) and image.tile:
        _, box, _, settings = image.tile[0]
        left, top, right, bottom = box or stored.part
        stored.part = (left, top, min(right, image.width), min(bottom, image.height))
        stored.place = None if stored.part == (0, 0, *image.size) else (left, top)
        stored.interlaced = isinstance(settings, tuple) and bool(settings[1])
    clear = image.info.get("transparency")
    stored.look = Look(clear=_clear_entry(clear) if isinstance(clear, int) else None)


def _clear_entry(entry: int) -> bytes:
    return b"\xff" * entry + b"\0"


def _describe_tiff(stored: Stored) -> None:
    tags = getattr(stored.image, "tag_v2", {})
    with decoding():
        bits = tags.get(_BITS, (8,))
        turn = tags.get(_ORIENTATION)
        stored.look = Look(
            profile=stored.image.info.get("icc_profile"),
            depth=bits[0] if isinstance(bits, tuple) else 8,
            white_is_zero=tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO,
        )
        stored.orientation = turn if isinstance(turn, int) and 1 <= turn <= 8 else UPRIGHT
