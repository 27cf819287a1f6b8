"""The ground each setting stands on, painted between the sky and the objects."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Final

from ingest.sample.canvas import WHITE, Canvas, Point, Rgb, mix
from ingest.sample.palette import Palette, shade
from ingest.sample.scenes import Scene

_GRASS: Final[Rgb] = (106, 158, 72)
_PINE: Final[Rgb] = (44, 92, 62)
_ROCK: Final[Rgb] = (128, 122, 124)
_SAND: Final[Rgb] = (236, 208, 152)
_STONE: Final[Rgb] = (152, 146, 142)
_WHEAT: Final[Rgb] = (224, 186, 88)
_DUNE: Final[Rgb] = (226, 164, 94)
_WATER: Final[Rgb] = (58, 118, 168)
_SEA: Final[Rgb] = (36, 124, 158)
_LIT: Final[Rgb] = (255, 220, 128)
_DIM: Final[Rgb] = (20, 20, 36)


def paint_backdrop(canvas: Canvas, scene: Scene, palette: Palette, rng: Random) -> None:
    """Paint everything from the horizon down, and what rises behind it."""
    _BACKDROPS[scene.setting](canvas, scene, palette, rng)


def _ridge(rng: Random, base: float, height: float, waves: float) -> list[Point]:
    """Return the outline of rolling hills from left to right, at most ``height`` above base."""
    a, b, c = (rng.random() * 6.3 for _ in range(3))
    points = []
    for step in range(25):
        x = step / 24
        wave = math.sin(waves * x + a) + 0.5 * math.sin(2.3 * waves * x + b)
        wave += 0.2 * math.sin(5.1 * waves * x + c)
        points.append((x, base - height * (0.5 + wave / 3.4)))
    return points


def _hills(
    canvas: Canvas, rng: Random, base: float, height: float, colour: Rgb, *, waves: float = 5.0
) -> None:
    canvas.polygon([*_ridge(rng, base, height, waves), (1, 1), (0, 1)], colour)


def _peaks(
    canvas: Canvas, rng: Random, base: float, height: float, rock: Rgb, cap: Rgb | None
) -> None:
    """Paint a range of pointed mountains, with a lit side and, given a cap, snow on top."""
    x = -0.1
    while x < 1.05:
        width, top = rng.uniform(0.26, 0.42), base - height * rng.uniform(0.62, 1.0)
        peak = x + width * rng.uniform(0.4, 0.6)
        canvas.polygon([(x, base), (peak, top), (x + width, base)], rock)
        ridge = peak + width * rng.uniform(0.02, 0.12)
        canvas.polygon([(peak, top), (x + width, base), (ridge, base)], shade(rock, -0.25))
        if cap is not None:
            _cap(canvas, (x, peak, x + width), (top, base), cap)
        x += width * rng.uniform(0.55, 0.8)


def _cap(
    canvas: Canvas,
    foot: tuple[float, float, float],
    heights: tuple[float, float],
    colour: Rgb,
) -> None:
    left, peak, right = foot
    top, base = heights
    drop = 0.36
    low = top + (base - top) * drop
    a, b = peak + (left - peak) * drop, peak + (right - peak) * drop
    wide = b - a
    canvas.polygon(
        [
            (peak, top),
            (b, low),
            (a + 0.72 * wide, low - 0.05 * (base - top)),
            (a + 0.52 * wide, low + 0.05 * (base - top)),
            (a + 0.3 * wide, low - 0.04 * (base - top)),
            (a, low),
        ],
        colour,
    )
    canvas.polygon([(peak, top), (b, low), (a + 0.72 * wide, low)], shade(colour, -0.16))


def _pine(
    canvas: Canvas, x: float, foot: float, height: float, colour: Rgb, snow: Rgb | None
) -> None:
    width = height * 0.24
    canvas.rectangle(
        x - height * 0.025, foot - height * 0.2, x + height * 0.025, foot, _bark(colour)
    )
    for low, high, share in ((0.12, 0.6, 1.0), (0.38, 0.82, 0.74), (0.62, 1.0, 0.5)):
        y0, y1, half = foot - height * low, foot - height * high, width * share
        canvas.polygon([(x - half, y0), (x, y1), (x + half, y0)], colour)
        canvas.polygon([(x, y0), (x, y1), (x + half, y0)], _DIM, 40)
        if snow is not None:
            canvas.polygon(
                [
                    (x - half * 0.55, y1 + (y0 - y1) * 0.5),
                    (x, y1),
                    (x + half * 0.4, y1 + (y0 - y1) * 0.4),
                ],
                snow,
            )


def _bark(colour: Rgb) -> Rgb:
    return mix(colour, (70, 48, 38), 0.6)


def _tufts(canvas: Canvas, rng: Random, top: float, colours: tuple[Rgb, ...], count: int) -> None:
    """Scatter small strokes over the land, larger towards the viewer."""
    for _ in range(count):
        depth = rng.random()
        x, y = rng.random(), top + 0.02 + (0.97 - top) * depth
        size = 0.008 + 0.018 * depth
        colour = colours[int(rng.random() * len(colours))]
        canvas.polygon(
            [(x - size * 0.5, y), (x + size * 0.1, y - size), (x + size * 0.4, y)], colour
        )


def _ripples(
    canvas: Canvas, rng: Random, top: float, bottom: float, colour: Rgb, count: int
) -> None:
    for _ in range(count):
        depth = rng.random() ** 0.8
        x, y = rng.random(), top + (bottom - top) * depth
        half = 0.02 + 0.07 * depth * rng.random()
        canvas.line([(x - half, y), (x + half, y)], 0.003 + 0.003 * depth, colour, 84)


def _snow_on(palette: Palette) -> Rgb | None:
    return palette.land(WHITE, 0.1) if palette.weather == "snow" else None


def _water(
    canvas: Canvas, scene: Scene, palette: Palette, rng: Random, colour: Rgb, share: float
) -> None:
    """Paint water from the horizon to a little below the shore, mirroring what is above it."""
    water = mix(palette.land(colour, snowed=False), palette.sky[1], 0.25)
    canvas.mirror(scene.horizon, scene.shore + 0.04, water, share)
    canvas.veil(scene.horizon, scene.shore + 0.04, shade(water, -0.35), (0, 120))
    light = mix(palette.haze, WHITE, 0.35)
    _ripples(canvas, rng, scene.horizon + 0.01, scene.shore + 0.03, light, 34)


def _bank(canvas: Canvas, rng: Random, shore: float, colours: tuple[Rgb, Rgb], edge: Rgb) -> None:
    """Paint the foreground with a gently curved edge towards the water."""
    ridge = _ridge(rng, shore + 0.03, 0.045, 3.0)
    canvas.polygon([*[(x, y - 0.008) for x, y in ridge], (1, 1), (0, 1)], edge)
    canvas.polygon([*ridge, (1, 1), (0, 1)], colours[0])
    canvas.veil(shore + 0.06, 1.0, colours[1], (0, 200))


def _lake(canvas: Canvas, scene: Scene, palette: Palette, rng: Random) -> None:
    h = scene.horizon
    _hills(canvas, rng, h + 0.01, rng.uniform(0.10, 0.20), palette.land((104, 140, 130), 0.75))
    _hills(
        canvas, rng, h + 0.02, rng.uniform(0.05, 0.10), palette.land((74, 122, 84), 0.45), waves=7
    )
    pine, snow = palette.land(_PINE, 0.3, snowed=False), _snow_on(palette)
    for _ in range(9):
        _pine(canvas, rng.random(), h + 0.005, rng.uniform(0.05, 0.10), pine, snow)
    _water(canvas, scene, palette, rng, _WATER, 0.6)
    near = palette.land(_GRASS)
    _bank(canvas, rng, scene.shore, (near, shade(near, -0.22)), palette.land((150, 140, 104)))
    _tufts(canvas, rng, scene.shore + 0.05, (shade(near, -0.2), shade(near, 0.14)), 34)
    side = 0.02 if rng.random() < 0.5 else 0.86
    for _ in range(9):
        x, top = side + 0.12 * rng.random(), scene.shore - rng.uniform(0.02, 0.07)
        canvas.line([(x, scene.shore + 0.05), (x + 0.01, top)], 0.006, palette.land((92, 120, 56)))


def _beach(canvas: Canvas, scene: Scene, palette: Palette, rng: Random) -> None:
    if rng.random() < 0.5:
        x, colour = rng.random(), palette.land((96, 130, 120), 0.7)
        canvas.ellipse(x, scene.horizon + 0.01, 0.2, rng.uniform(0.04, 0.08), colour)
    _water(canvas, scene, palette, rng, _SEA, 0.28)
    foam = palette.land((250, 252, 252), snowed=False)
    for back in (0.09, 0.05):
        ridge = _ridge(rng, scene.shore - back + 0.01, 0.02, 9.0)
        canvas.line(ridge, 0.006, foam, 130)
    sand = palette.land(_SAND)
    _bank(canvas, rng, scene.shore, (sand, shade(sand, -0.10)), foam)
    wet = shade(sand, -0.16)
    for _ in range(12):
        x, y = rng.random(), rng.uniform(scene.shore + 0.08, 0.97)
        canvas.line([(x - 0.05, y), (x, y - 0.006), (x + 0.06, y)], 0.004, wet, 150)
    if rng.random() < 0.55:
        _palm(canvas, palette, rng)


def _palm(canvas: Canvas, palette: Palette, rng: Random) -> None:
    x, lean = (0.06, 0.05) if rng.random() < 0.5 else (0.94, -0.05)
    top = rng.uniform(0.24, 0.34)
    trunk, leaf = (
        palette.land((134, 100, 66), snowed=False),
        palette.land((56, 120, 62), snowed=False),
    )
    canvas.line([(x, 0.9), (x + lean * 0.4, 0.6), (x + lean, top)], 0.018, trunk)
    for step in range(7):
        angle = math.pi * (0.05 + 0.15 * step) + rng.uniform(-0.1, 0.1)
        dx, dy = 0.15 * math.cos(angle), 0.09 * math.sin(angle)
        tip = (x + lean + dx, top - dy + 0.05)
        canvas.polygon(
            [
                (x + lean, top),
                (x + lean + dx * 0.6, top - dy - 0.02),
                tip,
                (x + lean + dx * 0.5, top - dy * 0.6 + 0.015),
            ],
            leaf,
        )


def _harbour(canvas: Canvas, scene: Scene, palette: Palette, rng: Random) -> None:
    h = scene.horizon
    far = palette.land((110, 112, 124), 0.55, snowed=False)
    x = rng.uniform(-0.05, 0.1)
    while x < 0.95:
        width, height = rng.uniform(0.10, 0.2), rng.uniform(0.03, 0.08)
        _shed(canvas, palette, (x, h), (width, height), shade(far, rng.uniform(-0.25, 0.1)))
        x += width + rng.uniform(0.0, 0.16)
    for _ in range(2):
        _crane(canvas, rng.uniform(0.08, 0.92), h, rng.uniform(0.15, 0.22), shade(far, -0.45))
    _water(canvas, scene, palette, rng, (48, 96, 122), 0.42)
    stone = palette.land(_STONE)
    canvas.rectangle(0, scene.shore, 1, 1, stone)
    canvas.rectangle(0, scene.shore + 0.035, 1, scene.shore + 0.045, shade(stone, -0.35))
    canvas.rectangle(0, scene.shore, 1, scene.shore + 0.012, shade(stone, 0.3))
    canvas.veil(scene.shore + 0.05, 1.0, shade(stone, -0.4), (0, 90))
    _paving(canvas, rng, scene.shore + 0.045, shade(stone, -0.28))
    for step in range(4):
        x = 0.1 + 0.26 * step + rng.uniform(-0.04, 0.04)
        post = palette.land((54, 52, 58), snowed=False)
        canvas.rectangle(x - 0.012, scene.shore - 0.02, x + 0.012, scene.shore + 0.02, post)
        canvas.ellipse(x, scene.shore - 0.02, 0.019, 0.01, post)


def _shed(
    canvas: Canvas,
    palette: Palette,
    corner: Point,
    size: tuple[float, float],
    colour: Rgb,
) -> None:
    (x, foot), (width, height) = corner, size
    canvas.rectangle(x, foot - height, x + width, foot + 0.003, colour)
    roof = [
        (x - 0.006, foot - height),
        (x + width / 2, foot - height - 0.025),
        (x + width + 0.006, foot - height),
    ]
    canvas.polygon(roof, _snow_on(palette) or shade(colour, -0.3))
    if palette.is_night:
        for step in range(3):
            left = x + width * (0.15 + 0.28 * step)
            canvas.rectangle(left, foot - height * 0.6, left + 0.018, foot - height * 0.35, _LIT)


def _crane(canvas: Canvas, x: float, foot: float, height: float, colour: Rgb) -> None:
    top = foot - height
    canvas.line([(x - 0.02, foot), (x, top), (x + 0.02, foot)], 0.008, colour)
    canvas.line([(x - 0.05, top + 0.02), (x + 0.13, top + 0.01)], 0.010, colour)
    canvas.line([(x, top - 0.03), (x + 0.12, top + 0.01)], 0.004, colour)
    canvas.line([(x + 0.11, top + 0.01), (x + 0.11, top + 0.09)], 0.004, colour)


def _paving(canvas: Canvas, rng: Random, top: float, colour: Rgb) -> None:
    middle = rng.uniform(0.3, 0.7)
    for step in range(-5, 6):
        canvas.line([(middle + step * 0.11, top), (middle + step * 0.32, 1.0)], 0.004, colour, 120)
    for share in (0.14, 0.36, 0.66):
        y = top + (1 - top) * share
        canvas.line([(0, y), (1, y)], 0.004, colour, 120)


def _forest(canvas: Canvas, scene: Scene, palette: Palette, rng: Random) -> None:
    h, snow = scene.horizon, _snow_on(palette)
    canvas.gradient(h, 1.0, (palette.land((96, 108, 62), 0.3), palette.land((74, 78, 44))))
    rows = ((0.02, 0.24, 15, 0.75), (0.05, 0.32, 12, 0.4), (0.09, 0.40, 9, 0.1))
    for drop, height, count, distance in rows:
        for step in range(count):
            x = (step + rng.uniform(0.1, 0.9)) / count
            green = shade(palette.land(_PINE, distance, snowed=False), rng.uniform(-0.12, 0.16))
            _pine(canvas, x, h + drop, height * rng.uniform(0.78, 1.12), green, snow)
    floor = palette.land((84, 92, 50))
    _hills(canvas, rng, h + 0.12, 0.03, floor, waves=6)
    canvas.veil(h + 0.14, 1.0, shade(floor, -0.3), (0, 190))
    _tufts(canvas, rng, h + 0.12, (shade(floor, -0.3), shade(floor, 0.16)), 40)
    for _ in range(3):
        x, y = (
            rng.choice((rng.uniform(0.02, 0.2), rng.uniform(0.8, 0.98))),
            rng.uniform(h + 0.14, 0.8),
        )
        bush = palette.land((58, 104, 58))
        for dx in (-0.03, 0.0, 0.03):
            canvas.ellipse(x + dx, y, 0.035, 0.028, shade(bush, dx * 4))


def _mountains(canvas: Canvas, scene: Scene, palette: Palette, rng: Random) -> None:
    h = scene.horizon
    cap = palette.land((248, 250, 253), 0.2)
    _peaks(
        canvas, rng, h + 0.02, rng.uniform(0.30, 0.38), palette.land(_ROCK, 0.8, snowed=False), cap
    )
    rock = mix(palette.land(_ROCK, 0.3, snowed=False), palette.land((116, 104, 100)), 0.4)
    _peaks(
        canvas, rng, h + 0.04, rng.uniform(0.16, 0.24), rock, cap if rng.random() < 0.7 else None
    )
    slope = palette.land((124, 140, 92))
    _hills(canvas, rng, h + 0.06, 0.07, slope)
    canvas.veil(h + 0.08, 1.0, palette.land((96, 104, 78)), (0, 210))
    stone = palette.land((146, 140, 138), snowed=False)
    for _ in range(13):
        depth = rng.random()
        x, y, r = rng.random(), h + 0.08 + (0.9 - h) * depth, 0.008 + 0.02 * depth
        canvas.ellipse(x, y, r * 1.3, r * 0.8, shade(stone, -0.3))
        canvas.ellipse(x - r * 0.2, y - r * 0.25, r, r * 0.55, _snow_on(palette) or stone)
    _tufts(canvas, rng, h + 0.08, (shade(slope, -0.25),), 20)


def _city(canvas: Canvas, scene: Scene, palette: Palette, rng: Random) -> None:
    h = scene.horizon
    _skyline(canvas, palette, rng, (h + 0.02, 0.30), 0.7)
    _skyline(canvas, palette, rng, (h + 0.05, 0.26), 0.15)
    pavement, road = palette.land((168, 164, 160)), palette.land((92, 92, 100))
    canvas.rectangle(0, h + 0.05, 1, 1, pavement)
    top = h + rng.uniform(0.10, 0.15)
    bottom = top + rng.uniform(0.26, 0.32)
    canvas.gradient(top, bottom, (road, shade(road, -0.16)))
    for y in (top, bottom):
        canvas.rectangle(0, y - 0.008, 1, y + 0.008, shade(pavement, 0.25))
    dash, y = palette.land((240, 236, 214), snowed=False), (top + bottom) / 2
    start = rng.uniform(-0.1, 0.0)
    for step in range(7):
        canvas.rectangle(start + step * 0.17, y, start + step * 0.17 + 0.09, y + 0.013, dash)
    for x in (rng.uniform(0.03, 0.15), rng.uniform(0.85, 0.97)):
        _street_lamp(canvas, palette, x, top + 0.01)


def _skyline(
    canvas: Canvas, palette: Palette, rng: Random, band: tuple[float, float], distance: float
) -> None:
    foot, height = band
    x = rng.uniform(-0.08, 0.0)
    while x < 1:
        width, tall = rng.uniform(0.10, 0.19), height * rng.uniform(0.45, 1.1)
        wall = ((150, 116, 104), (132, 136, 148), (176, 160, 140), (112, 116, 130))[
            int(rng.random() * 4)
        ]
        colour = palette.land(wall, distance, snowed=False)
        canvas.rectangle(x, foot - tall, x + width, foot, colour)
        canvas.rectangle(x + width * 0.78, foot - tall, x + width, foot, shade(colour, -0.18))
        if palette.weather == "snow":
            canvas.rectangle(
                x - 0.003, foot - tall - 0.012, x + width + 0.003, foot - tall, palette.land(WHITE)
            )
        _windows(canvas, palette, rng, (x, foot - tall, x + width, foot), colour)
        x += width + rng.uniform(-0.01, 0.03)


def _windows(
    canvas: Canvas,
    palette: Palette,
    rng: Random,
    wall: tuple[float, float, float, float],
    colour: Rgb,
) -> None:
    left, top, right, foot = wall
    share = {"night": 0.6, "sunset": 0.3}.get(palette.time, 0.0)
    columns = max(2, int((right - left) / 0.042))
    step = (right - left) / columns
    y = top + 0.02
    while y < foot - 0.03:
        for column in range(columns):
            x = left + step * (column + 0.28)
            pane = _LIT if rng.random() < share else shade(colour, -0.34)
            canvas.rectangle(x, y, x + step * 0.45, y + 0.018, pane)
        y += 0.042


def _street_lamp(canvas: Canvas, palette: Palette, x: float, foot: float) -> None:
    post = palette.land((60, 62, 70), snowed=False)
    canvas.line([(x, foot), (x, foot - 0.24)], 0.008, post)
    canvas.line([(x, foot - 0.24), (x + 0.04, foot - 0.25)], 0.007, post)
    if palette.time != "day":
        for radius, alpha in ((0.07, 34), (0.04, 60), (0.016, 255)):
            canvas.ellipse(x + 0.042, foot - 0.243, radius, radius, _LIT, alpha)
    else:
        canvas.ellipse(x + 0.042, foot - 0.245, 0.016, 0.009, palette.land((236, 236, 226)))


def _desert(canvas: Canvas, scene: Scene, palette: Palette, rng: Random) -> None:
    h = scene.horizon
    if rng.random() < 0.6:
        _mesa(canvas, palette, rng, h)
    for base, height, distance in ((0.03, 0.08, 0.6), (0.12, 0.12, 0.3), (0.30, 0.16, 0.0)):
        sand = palette.land(_DUNE, distance)
        ridge = _ridge(rng, h + base, height, 4.0)
        canvas.polygon([*ridge, (1, 1), (0, 1)], sand)
        crest = min(ridge[4:-4], key=lambda point: point[1])
        x, y = crest
        canvas.polygon(
            [crest, (x + 0.3, h + base + 0.01), (x + 0.06, h + base + 0.05)], shade(sand, -0.3), 130
        )
    canvas.veil(h + 0.3, 1.0, shade(palette.land(_DUNE), -0.22), (0, 160))
    for _ in range(14):
        x, y = rng.random(), rng.uniform(h + 0.2, 0.97)
        canvas.line(
            [(x - 0.06, y), (x, y - 0.007), (x + 0.06, y)],
            0.004,
            shade(palette.land(_DUNE), -0.25),
            120,
        )
    for _ in range(2):
        _cactus(canvas, palette, rng, h)


def _mesa(canvas: Canvas, palette: Palette, rng: Random, foot: float) -> None:
    x, width, height = rng.uniform(0.0, 0.6), rng.uniform(0.18, 0.32), rng.uniform(0.08, 0.15)
    rock = palette.land((186, 104, 76), 0.55)
    outline = [
        (x, foot + 0.03),
        (x + 0.04, foot - height),
        (x + width - 0.05, foot - height),
        (x + width, foot + 0.03),
    ]
    canvas.polygon(outline, rock)
    right = x + width - 0.05
    canvas.polygon(
        [
            (right - 0.06, foot - height),
            (right, foot - height),
            (x + width, foot + 0.03),
            (right - 0.05, foot + 0.03),
        ],
        shade(rock, -0.25),
    )


def _cactus(canvas: Canvas, palette: Palette, rng: Random, horizon: float) -> None:
    x, foot = (
        rng.choice((rng.uniform(0.03, 0.2), rng.uniform(0.8, 0.97))),
        horizon + rng.uniform(0.10, 0.22),
    )
    size, green = rng.uniform(0.10, 0.15), palette.land((66, 118, 72))
    canvas.line([(x, foot), (x, foot - size)], 0.024, green)
    canvas.ellipse(x, foot - size, 0.012, 0.012, green)
    canvas.line(
        [(x, foot - size * 0.4), (x + 0.035, foot - size * 0.45), (x + 0.037, foot - size * 0.75)],
        0.013,
        green,
    )
    canvas.line(
        [(x, foot - size * 0.5), (x - 0.033, foot - size * 0.52), (x - 0.035, foot - size * 0.8)],
        0.013,
        green,
    )


def _meadow(canvas: Canvas, scene: Scene, palette: Palette, rng: Random) -> None:
    h = scene.horizon
    _hills(
        canvas, rng, h + 0.03, rng.uniform(0.08, 0.15), palette.land((110, 156, 98), 0.7), waves=4
    )
    _hills(
        canvas, rng, h + 0.06, rng.uniform(0.06, 0.11), palette.land((112, 170, 82), 0.35), waves=5
    )
    grass = palette.land((114, 180, 70))
    _hills(canvas, rng, h + 0.13, 0.07, grass, waves=3)
    canvas.veil(h + 0.14, 1.0, palette.land((70, 138, 56)), (0, 200))
    _tufts(canvas, rng, h + 0.12, (shade(grass, -0.2), shade(grass, 0.2)), 44)
    blossoms = ((250, 250, 244), (250, 216, 70), (222, 120, 190), (236, 96, 88), (150, 120, 220))
    for _ in range(0 if palette.weather == "snow" else 46):
        depth = rng.random()
        x, y, r = rng.random(), h + 0.14 + (0.83 - h) * depth, 0.004 + 0.007 * depth
        canvas.ellipse(x, y, r, r, palette.land(rng.choice(blossoms)))


def _field(canvas: Canvas, scene: Scene, palette: Palette, rng: Random) -> None:
    h = scene.horizon
    _hills(
        canvas, rng, h + 0.01, rng.uniform(0.04, 0.09), palette.land((110, 140, 96), 0.7), waves=4
    )
    trees = palette.land((64, 104, 66), 0.45, snowed=False)
    for _ in range(14):
        canvas.ellipse(
            rng.random(), h + 0.004, rng.uniform(0.02, 0.05), rng.uniform(0.014, 0.03), trees
        )
    wheat = palette.land(_WHEAT)
    canvas.gradient(h + 0.01, 1.0, (palette.land(_WHEAT, 0.3), wheat, shade(wheat, -0.12)))
    furrow, middle = palette.land((168, 122, 60)), rng.uniform(0.2, 0.8)
    furrow = mix(furrow, shade(wheat, -0.4), 0.5)
    for step in range(-11, 12):
        near, wide = middle + step * 0.22, 0.028
        canvas.polygon(
            [(middle + step * 0.035, h + 0.01), (near - wide, 1.0), (near + wide, 1.0)], furrow, 150
        )
    if rng.random() < 0.6:
        _fence(canvas, palette, rng, h + 0.05)
    for _ in range(2):
        x, y = rng.random(), h + rng.uniform(0.05, 0.12)
        canvas.ellipse(x, y, 0.03, 0.024, palette.land((196, 152, 66), 0.1))
        canvas.ellipse(x + 0.008, y, 0.02, 0.021, palette.land((222, 184, 96), 0.1))


def _fence(canvas: Canvas, palette: Palette, rng: Random, foot: float) -> None:
    wood, start = palette.land((128, 100, 74), snowed=False), rng.uniform(0.0, 0.08)
    for drop in (0.05, 0.026):
        canvas.line([(0, foot - drop), (1, foot - drop)], 0.006, wood)
    for step in range(10):
        x = start + step * 0.105
        canvas.line([(x, foot), (x, foot - 0.064)], 0.009, wood)


_BACKDROPS: Final[dict[str, Callable[[Canvas, Scene, Palette, Random], None]]] = {
    "lake": _lake,
    "beach": _beach,
    "harbour": _harbour,
    "forest": _forest,
    "mountains": _mountains,
    "city": _city,
    "desert": _desert,
    "meadow": _meadow,
    "field": _field,
}
