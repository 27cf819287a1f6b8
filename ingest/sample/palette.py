"""The light of a scene: what time of day and weather do to colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ingest.sample.canvas import WHITE, Rgb, mix
from ingest.sample.scenes import Scene

PAINTS: Final[dict[str, Rgb]] = {
    "red": (216, 40, 40),
    "orange": (243, 132, 28),
    "yellow": (247, 210, 48),
    "green": (42, 152, 70),
    "blue": (42, 96, 214),
    "purple": (136, 62, 178),
    "white": (246, 246, 244),
    "black": (38, 38, 44),
    "pink": (244, 156, 190),
    "brown": (134, 84, 48),
}
# From the zenith down to the horizon.
_SKIES: Final[dict[tuple[str, str], tuple[Rgb, Rgb, Rgb]]] = {
    ("day", "clear"): ((58, 130, 212), (126, 184, 236), (206, 230, 246)),
    ("day", "rain"): ((96, 110, 128), (128, 140, 154), (168, 177, 186)),
    ("day", "snow"): ((158, 176, 200), (192, 205, 220), (226, 232, 240)),
    ("day", "fog"): ((184, 194, 202), (202, 209, 213), (218, 222, 223)),
    ("sunset", "clear"): ((66, 56, 124), (214, 92, 96), (255, 190, 104)),
    ("sunset", "rain"): ((78, 66, 98), (140, 88, 100), (214, 138, 104)),
    ("sunset", "snow"): ((112, 100, 156), (206, 138, 160), (255, 200, 164)),
    ("sunset", "fog"): ((152, 120, 142), (200, 146, 142), (238, 186, 146)),
    ("night", "clear"): ((8, 12, 44), (20, 32, 82), (48, 66, 122)),
    ("night", "rain"): ((14, 19, 36), (28, 36, 58), (50, 62, 88)),
    ("night", "snow"): ((24, 32, 68), (44, 56, 100), (82, 96, 142)),
    ("night", "fog"): ((38, 46, 68), (56, 66, 90), (84, 95, 118)),
}
# Factor and addition per channel, for the land and for the objects on it: objects keep more of
# their colour in the dark than the land does, so that they can be told from it.
_LIGHT: Final[dict[str, tuple[tuple[float, float, float], Rgb]]] = {
    "day": ((1.0, 1.0, 1.0), (0, 0, 0)),
    "sunset": ((0.86, 0.68, 0.64), (22, 6, 8)),
    "night": ((0.40, 0.47, 0.66), (4, 10, 26)),
}
_OBJECT_LIGHT: Final[dict[str, tuple[tuple[float, float, float], Rgb]]] = {
    "day": ((1.0, 1.0, 1.0), (0, 0, 0)),
    "sunset": ((0.95, 0.84, 0.80), (10, 4, 4)),
    "night": ((0.72, 0.72, 0.84), (14, 16, 30)),
}
# Things that shine, whatever the light of the scene.
LAMP: Final[Rgb] = (255, 226, 130)
BEAM: Final[Rgb] = (255, 244, 170)
HEADLIGHT: Final[Rgb] = (255, 240, 176)
_SNOW: Final[Rgb] = (240, 244, 250)


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one scene."""

    time: str
    weather: str
    sky: tuple[Rgb, Rgb, Rgb]
    tint: tuple[int, int, int]

    @classmethod
    def of(cls, scene: Scene) -> Palette:
        """Return the palette of a scene, shifted by its tint."""
        r, g, b = scene.tint
        tint = (round(r * 10), round(g * 10), round(b * 10))
        sky = _SKIES[scene.time, scene.weather]
        top, middle, low = (_shift(colour, tint) for colour in sky)
        return cls(scene.time, scene.weather, (top, middle, low), tint)

    @property
    def haze(self) -> Rgb:
        """The colour that far things fade into."""
        return self.sky[2]

    @property
    def is_night(self) -> bool:
        """Whether lamps are lit."""
        return self.time == "night"

    @property
    def rim(self) -> Rgb:
        """The light that the moon leaves on the edges of things."""
        return (186, 200, 240)

    def land(self, colour: Rgb, distance: float = 0.0, *, snowed: bool = True) -> Rgb:
        """Return the colour of a piece of land, ``distance`` from 0 (near) to 1 (far)."""
        if self.weather == "snow" and snowed:
            colour = mix(colour, _SNOW, 0.9)
        return self._fade(_light(_shift(colour, self.tint), _LIGHT[self.time]), distance)

    def thing(self, colour: Rgb, distance: float = 0.0) -> Rgb:
        """Return the colour of an object in this light; lamps shine in the dark."""
        if self.is_night and colour in (LAMP, BEAM, HEADLIGHT):
            return colour
        return self._fade(_light(colour, _OBJECT_LIGHT[self.time]), distance * 0.6)

    def _fade(self, colour: Rgb, distance: float) -> Rgb:
        strength = {"fog": 0.9, "rain": 0.5}.get(self.weather, 0.38)
        floor = 0.16 if self.weather == "fog" else 0.0
        return mix(colour, self.haze, min(0.92, floor + strength * distance))


def shade(colour: Rgb, share: float) -> Rgb:
    """Return a darker colour (share below 0) or a lighter one (above)."""
    return mix(colour, WHITE, share) if share > 0 else mix(colour, (16, 14, 28), -share)


def _shift(colour: Rgb, tint: tuple[int, int, int]) -> Rgb:
    r, g, b = (min(255, max(0, c + t)) for c, t in zip(colour, tint, strict=True))
    return r, g, b


def _light(colour: Rgb, light: tuple[tuple[float, float, float], Rgb]) -> Rgb:
    factors, extra = light
    r, g, b = (min(255, int(c * f + e)) for c, f, e in zip(colour, factors, extra, strict=True))
    return r, g, b
