"""Files whose numbers mean other colours than sRGB's, and what they then are.

The arithmetic is written here once more, from the standards: with primaries P (x, y), white W and
a curve, light = curve(value), XYZ = M(P, W) light, sRGB = encode(M(sRGB)⁻¹ XYZ).
"""

import struct
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image, ImageCms

from tests.ingest.zoo import WHITE, Animal, Colour, mixed
from tests.ingest.zoo.pngs import PALETTE, PIXEL, SIDE, TAN, chunk, png, tan
from tests.ingest.zoo.profiles import P3, REC709, REC2020, matrix_profile

pillow_heif.register_heif_opener()  # Pillow writes none by itself

Numbers = npt.NDArray[np.float64]
GREY100 = bytes((100,)) * SIDE


def linear(value: Numbers) -> Numbers:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def encode(light: Numbers) -> Numbers:
    light = light.clip(0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def xyz(points: tuple[float, ...]) -> Numbers:
    columns = np.array(
        [[x / y, 1, (1 - x - y) / y] for x, y in zip(points[::2], points[1::2], strict=True)]
    ).T
    return columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3])


def shown(
    curve: Callable[[Numbers], Numbers],
    primaries: tuple[float, ...] = REC709,
    colour: Colour = TAN,
) -> Colour:
    """What a colour of a space with the white of daylight is in sRGB."""
    light = curve(np.array(colour) / 255)
    red, green, blue = 255 * encode(np.linalg.solve(xyz(REC709), xyz(primaries) @ light))
    return float(red), float(green), float(blue)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def animals() -> Iterator[Animal]:
    """All of them."""
    yield from _of_numbers()
    yield from _of_code_points()
    yield from _of_profiles()
    yield from _of_other_models()


def _gamma(value: int) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", value))


def _points(primaries: tuple[float, ...]) -> bytes:
    white_first = [*primaries[6:], *primaries[:6]]
    return chunk(b"cHRM", struct.pack(">8I", *(round(each * 100_000) for each in white_first)))


def _of_numbers() -> Iterator[Animal]:
    for value in (35_000, 55_000, 100_000, 250_000):
        expected = shown(lambda v, value=value: v ** (100_000 / value))  # type: ignore[misc]
        yield Animal(f"gamma {value}.png", tan(_gamma(value)), expected)
    yield Animal("gamma of sRGB.png", tan(_gamma(45_455)), TAN)
    yield Animal("gamma 0.png", tan(_gamma(0)), TAN)
    yield Animal("primaries alone.png", tan(_points(P3)), TAN)
    yield Animal(
        "gamma and primaries.png",
        tan(_gamma(45_455), _points(P3)),
        shown(lambda v: v ** (1 / 0.45455), P3),
    )
    yield Animal(
        "primaries of nothing.png", tan(_gamma(100_000), chunk(b"cHRM", bytes(32))), TAN, 80
    )
    yield Animal("sRGB wins over gamma.png", tan(chunk(b"sRGB", b"\0"), _gamma(100_000)), TAN)
    yield Animal(
        "grey with gamma.png",
        png(0, GREY100, _gamma(100_000)),
        shown(lambda v: v, colour=(100.0,) * 3),
    )
    yield Animal(
        "palette with gamma.png",
        png(PALETTE, bytes(SIDE), _gamma(100_000), chunk(b"PLTE", PIXEL)),
        shown(lambda v: v),
    )


def _of_code_points() -> Iterator[Animal]:
    for name, numbers, expected in (
        ("P3", (12, 13, 0, 1), shown(linear, P3)),
        ("linear", (1, 8, 0, 1), shown(lambda v: v)),
        ("gamma 2.8", (1, 5, 0, 1), shown(lambda v: v**2.8)),
        ("Rec. 2020 with sRGB's curve", (9, 13, 0, 1), shown(linear, REC2020)),
        ("sRGB", (1, 13, 0, 1), TAN),
        ("unknown", (2, 2, 0, 1), TAN),
        ("narrow range", (12, 13, 0, 0), TAN),
    ):
        yield Animal(f"code points of {name}.png", tan(chunk(b"cICP", bytes(numbers))), expected)
    avif = bytearray(saved(Image.new("RGB", (16, 16), (200, 100, 50)), "AVIF", quality=100))
    at = avif.index(b"colrnclx") + 8
    for primaries, transfer, expected in (
        (12, 13, shown(linear, P3)),
        (1, 8, shown(lambda v: v)),
        (1, 1, TAN),
        (9, 14, shown(linear, REC2020)),
    ):
        avif[at : at + 4] = struct.pack(">HH", primaries, transfer)
        yield Animal(f"code points {primaries} and {transfer}.avif", bytes(avif), expected, 4)


def _of_profiles() -> Iterator[Animal]:
    picture = Image.new("RGB", (16, 16), (200, 100, 50))
    p3 = matrix_profile(P3, 2.2)
    in_p3 = shown(lambda v: v**2.2, P3)
    for ending, form, options in (
        ("jpg", "JPEG", {"quality": 100, "subsampling": 0}),
        ("png", "PNG", {}),
        ("webp", "WEBP", {"lossless": True}),
        ("avif", "AVIF", {"quality": 100, "subsampling": "4:4:4"}),
        ("tif", "TIFF", {}),
        ("heic", "HEIF", {"quality": 100, "chroma": 444}),
    ):
        content = saved(picture, form, icc_profile=p3, **options)
        browser = ending not in ("tif", "heic")
        yield Animal(f"profile of P3.{ending}", content, in_p3, 4, browser)
    spin = matrix_profile((*REC709[2:6], *REC709[:2], *REC709[6:]), 2.2)
    yield Animal(
        "profile that swaps the channels.png",
        saved(picture, "PNG", icc_profile=spin),
        (50, 200, 100),
        6,
    )
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield Animal("profile of sRGB.png", saved(picture, "PNG", icc_profile=srgb), TAN)
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    yield Animal(
        "profile of another model.jpg", saved(picture, "JPEG", quality=100, icc_profile=lab), TAN, 3
    )
    yield Animal(
        "profile cut short.png", saved(picture, "PNG", icc_profile=p3[: len(p3) // 2]), TAN
    )
    half = picture.copy()
    half.putalpha(128)
    yield Animal(
        "half clear, with a profile.png",
        saved(half, "PNG", icc_profile=p3),
        mixed((128 / 255, in_p3), (127 / 255, WHITE)),
        3,
    )
    palette = picture.quantize(2)
    yield Animal("palette with a profile.png", saved(palette, "PNG", icc_profile=p3), in_p3, 3)
    grey = Image.new("L", (16, 16), 100)
    curve = matrix_profile(None, 1.0)
    yield Animal(
        "grey with a profile of grey.png",
        saved(grey, "PNG", icc_profile=curve),
        shown(lambda v: v, colour=(100.0,) * 3),
        3,
    )
    yield Animal(
        "grey with a profile of colours.jpg", saved(grey, "JPEG", icc_profile=p3), (100.0,) * 3, 4
    )


def _of_other_models() -> Iterator[Animal]:
    ink = Image.new("CMYK", (16, 16), (0, 200, 255, 40))
    yield Animal("for print.jpg", saved(ink, "JPEG", quality=100), (215.0, 46.0, 0.0), 4)
    yield Animal("for print.tif", saved(ink, "TIFF"), (215.0, 46.0, 0.0), 2, shown=False)
    lab = Image.new("LAB", (16, 16), (128, 128, 128))
    # L* of 50.2: Y = ((50.2 + 16) / 116)³
    yield Animal("Lab.tif", saved(lab, "TIFF"), (119.6,) * 3, 3, shown=False)
