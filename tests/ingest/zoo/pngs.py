"""PNG files, chunk by chunk."""

import struct
import zlib
from collections.abc import Iterator

from tests.ingest.zoo import WHITE, Animal, Colour, mixed

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
TAN: Colour = (200.0, 100.0, 50.0)
PIXEL = bytes((200, 100, 50))
SIDE = 8


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with its length and its sum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(kind: int, depth: int = 8, size: tuple[int, int] = (SIDE, SIDE)) -> bytes:
    """The first chunk."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, 0))


def compressed(row: bytes, rows: int = SIDE) -> bytes:
    """So many rows, all the same and not filtered."""
    return zlib.compress((b"\0" + row) * rows)


def png(kind: int, row: bytes, *extra: bytes, depth: int = 8) -> bytes:
    """Eight rows of eight pixels, with further chunks before them."""
    data = chunk(b"IDAT", compressed(row))
    return SIGNATURE + header(kind, depth) + b"".join(extra) + data + chunk(b"IEND", b"")


def tan(*extra: bytes) -> bytes:
    """One that is all tan."""
    return png(RGB, PIXEL * SIDE, *extra)


def sixteen(*values: int) -> bytes:
    """Samples of sixteen bits."""
    return struct.pack(f">{len(values)}H", *values)


def animals() -> Iterator[Animal]:
    """All PNGs but those that are odd for their colours' meaning."""
    yield from _of_chunks()
    yield from _of_transparency()
    yield from _of_depth()


def _of_chunks() -> Iterator[Animal]:
    text = b"a\0\0" + zlib.compress(b"x" * 3_000_000)
    profile = b"p\0\0" + zlib.compress(bytes(3_000_000))
    whole = tan()
    yield Animal("a text of 3 MB.png", tan(chunk(b"zTXt", text)), TAN)
    yield Animal("forty texts of 3 MB.png", tan(chunk(b"zTXt", text) * 40), TAN)
    yield Animal(
        "an international text of 3 MB.png", tan(chunk(b"iTXt", b"a\0\1\0\0\0" + text[3:])), TAN
    )
    yield Animal("a profile of 3 MB that is none.png", tan(chunk(b"iCCP", profile)), TAN)
    yield Animal("a profile that can't be unpacked.png", tan(chunk(b"iCCP", b"p\0\0junk")), TAN)
    yield Animal("a wrong sum of a text.png", tan(b"\0\0\0\3tEXtabcXXXX"), TAN)
    yield Animal("a wrong sum of the pixels.png", whole[:-13] + b"X" + whole[-12:], TAN)
    yield Animal("a wrong sum inside the pixels.png", whole[:-17] + b"X" + whole[-16:], TAN)
    yield Animal("without its end.png", whole[:-12], TAN)
    yield Animal("bytes behind its end.png", whole + b"junk" * 999, TAN)
    yield Animal("an unknown chunk.png", tan(chunk(b"juNk", bytes(99))), TAN)
    yield Animal("a jpeg by its name.JPG", whole, TAN)


def _of_transparency() -> Iterator[Animal]:
    half = mixed((0.5, WHITE), (0.5, TAN))
    palette = chunk(b"PLTE", PIXEL + bytes(3))
    yield Animal(
        "palette, one entry clear.png",
        png(PALETTE, bytes((0, 1)) * 4, palette, chunk(b"tRNS", b"\xff\0")),
        half,
    )
    yield Animal(
        "palette, one entry half clear.png",
        png(PALETTE, bytes((0, 1)) * 4, palette, chunk(b"tRNS", b"\xff\x80")),
        mixed((0.5, TAN), (0.5, (127.0, 127.0, 127.0))),
    )
    yield Animal(
        "palette of two bits, one entry clear.png",
        png(PALETTE, b"\x11\x11", palette, chunk(b"tRNS", b"\xff\0"), depth=2),
        half,
    )
    yield Animal(
        "a clear colour.png",
        png(RGB, (PIXEL + bytes(3)) * 4, chunk(b"tRNS", sixteen(0, 0, 0))),
        half,
    )
    for depth, row, value in ((1, b"\x55", 0), (2, b"\x11\x11", 1), (4, b"\x05\x05\x05\x05", 5)):
        other = 0 if depth > 1 else 255
        yield Animal(
            f"a clear grey of {depth} bits.png",
            png(GREY, row, chunk(b"tRNS", sixteen(value)), depth=depth),
            mixed((0.5, WHITE), (0.5, (float(other),) * 3)),
        )
    yield Animal(
        "a clear grey of 8 bits.png",
        png(GREY, bytes((0, 99)) * 4, chunk(b"tRNS", sixteen(99))),
        (127.5, 127.5, 127.5),
    )
    yield Animal(
        "a clear grey of 16 bits beside its neighbour.png",
        png(GREY, sixteen(0x1234, 0x1235) * 4, chunk(b"tRNS", sixteen(0x1234)), depth=16),
        mixed((0.5, WHITE), (0.5, (18.0, 18.0, 18.0))),
    )
    yield Animal(
        "a clear colour of 16 bits.png",
        png(RGB, sixteen(1, 2, 3, 0x8000, 0, 0) * 4, chunk(b"tRNS", sixteen(1, 2, 3)), depth=16),
        mixed((0.5, WHITE), (0.5, (128.0, 0.0, 0.0))),
    )


def _of_depth() -> Iterator[Animal]:
    yield Animal("grey of 1 bit.png", png(GREY, b"\x0f", depth=1), (127.5, 127.5, 127.5))
    yield Animal("grey of 2 bits.png", png(GREY, b"\x55\x55", depth=2), (85.0, 85.0, 85.0))
    yield Animal("grey of 4 bits.png", png(GREY, b"\x55" * 4, depth=4), (85.0, 85.0, 85.0))
    yield Animal("grey of 16 bits.png", png(GREY, sixteen(25700) * 8, depth=16), (100.0,) * 3)
    yield Animal("colour of 16 bits.png", png(RGB, sixteen(51400, 25700, 12850) * 8, depth=16), TAN)
    yield Animal(
        "half clear grey.png", png(GREY_ALPHA, bytes((100, 128)) * 8), (177.0, 177.0, 177.0)
    )
    yield Animal(
        "half clear grey of 16 bits.png",
        png(GREY_ALPHA, sixteen(25700, 32896) * 8, depth=16),
        (177.0, 177.0, 177.0),
    )
    yield Animal(
        "half clear colour.png", png(RGB_ALPHA, (PIXEL + b"\x80") * 8), (227.4, 177.2, 152.1)
    )
    yield Animal(
        "half clear colour of 16 bits.png",
        png(RGB_ALPHA, sixteen(51400, 25700, 12850, 32896) * 8, depth=16),
        (227.4, 177.2, 152.1),
    )
