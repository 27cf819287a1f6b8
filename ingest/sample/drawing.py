"""Turns a scene into a picture: sky, ground, objects, weather, grain, in this order."""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import Final

from PIL import Image, ImageChops

from ingest.sample.backdrops import paint_backdrop
from ingest.sample.canvas import WHITE, Canvas, Pen, Rgb, Tone, mix
from ingest.sample.objects import PAINTERS
from ingest.sample.palette import PAINTS, Palette, shade
from ingest.sample.scenes import KINDS, Group, Placement, Scene

# Separates the drawing's random details from the composition, which uses the same seeds.
_SALT: Final = 0xD2A3
_GRAINS: Final = 8
_GRAIN_SIDE: Final = 160


def draw(scene: Scene, size: int) -> Image.Image:
    """Return the picture of a scene.

    Args:
        scene: what to draw.
        size: width and height in pixels; another size gives the same picture, resampled.

    Returns:
        An RGB image of ``size`` x ``size`` pixels.

    Raises:
        ValueError: if the size is less than one pixel.
    """
    if size < 1:
        raise ValueError(f"a picture is at least 1 pixel wide, not {size}")
    # Painting larger and shrinking is what smooths the edges.
    factor = 3 if size <= 128 else 2
    canvas = Canvas(size * factor)
    palette, rng = Palette.of(scene), Random(_SALT * 1_000_003 + scene.seed)
    _paint_sky(canvas, scene, palette, rng)
    paint_backdrop(canvas, scene, palette, rng)
    if scene.weather == "fog":
        canvas.veil(scene.horizon - 0.2, scene.horizon + 0.06, palette.haze, (0, 140))
        canvas.veil(scene.horizon + 0.06, 1.0, palette.haze, (140, 20))
    for group, placement in _back_to_front(scene):
        _paint_object(canvas, scene, palette, group, placement)
    _paint_weather(canvas, palette, rng)
    image = canvas.image.reduce(factor)
    return ImageChops.add(image, _grain(size, scene.seed % _GRAINS), scale=1.0, offset=-128)


def _paint_sky(canvas: Canvas, scene: Scene, palette: Palette, rng: Random) -> None:
    canvas.gradient(0.0, scene.horizon + 0.06, palette.sky)
    if scene.weather == "clear" and palette.is_night:
        for _ in range(60):
            x, y, r = rng.random(), rng.random() * scene.horizon, rng.uniform(0.0018, 0.0048)
            canvas.ellipse(x, y, r, r, mix(palette.sky[1], WHITE, rng.uniform(0.5, 1.0)))
    if scene.weather in ("clear", "snow"):
        _paint_light(canvas, scene, palette)
    clouds = {"clear": 2 + int(rng.random() * 2), "rain": 8, "snow": 4, "fog": 0}[scene.weather]
    for _ in range(clouds):
        _paint_cloud(canvas, scene, palette, rng)


def _paint_light(canvas: Canvas, scene: Scene, palette: Palette) -> None:
    """Paint sun or moon with its glow; snow clouds let only the low sun and the moon through."""
    x = 0.1 + 0.8 * scene.light
    if scene.time == "day":
        if scene.weather == "clear":
            _glow(canvas, (x, 0.13, 0.05), (255, 250, 214), (255, 244, 190))
    elif scene.time == "sunset":
        _glow(canvas, (x, scene.horizon - 0.07, 0.075), (255, 232, 150), (255, 176, 96))
    else:
        _glow(canvas, (x, 0.14, 0.05), (246, 244, 226), (150, 168, 220))
        canvas.ellipse(x + 0.022, 0.128, 0.042, 0.042, mix(palette.sky[0], (150, 168, 220), 0.3))


def _glow(canvas: Canvas, disc: tuple[float, float, float], core: Rgb, halo: Rgb) -> None:
    x, y, radius = disc
    for growth, alpha in ((3.4, 26), (2.4, 34), (1.6, 60)):
        canvas.ellipse(x, y, radius * growth, radius * growth, halo, alpha)
    canvas.ellipse(x, y, radius, radius, core)


def _paint_cloud(canvas: Canvas, scene: Scene, palette: Palette, rng: Random) -> None:
    body = mix(palette.sky[2], WHITE, {"day": 0.75, "sunset": 0.25, "night": 0.08}[scene.time])
    if scene.weather == "rain":
        body = shade(palette.sky[1], rng.uniform(-0.3, 0.05))
    x, y = rng.random(), rng.uniform(0.04, max(0.1, scene.horizon - 0.16))
    width = rng.uniform(0.07, 0.14)
    for dx, dy, r in ((-1.0, 0.1, 0.5), (-0.4, -0.2, 0.7), (0.35, -0.15, 0.62), (1.0, 0.1, 0.45)):
        canvas.ellipse(x + dx * width, y + dy * width, r * width, r * width * 0.55, body, 200)
    canvas.ellipse(x, y + 0.1 * width, 1.3 * width, 0.3 * width, body, 200)


def _back_to_front(scene: Scene) -> list[tuple[Group, Placement]]:
    pairs = [(group, place) for group in scene.groups for place in group.placements]
    return sorted(pairs, key=lambda pair: (KINDS[pair[0].kind].zone != "sky", pair[1].y))


def _paint_object(
    canvas: Canvas, scene: Scene, palette: Palette, group: Group, place: Placement
) -> None:
    paint, colour = PAINTERS[group.kind], PAINTS[group.colour]
    lit, snowy = palette.is_night, palette.weather == "snow"
    _paint_shadow(canvas, scene, palette, group, place)
    distance = max(0.0, min(1.0, 1.0 - place.scale))
    edge, offset = _edge(palette, group.colour)
    for dx, dy in offset:
        pen = Pen(canvas, place.x + dx, place.y + dy, place.scale, place.flip, edge)
        paint(pen, colour, place.pose, False, snowy)
    pen = Pen(
        canvas,
        place.x,
        place.y,
        place.scale,
        place.flip,
        lambda own: palette.thing(own, distance),
    )
    paint(pen, colour, place.pose, lit, snowy)


def _edge(palette: Palette, colour: str) -> tuple[Tone, tuple[tuple[float, float], ...]]:
    """Return the colour and the offsets of an object's outline, which keeps it readable."""
    if palette.is_night:
        rim = mix(palette.rim, palette.haze, 0.5 if palette.weather == "fog" else 0.25)
        return (lambda _: rim), ((-0.005, -0.004), (0.004, -0.003))
    dark = mix(palette.haze, (30, 28, 44), 0.7)
    if colour == "white":
        return (lambda _: dark), ((-0.004, 0.0), (0.004, -0.003))
    return (lambda _: mix(dark, palette.haze, 0.25)), ((0.004, 0.0),)


def _paint_shadow(
    canvas: Canvas, scene: Scene, palette: Palette, group: Group, place: Placement
) -> None:
    kind = KINDS[group.kind]
    half = kind.width * place.scale / 2
    if kind.zone == "sky":
        return
    if kind.zone == "water":
        colour = mix(palette.thing(PAINTS[group.colour]), palette.land((30, 70, 100)), 0.45)
        canvas.ellipse(place.x, place.y + 0.012, half * 0.86, 0.016, colour, 170)
        canvas.ellipse(place.x, place.y + 0.035, half * 0.55, 0.012, colour, 100)
        return
    lean = (0.5 - scene.light) * (0.5 if scene.time == "sunset" else 0.2)
    alpha = 96 if palette.weather in ("clear", "snow") else 64
    canvas.ellipse(
        place.x + lean * half, place.y, half * 1.02, 0.018 * place.scale, (8, 8, 24), alpha
    )


def _paint_weather(canvas: Canvas, palette: Palette, rng: Random) -> None:
    if palette.weather == "rain":
        drop = mix(palette.haze, WHITE, 0.5)
        slant = rng.uniform(-0.02, 0.035)
        for _ in range(85):
            x, y, length = rng.uniform(-0.05, 1.05), rng.random(), rng.uniform(0.04, 0.085)
            canvas.line([(x, y), (x - slant, y + length)], 0.0042, drop, 120)
    elif palette.weather == "snow":
        flake = mix(palette.haze, WHITE, 0.8)
        for _ in range(95):
            r = 0.003 + 0.007 * rng.random() ** 2
            canvas.ellipse(rng.random(), rng.random(), r, r, flake, 225)


@lru_cache(maxsize=64)
def _grain(size: int, variant: int) -> Image.Image:
    """Return fine noise around 128, the same pattern at every size."""
    rng = Random(_SALT + variant)
    levels = bytes(int(rng.gauss(128, 4.0)) for _ in range(_GRAIN_SIDE * _GRAIN_SIDE))
    noise = Image.frombytes("L", (_GRAIN_SIDE, _GRAIN_SIDE), levels)
    return Image.merge("RGB", [noise.resize((size, size), Image.Resampling.BILINEAR)] * 3)
