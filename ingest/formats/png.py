"""PNG: the chunks that its pixels need, and what the others say of colour and place.

Pillow gives a file up for a checksum or for the size of a text. Here a file is taken apart, and
only what makes pixels is put together again for Pillow.
"""

import struct
import zlib
from dataclasses import dataclass
from itertools import pairwise

from ingest.formats.coded import SRGB, Chromaticities, Coded, from_code_points, from_gamma

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_PROFILE = 16_000_000  # bytes; the largest profiles for print have 4 MB
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


@dataclass(frozen=True)
class Png:
    """A file taken apart.

    Attributes:
        pixels: a PNG with nothing but what makes the pixels of the first frame.
        depth: bits a sample.
        clear: the grey or colour that is transparent, in samples of `depth` bits; or the
            opacities of the palette's first entries; or None.
        profile: its colour profile, or None for sRGB.
        exif: its EXIF block, or b"".
        canvas: width and height of the picture that the frame is a part of.
        place: where on that the frame lies, from the left and from the top.
    """

    pixels: bytes
    depth: int
    clear: tuple[int, ...] | bytes | None
    profile: bytes | Coded | None
    exif: bytes
    canvas: tuple[int, int]
    place: tuple[int, int]


def take_apart(content: bytes) -> Png:
    """Read the chunks of a file that starts with the signature.

    Raises:
        ValueError: it has no pixels that could be read.
    """
    chunks = _chunks(content)
    if not chunks or chunks[0].kind != b"IHDR" or not chunks[0].whole:
        raise ValueError("broken image")
    header = bytes(chunks[0].data[:13])
    depth, kind = header[8], header[9]
    first = {chunk.kind: chunk for chunk in reversed(chunks)}
    if kind not in _CHANNELS or (kind == 3 and len(_data(first, b"PLTE")) < 3):
        raise ValueError("broken image")
    width, height, place, stream = _first_frame(header, chunks)
    if not stream:
        raise ValueError("image cut short")
    parts = [(b"IHDR", struct.pack(">II", width, height) + header[8:])]
    if kind == 3:
        palette = _data(first, b"PLTE")[:768]
        parts.append((b"PLTE", palette[: len(palette) // 3 * 3]))
    parts += [(b"IDAT", stream), (b"IEND", b"")]
    return Png(
        pixels=SIGNATURE + b"".join(_chunk(name, data) for name, data in parts),
        depth=depth,
        clear=_clear(kind, depth, _data(first, b"tRNS")),
        profile=_profile(first),
        exif=_data(first, b"eXIf"),
        canvas=struct.unpack(">II", header[:8]),
        place=place,
    )


def without_sum(content: bytes) -> bytes:
    """The file, its pixels packed anew: a wrong sum at their end costs them their last row.

    Raises:
        ValueError: they can't be unpacked at all.
    """
    chunks = _chunks(content)
    width, height = struct.unpack_from(">II", chunks[0].data)
    packed = b"".join(chunk.data for chunk in chunks if chunk.kind == b"IDAT")
    most = (width * 8 + 9) * (height + 9)  # bytes, of four samples of 16 bits and a filter a row
    try:
        # Past the two bytes of the header, as a stream that has no sum.
        pixels = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed[2:], most)
    except zlib.error as error:
        raise ValueError("broken image") from error
    others = [chunk for chunk in chunks if chunk.kind != b"IDAT"]
    before = b"".join(_chunk(chunk.kind, bytes(chunk.data)) for chunk in others)
    return SIGNATURE + before + _chunk(b"IDAT", zlib.compress(pixels, 1)) + _chunk(b"IEND", b"")


@dataclass(frozen=True)
class _Piece:
    kind: bytes
    data: memoryview
    whole: bool


def _chunks(content: bytes) -> list[_Piece]:
    """All chunks up to the end; the last one may be cut short."""
    found, at, view = [], len(SIGNATURE), memoryview(content)
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        data = view[at + 8 : at + 8 + length]
        whole = at + 12 + length <= len(content)
        # A wrong sum in the header means that the picture's size can't be trusted.
        if kind == b"IHDR" and whole:
            whole = (
                zlib.crc32(view[at + 4 : at + 8 + length])
                == struct.unpack_from(">I", content, at + 8 + length)[0]
                and length == 13
            )
        if not kind.isalpha() or kind == b"IEND":
            break
        found.append(_Piece(kind, data, whole))
        at += 12 + length
    return found


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _data(first: dict[bytes, _Piece], kind: bytes) -> bytes:
    piece = first.get(kind)
    return bytes(piece.data) if piece is not None and piece.whole else b""


def _first_frame(header: bytes, chunks: list[_Piece]) -> tuple[int, int, tuple[int, int], bytes]:
    """Width, height, place and compressed pixels of what an animation shows first."""
    kinds = [chunk.kind for chunk in chunks]
    width, height = struct.unpack(">II", header[:8])
    still = b"".join(chunk.data for chunk in chunks if chunk.kind == b"IDAT")
    if not _moves(chunks, kinds):
        return width, height, (0, 0), still
    control = kinds.index(b"fcTL")
    if b"IDAT" in kinds[:control]:
        # The still picture is for those who know no animations, and no part of this one.
        across, down, left, top = struct.unpack_from(">4I", chunks[control].data.tobytes(), 4)
        moving = []
        for chunk in chunks[control + 1 :]:
            if chunk.kind == b"fcTL":
                break
            if chunk.kind == b"fdAT":
                moving.append(chunk.data[4:])
        if moving and across and down and left + across <= width and top + down <= height:
            return across, down, (left, top), b"".join(moving)
    return width, height, (0, 0), still


def _moves(chunks: list[_Piece], kinds: list[bytes]) -> bool:
    """Whether it is an animation that holds to the rules."""
    if not {b"acTL", b"fcTL", b"fdAT", b"IDAT"} <= set(kinds):
        return False
    control = kinds.index(b"acTL")
    frames = chunks[control].data[:4] != bytes(4)
    return frames and control < kinds.index(b"IDAT") and len(chunks[kinds.index(b"fcTL")].data) > 19


def _clear(kind: int, depth: int, data: bytes) -> tuple[int, ...] | bytes | None:
    if kind == 3:
        return data or None
    channels = {0: 1, 2: 3}.get(kind)
    if channels is None or len(data) < 2 * channels:
        return None
    # Only the lowest bits count.
    return tuple(v & (1 << depth) - 1 for v in struct.unpack_from(f">{channels}H", data))


def _profile(first: dict[bytes, _Piece]) -> bytes | Coded | None:
    """In the order in which a browser believes them."""
    numbers = _data(first, b"cICP")
    if len(numbers) == 4 and numbers[2:] == b"\0\1":
        known = from_code_points(numbers[0], numbers[1], video=False)
        if known is not None or numbers[:2] == b"\1\x0d":
            return known
    embedded = _embedded(_data(first, b"iCCP"))
    if embedded is not None or b"sRGB" in first:
        return embedded
    return _measured(_data(first, b"gAMA"), _data(first, b"cHRM"))


def _embedded(data: bytes) -> bytes | None:
    name, _, rest = data[:81].partition(b"\0")
    if not rest:
        return None
    try:
        return zlib.decompressobj().decompress(data[len(name) + 2 :], _MAX_PROFILE) or None
    except zlib.error:
        return None


def _measured(gamma: bytes, chromaticities: bytes) -> Coded | None:
    value = int.from_bytes(gamma) if len(gamma) == 4 else 0
    if not 0 < value < 1 << 31:
        return None
    try:
        if len(chromaticities) != 32:
            # 1/2.2 alone is how older programs say sRGB.
            return None if abs(value - 45455) < 500 else from_gamma(100_000 / value)
        numbers = [each / 100_000 for each in struct.unpack(">8I", chromaticities)]
        return from_gamma(100_000 / value, _ordered(numbers))
    except ValueError:
        return None


def _ordered(numbers: list[float]) -> Chromaticities:
    """White comes first in the file, and last here."""
    points = [*pairwise(numbers)][::2]
    flat = [number for point in (*points[1:], points[0]) for number in point]
    if len(flat) != len(SRGB):
        raise ValueError("no colour space")
    return (flat[0], flat[1], flat[2], flat[3], flat[4], flat[5], flat[6], flat[7])
