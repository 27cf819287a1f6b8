"""Animations, canvases, and pictures to be turned."""

import struct
from collections.abc import Iterator
from typing import Any

from PIL import Image

from tests.ingest.zoo import WHITE, Animal, Colour, mixed
from tests.ingest.zoo.coloured import saved
from tests.ingest.zoo.pngs import PIXEL, RGB, SIDE, SIGNATURE, TAN, chunk, compressed, header

RED: Colour = (255.0, 0.0, 0.0)
GREEN: Colour = (0.0, 128.0, 0.0)
BLUE: Colour = (0.0, 0.0, 255.0)


def animals() -> Iterator[Animal]:
    """All of them."""
    yield from _of_gif()
    yield from _of_apng()
    yield from _of_jpeg()
    first, second = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    moving: dict[str, Any] = {"save_all": True, "append_images": [second], "duration": 60_000}
    yield Animal("moving.gif", saved(first, "GIF", **moving), RED)
    yield Animal("moving.webp", saved(first, "WEBP", lossless=True, **moving), RED)
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    yield Animal("clear.webp", saved(clear, "WEBP", lossless=True, exact=True), WHITE)
    yield Animal("clear.avif", saved(clear, "AVIF"), WHITE)
    yield Animal("clear.tif", saved(clear, "TIFF"), WHITE, shown=False)
    yield Animal("clear.heic", saved(clear, "HEIF"), WHITE, shown=False)


def _gif(palette: bytes = bytes((255, 0, 0, 0, 128, 0, 0, 0, 255))) -> bytearray:
    image = Image.new("P", (8, 8), 1)
    image.putpalette(palette)
    return bytearray(saved(image, "GIF"))


def _of_gif() -> Iterator[Animal]:
    offset = _gif()
    offset[6:10] = struct.pack("<HH", 16, 16)
    at = offset.index(b",\0\0\0\0")
    offset[at + 1 : at + 5] = struct.pack("<HH", 4, 4)
    yield Animal(
        "a frame on a larger canvas.gif", bytes(offset), mixed((0.75, WHITE), (0.25, GREEN))
    )
    small = _gif()
    small[6:10] = struct.pack("<HH", 4, 4)
    yield Animal("a frame larger than its canvas.gif", bytes(small), GREEN)
    image = Image.new("P", (8, 8), 1)
    image.putpalette(bytes((255, 0, 0, 0, 128, 0)))
    image.paste(0, (0, 0, 4, 8))
    yield Animal(
        "a clear entry.gif", saved(image, "GIF", transparency=0), mixed((0.5, WHITE), (0.5, GREEN))
    )
    yield Animal("without its end.gif", bytes(_gif()[:-1]), GREEN)


def _control(number: int, size: tuple[int, int], place: tuple[int, int]) -> bytes:
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, *size, *place, 60, 1, 0, 0))


def _of_apng() -> Iterator[Animal]:
    blue = compressed(bytes((0, 0, 255)) * SIDE)
    tan, end = chunk(b"IDAT", compressed(PIXEL * SIDE)), chunk(b"IEND", b"")
    start = SIGNATURE + header(RGB) + chunk(b"acTL", struct.pack(">II", 2, 0))
    later = _control(1, (8, 8), (0, 0)) + chunk(b"fdAT", struct.pack(">I", 2) + blue)
    yield Animal("moving.apng", start + _control(0, (8, 8), (0, 0)) + tan + later + end, TAN)
    alone = SIGNATURE + header(RGB) + chunk(b"acTL", struct.pack(">II", 1, 0)) + tan
    half = chunk(b"fdAT", struct.pack(">I", 1) + compressed(bytes((0, 0, 255)) * 4))
    yield Animal(
        "moving without its still picture.apng",
        alone + _control(0, (4, 8), (4, 0)) + half + end,
        mixed((0.5, WHITE), (0.5, BLUE)),
    )


def _of_jpeg() -> Iterator[Animal]:
    image = Image.new("RGB", (32, 32), (200, 100, 50))
    best: dict[str, Any] = {"quality": 100, "subsampling": 0}
    whole = saved(image, "JPEG", **best)
    yield Animal("bytes behind its end.jpg", whole + b"junk" * 999, TAN)
    yield Animal("a png by its name.png", whole, TAN)
    yield Animal("progressive.jpg", saved(image, "JPEG", progressive=True, **best), TAN)
    yield Animal(
        "broken exif.jpg", saved(image, "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff", **best), TAN
    )
    second = Image.new("RGB", (32, 32), "blue")
    two = saved(image, "MPO", save_all=True, append_images=[second], **best)
    yield Animal("two pictures.jpg", two, TAN)
    broken = two.replace(b"MPF\0", b"MPF\0\xff\xff", 1)
    yield Animal("two pictures, listed wrongly.jpg", broken, TAN)
