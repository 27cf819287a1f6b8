"""The smallest ICC profiles: a matrix and a power curve, or a curve for grey."""

import struct

import numpy as np

D65 = (0.3127, 0.3290)
REC709 = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *D65)
P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *D65)
REC2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *D65)
D50 = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def matrix_profile(primaries: tuple[float, ...] | None, exponent: float) -> bytes:
    """A profile of colours, or without primaries one of grey."""
    tags = {b"wtpt": _xyz(D50)}
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(exponent * 256)) + bytes(2)
    if primaries is None:
        tags[b"kTRC"] = curve
    else:
        for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), _columns(primaries).T, strict=True):
            tags[name] = _xyz(column)
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    place = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        table += name + struct.pack(">II", place + len(body), len(content))
        body += content
    space = b"GRAY" if primaries is None else b"RGB "
    head = struct.pack(
        ">I4sI4s4s4s12x4s28x",
        place + len(body),
        b"none",
        0x02400000,
        b"mntr",
        space,
        b"XYZ ",
        b"acsp",
    )
    return (head + _xyz(D50)[8:]).ljust(128, b"\0") + table + body


def _xyz(value: np.ndarray) -> bytes:
    return b"XYZ " + bytes(4) + np.round(value * 65536).astype(">i4").tobytes()


def _columns(points: tuple[float, ...]) -> np.ndarray:
    whole = np.array(
        [[x / y, 1, (1 - x - y) / y] for x, y in zip(points[::2], points[1::2], strict=True)]
    ).T
    columns, white = whole[:, :3] * np.linalg.solve(whole[:, :3], whole[:, 3]), whole[:, 3]
    scale = np.diag(BRADFORD @ D50 / (BRADFORD @ white))
    return np.linalg.inv(BRADFORD) @ scale @ BRADFORD @ columns
