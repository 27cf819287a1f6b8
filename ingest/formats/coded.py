"""Colour spaces that a file tells in a few numbers: primaries, white and a curve.

Such numbers stand in PNG (gAMA, cHRM, cICP) and in AVIF and HEIC (nclx).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image

Numbers = npt.NDArray[np.float64]
# x and y of red, green, blue and white.
Chromaticities = tuple[float, float, float, float, float, float, float, float]

_D65 = (0.3127, 0.3290)
SRGB: Chromaticities = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65)
# By the numbers of ITU-T H.273.
_PRIMARIES: dict[int, Chromaticities] = {
    1: SRGB,
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, 0.310, 0.316),
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, 0.310, 0.316),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
_TELEVISION = (1, 6, 14, 15)
_PQ, _HLG = 16, 18
_SHOWN_WHITE = 406.0  # cd/m² of an HDR picture that a browser shows as an ordinary screen's white
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593])
# How a screen without HDR shows light beyond its white: measured in a browser.
_BRIGHT = ((0.0, 0.55, 1.114, 2.46), (0.0, 0.55, 0.776, 1.0))
_ENCODED = 1 << 14


def _linear(value: Numbers) -> Numbers:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _encode(light: Numbers) -> Numbers:
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


_BYTES = np.round(_encode(np.linspace(0, 1, _ENCODED)) * 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Coded:
    """A space, as its way to sRGB.

    Attributes:
        light: of each of the 256 values, float64 (256,); 1 is white.
        to_srgb: from light of its primaries to light of sRGB's, float64 (3, 3).
        scene: whether it is light of the scene, as HLG stores it, and not of a screen.
        bright: whether it goes beyond a screen's white.
    """

    light: Numbers
    to_srgb: Numbers
    scene: bool = False
    bright: bool = False

    def convert(self, image: Image.Image) -> Image.Image:
        """An image of mode RGB or L to sRGB."""
        light = self.light[np.asarray(image.convert("RGB"))]
        if self.scene:
            light = light * ((light @ _LUMINANCE)[..., None] ** 0.2)
            light = 1000 / _SHOWN_WHITE * light
        if self.bright:
            peak = np.maximum(light.max(axis=2, keepdims=True), 1e-9)
            light = light * np.interp(peak, *_BRIGHT) / peak
        places = (light @ self.to_srgb.T).clip(0, 1) * (_ENCODED - 1) + 0.5
        return Image.fromarray(_BYTES[places.astype(np.uint16)])


def from_gamma(exponent: float, chromaticities: Chromaticities = SRGB) -> Coded:
    """The space of a power curve: light is the value to that exponent.

    Raises:
        ValueError: those numbers describe no colour space.
    """
    return Coded(_values() ** exponent, _to_srgb(chromaticities))


@cache
def from_code_points(primaries: int, transfer: int, *, video: bool) -> Coded | None:
    """The space of H.273's code points; None for sRGB's own and for unknown ones.

    Args:
        primaries: the number of the primaries.
        transfer: the number of the curve.
        video: whether it stands in a format for video, where browsers take television's curves,
            and one that is not told, for sRGB's.
    """
    if video and transfer in (*_TELEVISION, 2):
        transfer = 13
    curve = _TRANSFERS.get(transfer)
    if primaries not in _PRIMARIES or curve is None or (primaries, transfer) == (1, 13):
        return None
    matrix = _to_srgb(_PRIMARIES[primaries])
    return Coded(curve(_values()), matrix, transfer == _HLG, transfer in (_HLG, _PQ))


def _values() -> Numbers:
    return np.linspace(0.0, 1.0, 256)


def _pq(value: Numbers) -> Numbers:
    power = value ** (1 / 78.84375)
    light = np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)
    scaled: Numbers = 10_000 / _SHOWN_WHITE * light ** (1 / 0.1593017578125)
    return scaled


def _hlg(value: Numbers) -> Numbers:
    dark, bright = value**2 / 3, (np.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return np.where(value <= 0.5, dark, bright)


def _power(exponent: float) -> Callable[[Numbers], Numbers]:
    def curve(value: Numbers) -> Numbers:
        light: Numbers = value**exponent
        return light

    return curve


_TRANSFERS: dict[int, Callable[[Numbers], Numbers]] = {
    **dict.fromkeys(_TELEVISION, _power(2.4)),
    4: _power(2.2),
    5: _power(2.8),
    8: _power(1.0),
    13: _linear,
    _PQ: _pq,
    17: lambda value: value**2.6 * (52.37 / 48),
    _HLG: _hlg,
}


def _to_srgb(chromaticities: Chromaticities) -> Numbers:
    matrix: Numbers = np.linalg.inv(_to_d65(SRGB)) @ _to_d65(chromaticities)
    return matrix


def _to_d65(chromaticities: Chromaticities) -> Numbers:
    """XYZ of the three primaries, in columns, (3, 3), as they look under D65."""
    points = np.array(chromaticities).reshape(4, 2)
    if (points[:, 1] <= 0).any():
        raise ValueError("no colour space")
    xyz = np.stack([points[:, 0], points[:, 1], 1 - points.sum(axis=1)]) / points[:, 1]
    white, x, y = xyz[:, 3], *_D65
    try:
        amounts = np.linalg.solve(xyz[:, :3], white)
    except np.linalg.LinAlgError as error:
        raise ValueError("no colour space") from error
    daylight = np.array([x / y, 1, (1 - x - y) / y])
    scale = np.diag(_BRADFORD @ daylight / (_BRADFORD @ white))
    columns: Numbers = np.linalg.inv(_BRADFORD) @ scale @ _BRADFORD @ (xyz[:, :3] * amounts)
    if not np.isfinite(columns).all() or np.abs(columns).max() > 100:
        raise ValueError("no colour space")
    return columns
