"""Decoding: bytes or a file to an upright RGB image."""

from pathlib import Path
from typing import IO

from PIL import Image, ImageOps, UnidentifiedImageError

# Pillow warns from here on and refuses at twice this; a 100-megapixel camera stays below.
MAX_PIXELS = 120_000_000
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2


def decode(file: Path | IO[bytes]) -> Image.Image:
    """Read an image: its first frame, turned upright as its EXIF says, as RGB.

    Palette, grey, 16-bit and CMYK images are converted; what is transparent becomes white.

    Raises:
        OSError: the file is gone, or cut short.
        ValueError: it is not an image, or has more than MAX_PIXELS pixels.
    """
    try:
        with Image.open(file) as image:
            return _to_rgb(ImageOps.exif_transpose(image))
    except Image.DecompressionBombError as error:
        raise ValueError(f"more than {MAX_PIXELS // 1_000_000} megapixels") from error
    except UnidentifiedImageError as error:
        raise ValueError("not an image") from error
    except (SyntaxError, EOFError, IndexError) as error:
        # Pillow's parsers of broken PNG and GIF files raise these.
        raise ValueError(f"broken image ({error})") from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16") or image.mode == "I":
        # convert() would clip 16-bit values to 255 instead of scaling them.
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")
