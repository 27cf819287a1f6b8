"""BMP and TIFF, byte by byte where Pillow writes none such."""

import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.ingest.zoo import Animal, Colour, mixed
from tests.ingest.zoo.coloured import saved
from tests.ingest.zoo.pngs import TAN

SIDE = 8
BLACK: Colour = (0.0, 0.0, 0.0)


def bmp(
    depth: int, row: bytes, packing: int = 0, masks: tuple[int, ...] = (), palette: bytes = b""
) -> bytes:
    """Eight rows of eight pixels, all the same."""
    extra = struct.pack(f"<{len(masks)}I", *masks) + palette
    start = 54 + len(extra)
    info = struct.pack(
        "<IiiHHIIiiII", 40, SIDE, SIDE, 1, depth, packing, 0, 0, 0, len(palette) // 4, 0
    )
    return (
        struct.pack("<2sIHHI", b"BM", start + SIDE * len(row), 0, 0, start)
        + info
        + extra
        + row * SIDE
    )


def animals() -> Iterator[Animal]:
    """All of them."""
    tan = bytes((50, 100, 200))
    yield Animal("24 bits.bmp", bmp(24, tan * SIDE), TAN)
    yield Animal("32 bits with an empty byte.bmp", bmp(32, (tan + b"\0") * SIDE), TAN)
    yield Animal(
        "565.bmp", bmp(16, struct.pack("<H", 0xF800) * 8, 3, (0xF800, 0x7E0, 0x1F)), (255, 0, 0)
    )
    odd = (0x3FF00000, 0xFFC00, 0x3FF)
    yield Animal(
        "masks of ten bits.bmp", bmp(32, struct.pack("<I", 0x3FF00000) * 8, 3, odd), (255, 0, 0)
    )
    nibbles = (0xF00, 0xF0, 0xF)
    yield Animal(
        "masks of four bits.bmp", bmp(16, struct.pack("<H", 0x0F0) * 8, 3, nibbles), (0, 255, 0)
    )
    yield Animal("a palette of 300.bmp", bmp(8, bytes(SIDE), palette=(tan + b"\0") * 300), TAN)
    yield Animal("two bits.bmp", bmp(2, b"\x55\x55\0\0", palette=bytes(4) + tan + bytes(9)), TAN)
    grey16 = Image.fromarray(np.full((8, 8), 25_700, np.uint16))
    yield Animal("grey of 16 bits.tif", saved(grey16, "TIFF"), (100.0,) * 3, shown=False)
    real = Image.fromarray(np.full((8, 8), 0.5, np.float32))
    yield Animal("real numbers.tif", saved(real, "TIFF"), (127.5,) * 3, shown=False)
    white_is_zero = saved(Image.new("1", (8, 8), 1), "TIFF", tiffinfo={262: 0})
    yield Animal("white is zero.tif", white_is_zero, (255.0,) * 3, 256, shown=False)
    half = Image.new("1", (8, 8), 1)
    half.paste(0, (0, 0, 4, 8))
    fax = saved(half, "TIFF", compression="group4")
    yield Animal("a fax.tif", fax, mixed((0.5, BLACK), (0.5, (255.0,) * 3)), shown=False)
