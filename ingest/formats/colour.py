"""The pixels of any mode to sRGB on white."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from ingest.formats.coded import Coded

_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
_MAX_PROFILE = 16_000_000  # bytes
# A profile that moves no colour by more than this is sRGB by another name.
_UNSEEN = 1

Mask = Image.Image
Convert = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True)
class Look:
    """How stored pixels are to look.

    Attributes:
        profile: what their numbers mean, or None for sRGB.
        clear: what is transparent: a grey or a colour, in samples of `depth` bits; or the
            opacities of a palette's first entries; or None where the mode alone tells.
        depth: bits a sample in the file.
        white_is_zero: whether grey is stored the other way round.
    """

    profile: bytes | Coded | None = None
    clear: tuple[int, ...] | bytes | None = None
    depth: int = 8
    white_is_zero: bool = False

    def painter(self, mode: str) -> Convert:
        """A function from an image of that mode to one of RGB, on white."""
        to_rgb = _to_rgb(mode, self)
        mask = _mask(mode, self)

        def paint(image: Image.Image) -> Image.Image:
            rgb, opacity = to_rgb(image), mask(image)
            if opacity is None:
                return rgb
            return Image.composite(rgb, Image.new("RGB", rgb.size, "white"), opacity)

        return paint


# ---- transparency


def _mask(mode: str, look: Look) -> Callable[[Image.Image], Mask | None]:
    """A function from an image to the opacity of its pixels, or None where all are opaque."""
    clear = look.clear
    if mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        return lambda image: _plain(image).getchannel("A")
    if clear is None:
        return lambda _image: None
    if isinstance(clear, bytes):
        table = list(clear[:256]) + [255] * (256 - len(clear[:256]))
        return lambda image: _indices(image).point(table)
    return lambda image: Image.fromarray(_differs(image, mode, clear, look.depth))


def _plain(image: Image.Image) -> Image.Image:
    """The image, if of opacities multiplied in already, with plain ones."""
    return image.convert({"RGBa": "RGBA", "La": "LA"}.get(image.mode, image.mode))


def _indices(image: Image.Image) -> Image.Image:
    return Image.frombytes("L", image.size, image.tobytes())


def _differs(
    image: Image.Image, mode: str, clear: tuple[int, ...], depth: int
) -> npt.NDArray[np.uint8]:
    """0 where the pixel has the colour that is transparent, uint8 (height, width)."""
    if mode.startswith("I"):
        return np.where(np.asarray(image) == clear[0], 0, 255).astype(np.uint8)
    # Pillow has spread few bits over eight, and keeps the higher eight of sixteen.
    wanted = [v >> 8 if depth == 16 else v * 255 // ((1 << depth) - 1) for v in clear]
    pixels = np.asarray(image.convert("L") if mode == "1" else image)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    same = (pixels == np.array(wanted, dtype=np.uint8)).all(axis=2)
    return np.where(same, 0, 255).astype(np.uint8)


# ---- colour


def _to_rgb(mode: str, look: Look) -> Convert:
    plain, convert = _opaque(mode, look)
    transform = _transform(look.profile, plain)
    if transform is not None:
        return lambda image: transform(convert(image))
    if plain == "LAB":
        lab = _checked(_LAB, "LAB")
        return lambda image: lab(convert(image))
    return lambda image: convert(image).convert("RGB")


def _opaque(mode: str, look: Look) -> tuple[str, Convert]:
    """The mode without transparency and of eight bits, and a function to it."""
    if mode.startswith("I") or mode == "F":
        return "L", lambda image: _eight_bits(image, look)
    if mode in ("1", "LA", "La"):
        return "L", lambda image: _plain(image).convert("L")
    if mode in ("P", "PA", "RGBA", "RGBa", "RGBX", "YCbCr", "HSV"):
        return "RGB", _without_opacity
    return mode, lambda image: image


def _without_opacity(image: Image.Image) -> Image.Image:
    # Pillow would mix the transparency that it read itself into the colours.
    image.info.pop("transparency", None)
    if image.mode in ("RGBA", "RGBa"):
        return Image.merge("RGB", _plain(image).split()[:3])
    return image.convert("RGB")


def _eight_bits(image: Image.Image, look: Look) -> Image.Image:
    values = np.asarray(image)
    if image.mode == "F":
        scaled = np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1) * 255
    else:
        wide = image.mode == "I" and look.depth > 16
        scaled = values / ((1 << 32) - 1) * 255 if wide else values.clip(0, 65535) / 257
    grey = np.round(scaled.clip(0, 255)).astype(np.uint8)
    return Image.fromarray(255 - grey if look.white_is_zero else grey)


def _transform(profile: bytes | Coded | None, mode: str) -> Convert | None:
    """From a mode to RGB by a profile; None where it is sRGB, broken, or of another space."""
    if isinstance(profile, Coded):
        return profile.convert if mode in ("RGB", "L") else None
    if profile is None or len(profile) > _MAX_PROFILE:
        return None
    return _by_digest(hashlib.blake2b(profile, digest_size=16).digest(), mode, _Bytes(profile))


class _Bytes:
    """Bytes that are all equal to a cache, which knows them by their digest."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bytes)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=32)
def _by_digest(_digest: bytes, mode: str, profile: _Bytes) -> Convert | None:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile.content))
        space = _SPACES.get(source.profile.xcolor_space)
        if mode == "L" and space == "RGB":
            colour = _checked(source, "RGB")
            return lambda image: colour(image.convert("RGB"))
        if space != mode:
            return None
        convert = _checked(source, mode)
    except (OSError, ImageCms.PyCMSError, ValueError, TypeError, AttributeError):
        return None  # a browser, too, shows the picture as if it had none
    if mode == "CMYK":
        return convert
    cube = np.stack(np.meshgrid(*[np.linspace(0, 255, 6)] * 3), -1).astype(np.uint8)
    sample = Image.fromarray(cube.reshape(-1, 6, 3)).convert(mode)
    before, after = np.asarray(sample.convert("RGB"), int), np.asarray(convert(sample), int)
    return None if np.abs(before - after).max() <= _UNSEEN else convert


def _checked(source: ImageCms.ImageCmsProfile, mode: str) -> Convert:
    transform = ImageCms.buildTransform(source, _SRGB, mode, "RGB", ImageCms.Intent.PERCEPTUAL)

    def convert(image: Image.Image) -> Image.Image:
        converted = ImageCms.applyTransform(image, transform)
        if converted is None:
            raise ValueError("colours could not be converted")
        return converted

    return convert
