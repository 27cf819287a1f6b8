"""How each kind of object is painted, with a pen standing at its foot (its middle in the sky)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from ingest.sample.canvas import Pen, Rgb
from ingest.sample.palette import BEAM, HEADLIGHT, LAMP, shade

_DARK: Final[Rgb] = (44, 42, 50)
_CREAM: Final[Rgb] = (250, 244, 228)
_WOOD: Final[Rgb] = (122, 86, 56)
_GLASS: Final[Rgb] = (176, 208, 226)
_SKINS: Final[tuple[Rgb, ...]] = ((242, 206, 174), (214, 164, 122), (150, 100, 68), (98, 66, 48))
_HAIRS: Final[tuple[Rgb, ...]] = ((60, 42, 30), (34, 30, 32), (176, 130, 70), (110, 66, 36))

Painter = Callable[[Pen, Rgb, float, bool, bool], None]


def _house(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    roof = (244, 247, 252) if snowy else ((98, 70, 62), (74, 76, 88), (120, 82, 60))[int(pose * 3)]
    pane = LAMP if lit else _GLASS
    wall = 16 + 3 * pose
    if pose < 0.5:
        pen.box(7, wall, 10.5, 30, (128, 96, 84))
        pen.polygon([(-14, 0), (14, 0), (14, wall), (0, 29), (-14, wall)], colour)
        pen.box(8, 0, 14, wall + 3, shade(colour, -0.18))
        pen.polygon(
            [
                (-17.5, wall - 2),
                (0, 34),
                (17.5, wall - 2),
                (15, wall - 4),
                (0, 29),
                (-15, wall - 4),
            ],
            roof,
        )
        pen.box(-3, 0, 3, 9, (92, 60, 44))
        pen.disc(0, 18, 2.4, pane)
    else:
        pen.box(-10, wall, -6.5, 33, (128, 96, 84))
        pen.box(-16, 0, 16, wall, colour)
        pen.box(11, 0, 16, wall, shade(colour, -0.18))
        pen.polygon([(-18, wall - 1), (18, wall - 1), (12, 30), (-12, 30)], roof)
        pen.polygon(
            [(-18, wall - 1), (18, wall - 1), (17.2, wall + 1), (-17.2, wall + 1)],
            shade(roof, -0.25),
        )
        pen.box(-2.5, 0, 3.5, 9.5, (92, 60, 44))
    for x in (-9, 9):
        pen.box(x - 3, 6, x + 3, 12, _CREAM)
        pen.box(x - 2.3, 6.7, x + 2.3, 11.3, pane)


def _tent(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    del snowy
    side = 9 + 4 * pose
    pen.polygon([(-6, 21), (side, 21), (15, 0), (4, 0)], shade(colour, -0.28))
    pen.polygon([(-15, 0), (-6, 21), (4, 0)], colour)
    pen.polygon([(-9, 0), (-6, 14), (-2.5, 0)], LAMP if lit else shade(colour, -0.65))
    pen.polygon([(-9, 0), (-6, 14), (-7.5, 0)], shade(colour, 0.25))
    pen.line([(-6, 21), (side, 21)], 0.9, shade(colour, 0.35))
    pen.line([(15, 0), (17, -1)], 0.5, _DARK)


def _lighthouse(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    del snowy
    white = (246, 244, 238)
    band = colour if min(colour) < 235 else (206, 212, 220)
    pen.polygon([(-9, 0), (-7, 3), (-2, 4), (5, 3.4), (9, 0)], (110, 106, 104))
    bands = 5
    for step in range(bands):
        low, high = 2 + step * 7, 9 + step * 7
        w0, w1 = 6.4 - low * 0.07, 6.4 - high * 0.07
        pen.polygon([(-w0, low), (w0, low), (w1, high), (-w1, high)], white if step % 2 else band)
    pen.polygon([(2, 2), (6.2, 2), (3.8, 37), (1.5, 37)], (30, 30, 50), 46)
    pen.box(-5.4, 36.6, 5.4, 38.2, _DARK)
    pen.box(-3.1, 38, 3.1, 43.6, BEAM if lit else _GLASS)
    pen.polygon([(-4.6, 43.4), (4.6, 43.4), (0, 49)], shade(band, -0.2))
    pen.box(-1.1, 3, 1.1, 7.5, (84, 60, 50))
    if lit:
        reach = 34 + 12 * pose
        pen.polygon([(2, 41.5), (reach, 48), (reach, 37)], BEAM, 88)
        pen.polygon([(-2, 41.5), (-reach, 46), (-reach, 38)], BEAM, 52)


def _windmill(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    del snowy
    pen.polygon([(-8, 0), (8, 0), (5, 28), (-5, 28)], colour)
    pen.polygon([(2.5, 0), (8, 0), (5, 28), (1.8, 28)], shade(colour, -0.22))
    pen.polygon([(-6, 27.5), (6, 27.5), (4, 33), (0, 35), (-4, 33)], (96, 66, 52))
    pen.box(-2, 0, 2, 6.5, (84, 56, 44))
    pen.box(-1.6, 15, 1.6, 19, LAMP if lit else _GLASS)
    for arm in range(4):
        angle = math.pi / 2 * (arm + pose)
        dx, dy = math.cos(angle), math.sin(angle)
        tip = (17 * dx, 29 + 17 * dy)
        pen.line([(0, 29), tip], 1.1, (92, 70, 54))
        pen.polygon(
            [
                (5 * dx, 29 + 5 * dy),
                (5 * dx - 3.6 * dy, 29 + 5 * dy + 3.6 * dx),
                (17 * dx - 3.6 * dy, 29 + 17 * dy + 3.6 * dx),
                tip,
            ],
            _CREAM,
        )
    pen.disc(0, 29, 1.4, _DARK)


def _boat(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    del snowy
    lean = 1.6 * (pose - 0.5)
    pen.line([(0, 5), (lean, 27)], 0.8, _WOOD)
    pen.polygon([(0.8, 7.4), (lean + 0.6, 26), (11 + pose, 7.4)], _CREAM)
    pen.polygon([(-0.8, 7.4), (lean - 0.4, 24), (-9, 7.4)], shade(colour, 0.12))
    pen.polygon([(-13.5, 6.4), (13.5, 6.4), (9.4, 0), (-9, 0)], colour)
    pen.polygon([(-9.6, 1), (10, 1), (9.4, 0), (-9, 0)], shade(colour, -0.45))
    pen.line([(-13.2, 5.8), (13.2, 5.8)], 0.7, shade(colour, 0.55))
    if lit:
        pen.disc(lean, 27, 1.1, LAMP)


def _car(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    del snowy
    back = -13 if pose < 0.4 else -9
    pen.polygon(
        [
            (-16, 3),
            (-16.4, 8),
            (back - 0.6, 9.4),
            (back + 4, 15.6),
            (5, 15.6),
            (9.6, 9.4),
            (15.4, 8),
            (16.6, 3),
        ],
        colour,
    )
    pen.polygon([(back + 2, 9.6), (back + 5, 14.4), (-2.4, 14.4), (-2.4, 9.6)], _GLASS)
    pen.polygon([(-1, 9.6), (-1, 14.4), (4.4, 14.4), (7.6, 9.6)], _GLASS)
    pen.polygon([(-16, 3), (-16.2, 5), (16, 5), (16.6, 3)], shade(colour, -0.35))
    pen.line([(-1.8, 4.6), (-1.8, 9.4)], 0.4, shade(colour, -0.4))
    for x in (-9.6, 9.6):
        pen.disc(x, 3, 3.3, (30, 30, 34))
        pen.disc(x, 3, 1.5, (178, 180, 186))
    pen.oval(15.4, 7, 1.1, 1.0, LAMP if lit else _CREAM)
    pen.oval(-15.8, 7, 0.8, 1.0, (210, 40, 36))
    if lit:
        pen.polygon([(16, 7.4), (30, 10), (30, 0.4), (16, 6.2)], HEADLIGHT, 96)


def _bicycle(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    del snowy
    for x in (-7.4, 7.4):
        pen.ring(x, 5.2, 5.2, 1.1, (46, 46, 52))
        pen.disc(x, 5.2, 0.9, (130, 132, 138))
    seat, bars = (-3.6, 12.6), (5.4, 13.4)
    pen.line([(-7.4, 5.2), seat, (0, 4.8), (-7.4, 5.2)], 1.7, colour)
    pen.line([seat, (5, 12), (0, 4.8)], 1.7, colour)
    pen.line([(7.4, 5.2), bars], 1.7, colour)
    pen.line([(-3.6, 12), (-4, 14.6)], 1.1, _DARK)
    pen.line([(-6, 15), (-2, 14.8)], 1.7, _DARK)
    pen.line([bars, (4.6, 16 + pose), (7, 16.4 + pose)], 1.2, _DARK)
    if lit:
        pen.disc(8, 12.4, 1.1, LAMP)


def _person(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    del lit
    skin, hair = _SKINS[int(pose * 16) % 4], _HAIRS[int(pose * 64) % 4]
    step = 1.2 + 1.6 * pose
    trousers = (60, 66, 96) if pose < 0.5 else (84, 74, 66)
    pen.line([(-0.8, 9), (-step, 0.8)], 2.3, trousers)
    pen.line([(0.8, 9), (step, 0.8)], 2.3, shade(trousers, -0.2))
    swing = 2 * pose - 1
    pen.line([(-3, 17), (-4.2 - swing, 10.5)], 1.9, shade(colour, -0.12))
    pen.polygon([(-3.6, 18.2), (3.6, 18.2), (4.2, 7.6), (-4.2, 7.6)], colour)
    pen.line([(3, 17), (4.4 - swing, 10.5)], 1.9, shade(colour, -0.2))
    pen.polygon([(1.4, 18.2), (3.6, 18.2), (4.2, 7.6), (1.8, 7.6)], shade(colour, -0.2))
    pen.disc(0, 21.6, 3.0, skin)
    pen.polygon(pen.arc_points(0, 21.9, 3.2, 3.2, (0, 180)), colour if snowy else hair)
    if pose > 0.5:
        pen.polygon([(-3.2, 22), (-3.4, 18.6), (-1.8, 18.4), (-1.6, 22)], hair)


def _umbrella(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    del lit, snowy
    tilt = 3 * (pose - 0.5)
    pen.line([(0, 0), (tilt, 24)], 1.0, (206, 200, 190))
    top = pen.arc_points(tilt, 13.5, 12.5, 11, (0, 180))
    pen.polygon(top, colour)
    pale = shade(colour, 0.62)
    for first, last in ((3, 5), (9, 11)):
        pen.polygon([(tilt, 24.5), *top[first : last + 1]], pale)
    for x in (-8.4, -4.2, 0, 4.2, 8.4):
        pen.oval(tilt + x, 13.4, 2.2, 1.1, shade(colour, -0.3))
    pen.disc(tilt, 24.8, 0.8, _DARK)


def _dog(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    del lit, snowy
    far, wag = shade(colour, -0.25), 4 * pose
    for x in (-5.2, 4.2):
        pen.line([(x, 6), (x + 0.8, 0.4)], 1.9, far)
    for x in (-7.0, 5.8):
        pen.line([(x, 7), (x, 0.4)], 2.1, colour)
    pen.bow((-8.4, 9.4), (-12, 10), (-11.4, 13.4 + wag), 1.7, colour)
    pen.oval(-0.6, 8.2, 9.0, 3.7, colour)
    pen.polygon([(4, 10), (6.6, 15.4), (10, 12.4), (8, 6.4)], colour)
    pen.oval(8.6, 13.6, 3.6, 3.0, colour)
    pen.oval(11.6, 12.6, 2.5, 1.6, shade(colour, 0.2))
    pen.disc(13.6, 13.0, 0.8, (24, 22, 26))
    pen.oval(6.9, 12.8, 1.5, 3.0, shade(colour, -0.42))
    pen.disc(9.4, 14.6, 0.6, (24, 22, 26))
    pen.line([(5.2, 9.4), (8.2, 10.6)], 1.0, (200, 60, 56))


def _cat(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    del snowy
    pen.bow((4, 1.4), (10.5 + 2 * pose, 1), (7.6 + 2 * pose, 8 + 3 * pose), 1.8, colour)
    pen.polygon([(-5.4, 0), (5.8, 0), (6, 4), (3.4, 11), (-3, 11), (-5, 4)], colour)
    pen.oval(0.4, 3.8, 5.9, 3.9, colour)
    pen.oval(-1, 5.5, 2.2, 4.2, shade(colour, 0.22))
    pen.oval(-2.4, 0.8, 1.9, 1.0, shade(colour, 0.22))
    pen.oval(1.2, 0.8, 1.9, 1.0, shade(colour, 0.22))
    pen.polygon([(-5.0, 13), (-4.8, 19.6), (-0.8, 16.8)], colour)
    pen.polygon([(5.0, 13), (4.8, 19.6), (0.8, 16.8)], colour)
    pen.oval(0, 13.2, 5.1, 4.2, colour)
    eye = (250, 230, 90) if lit or max(colour) < 80 else (60, 110, 60)
    for x in (-2, 2):
        pen.disc(x, 13.8, 0.95, eye)
        pen.disc(x, 13.8, 0.4, (16, 16, 16))
    pen.polygon([(-0.8, 12.2), (0.8, 12.2), (0, 11.3)], (226, 130, 130))


def _sheep(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    del lit, snowy
    face = (52, 46, 48) if max(colour) > 128 else (122, 112, 108)
    for x in (-5.6, -3, 3.4, 5.8):
        pen.line([(x, 6), (x, 0.3)], 1.5, face)
    under = shade(colour, -0.14)
    for x, y, r in ((-6.4, 8.4, 4.0), (6, 8.4, 4.0), (0, 7.2, 4.4)):
        pen.disc(x, y, r, under)
    for x, y, r in (
        (-4.4, 11, 4.2),
        (0, 12.0, 4.4),
        (4.2, 11, 4.2),
        (-7.4, 10, 2.8),
        (0, 9.4, 4.6),
    ):
        pen.disc(x, y, r, colour)
    dip = 3.5 * pose
    pen.oval(9.4, 11.4 - dip, 2.4, 3.2, face)
    pen.oval(7.4, 13 - dip, 1.7, 0.9, face)
    pen.oval(8.6, 14.2 - dip, 2.4, 1.5, colour)


def _tree(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    del lit
    pen.polygon([(-1.9, 0), (1.9, 0), (1.2, 16), (-1.2, 16)], (98, 70, 50))
    lobes = (
        (-6.5, 18 + pose, 6.0),
        (6.5, 19 - pose, 6.0),
        (0, 17, 6.2),
        (-3.6 + pose, 25, 6.4),
        (4.4 - pose, 26, 6.0),
        (0.6, 31, 6.2),
    )
    for x, y, r in lobes:
        pen.disc(x, y - 0.8, r, shade(colour, -0.30))
    for x, y, r in lobes:
        pen.disc(x - 0.5, y + 0.5, r - 0.9, colour)
    for x, y, r in lobes[3:]:
        crown = (246, 249, 253) if snowy else shade(colour, 0.22)
        pen.oval(x - 1.2, y + 2.6, r * 0.62, r * (0.5 if snowy else 0.4), crown)


def _bird(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    del lit, snowy
    lift = 5.5 - 4 * pose
    wing = shade(colour, -0.16) if max(colour) > 128 else shade(colour, 0.1)
    pen.polygon(
        [(-1.6, 0.6), (-5, lift + 1.8), (-9.2, lift - 0.6), (-5, lift - 1.4), (0.4, -1)], wing
    )
    pen.polygon(
        [(-0.6, 0.8), (4.4, lift + 2.4), (9.2, lift + 0.4), (4.6, lift - 1.0), (2, -0.8)], colour
    )
    pen.polygon([(-3.4, 0.6), (-7, 1.2), (-7, -1.4)], wing)
    pen.oval(0, 0, 4.3, 1.9, colour)
    pen.disc(4.0, 0.9, 1.7, colour)
    pen.polygon([(5.2, 1.4), (7.6, 0.6), (5.2, 0.1)], (240, 160, 40))


def _balloon(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    del snowy
    pale = shade(colour, 0.66)
    pen.polygon([(-8.0, 0.4), (8.0, 0.4), (2.2, -7.2), (-2.2, -7.2)], colour)
    pen.oval(0, 4, 9.2, 9.2, colour)
    for rx in (5.9, 2.6) if pose < 0.5 else (4.4,):
        pen.oval(0, 4, rx, 9.2, pale if rx > 3 else colour)
        pen.polygon(
            [(-rx * 0.9, 0.4), (rx * 0.9, 0.4), (rx * 0.26, -7.2), (-rx * 0.26, -7.2)],
            pale if rx > 3 else colour,
        )
    pen.oval(5.4, 3.6, 2.6, 7.2, (20, 16, 40), 44)
    for x in (-1.8, 1.8):
        pen.line([(x, -7), (x * 0.9, -10)], 0.4, _DARK)
    pen.box(-1.9, -13, 1.9, -9.8, _WOOD)
    if lit:
        pen.oval(0, -7.6, 1.3, 1.6, LAMP)


def _kite(pen: Pen, colour: Rgb, pose: float, lit: bool, snowy: bool) -> None:
    del lit, snowy
    lean = 3 * (pose - 0.5)
    pen.bow((lean, -5), (4, -12), (-1 + 4 * pose, -17), 0.5, (240, 240, 240))
    for step, x in ((-8.5, 1.2), (-12, 2.2), (-15.4, 1.2)):
        pen.polygon(
            [(x - 1.6, step + 1), (x + 1.6, step - 1), (x + 1.6, step + 1), (x - 1.6, step - 1)],
            colour,
        )
    pen.polygon([(lean, 12), (7.4, 4), (lean, -6), (-7.4, 4)], colour)
    pen.polygon([(lean, 12), (7.4, 4), (lean * 0.5, 4)], shade(colour, 0.4))
    pen.polygon([(lean, -6), (-7.4, 4), (lean * 0.5, 4)], shade(colour, -0.25))


PAINTERS: Final[dict[str, Painter]] = {
    "house": _house,
    "tent": _tent,
    "lighthouse": _lighthouse,
    "windmill": _windmill,
    "boat": _boat,
    "car": _car,
    "bicycle": _bicycle,
    "person": _person,
    "umbrella": _umbrella,
    "dog": _dog,
    "cat": _cat,
    "sheep": _sheep,
    "tree": _tree,
    "bird": _bird,
    "balloon": _balloon,
    "kite": _kite,
}
