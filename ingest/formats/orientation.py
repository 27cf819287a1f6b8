"""Which way up a picture is to be shown, as its EXIF says."""

import struct

from PIL import Image

_TAG = 0x0112
_SHORT, _LONG = 3, 4
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
UPRIGHT = 1


def orientation(exif: bytes) -> int:
    """The orientation, 1 to 8, in an EXIF block; 1 where it says none or is broken.

    Pillow's reader looks at all tags, and one that is broken keeps it from this one.
    """
    block = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return UPRIGHT
    try:
        [start] = struct.unpack_from(f"{order}I", block, 4)
        [count] = struct.unpack_from(f"{order}H", block, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", block, entry)
            if tag == _TAG:
                form = {_SHORT: "H", _LONG: "I"}.get(kind, "B")
                [value] = struct.unpack_from(f"{order}{form}", block, entry + 8)
                return int(value) if value in _TURNS else UPRIGHT
    except struct.error:
        return UPRIGHT
    return UPRIGHT


def turned(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Width and height once it is upright."""
    return size[::-1] if orientation >= 5 else size


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """The image as it is to be shown."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)
