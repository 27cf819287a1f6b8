"""BMP with masks, depths or palettes that Pillow refuses and browsers show."""

import struct

import numpy as np
import numpy.typing as npt
from PIL import Image

MAX_PIXELS = 30_000_000  # as numbers in memory each takes up to 24 bytes
_PLAIN, _MASKS, _MASKS_WITH_ALPHA = 0, 3, 6
_USUAL_MASKS = {16: (0x7C00, 0x03E0, 0x001F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}

Rows = npt.NDArray[np.uint32]


def decode(content: bytes) -> Image.Image:
    """The picture of an uncompressed BMP, RGB or, with an opacity, RGBA.

    Raises:
        ValueError: it is compressed, cut short, too large for this, or no such file.
    """
    try:
        return _decode(content)
    except struct.error as error:
        raise ValueError("broken image") from error


def _decode(content: bytes) -> Image.Image:
    start, header = struct.unpack_from("<II", content, 10)
    if header == 12:
        width, height, _, depth = struct.unpack_from("<HHHH", content, 18)
        packing, used = _PLAIN, 0
    else:
        width, height, _, depth, packing = struct.unpack_from("<iiHHI", content, 18)
        [used] = struct.unpack_from("<I", content, 46)
    if packing not in (_PLAIN, _MASKS, _MASKS_WITH_ALPHA) or depth not in (1, 2, 4, 8, 16, 24, 32):
        raise ValueError("broken image")
    if width < 1 or height == 0 or width * abs(height) > MAX_PIXELS:
        raise ValueError("broken image")
    rows = _rows(content[start:], width, abs(height), depth)
    if depth <= 8:
        entry = 3 if header == 12 else 4
        colours = _palette(content[14 + header : start], entry, min(used or 256, 1 << depth))
        pixels = colours[np.minimum(rows, len(colours) - 1)]
    elif depth == 24:
        pixels = np.stack([rows >> 16, rows >> 8, rows], axis=-1).astype(np.uint8)
    else:
        pixels = _channels(rows, _masks(content, header, depth, packing))
    return Image.fromarray(pixels if height < 0 else np.ascontiguousarray(pixels[::-1]))


def _rows(data: bytes, width: int, height: int, depth: int) -> Rows:
    """The number of each pixel, uint32 (height, width), in the order of the file."""
    stride = (width * depth + 31) // 32 * 4
    if len(data) < stride * height:
        raise ValueError("image cut short")
    stored = np.frombuffer(data, np.uint8, stride * height).reshape(height, stride)
    if depth < 8:
        bits = np.unpackbits(stored, axis=1)[:, : width * depth].reshape(height, width, depth)
        places = np.arange(depth, dtype=np.uint32)[::-1]
        numbers: Rows = (bits.astype(np.uint32) << places).sum(axis=2, dtype=np.uint32)
        return numbers
    size = depth // 8
    parts = stored[:, : width * size].reshape(height, width, size).astype(np.uint32)
    whole: Rows = (parts << np.arange(0, 8 * size, 8, dtype=np.uint32)).sum(axis=2, dtype=np.uint32)
    return whole


def _palette(data: bytes, entry: int, count: int) -> npt.NDArray[np.uint8]:
    count = min(count, len(data) // entry)
    if not count:
        raise ValueError("broken image")
    colours = np.frombuffer(data, np.uint8, count * entry).reshape(count, entry)
    return colours[:, 2::-1]


def _masks(content: bytes, header: int, depth: int, packing: int) -> tuple[int, ...]:
    """Which bits are red, green, blue and opacity."""
    if packing == _PLAIN:
        return _USUAL_MASKS[depth]
    if header >= 56 or packing == _MASKS_WITH_ALPHA:
        return struct.unpack_from("<4I", content, 54)
    return (*struct.unpack_from("<3I", content, 54), 0)


def _channels(rows: Rows, masks: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    channels = [_channel(rows, mask) for mask in masks]
    # A picture without a single opaque pixel is one whose writer left that byte empty.
    if not masks[3] or not channels[3].any():
        channels.pop()
    return np.stack(channels, axis=-1)


def _channel(rows: Rows, mask: int) -> npt.NDArray[np.uint8]:
    if not mask:
        return np.zeros(rows.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    values = (rows & np.uint32(mask)) >> np.uint32(shift)
    return np.round(values * (255 / (mask >> shift))).clip(0, 255).astype(np.uint8)
