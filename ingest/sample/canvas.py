"""Where a picture is painted: unit coordinates, colour mixing, and a pen that stands on a spot."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from PIL import Image, ImageDraw

Rgb = tuple[int, int, int]
Point = tuple[float, float]
Tone = Callable[[Rgb], Rgb]

WHITE: Final[Rgb] = (255, 255, 255)


def mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    """Return the colour that is ``share`` of the way from ``a`` to ``b``."""
    rest = 1 - share
    return (
        int(a[0] * rest + b[0] * share),
        int(a[1] * rest + b[1] * share),
        int(a[2] * rest + b[2] * share),
    )


def scaled(colour: Rgb, factor: float) -> Rgb:
    """Return the colour made darker (factor below 1) or lighter, each channel at most 255."""
    r, g, b = (min(255, max(0, int(channel * factor))) for channel in colour)
    return r, g, b


class Canvas:
    """An RGB image with coordinates from (0, 0) at the top left to (1, 1) at the bottom right."""

    def __init__(self, pixels: int) -> None:
        self.pixels = pixels
        self.image = Image.new("RGB", (pixels, pixels))
        self._draw = ImageDraw.Draw(self.image, "RGBA")

    def polygon(self, points: Sequence[Point], colour: Rgb, alpha: int = 255) -> None:
        """Fill a polygon."""
        n = self.pixels
        self._draw.polygon([(x * n, y * n) for x, y in points], fill=(*colour, alpha))

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, colour: Rgb, alpha: int = 255
    ) -> None:
        """Fill an ellipse around (x, y) with radii rx and ry."""
        n = self.pixels
        box = ((x - rx) * n, (y - ry) * n, (x + rx) * n, (y + ry) * n)
        self._draw.ellipse(box, fill=(*colour, alpha))

    def ring(self, x: float, y: float, radius: float, width: float, colour: Rgb) -> None:
        """Draw a circle's outline."""
        n = self.pixels
        box = ((x - radius) * n, (y - radius) * n, (x + radius) * n, (y + radius) * n)
        self._draw.ellipse(box, outline=colour, width=max(1, round(width * n)))

    def line(self, points: Sequence[Point], width: float, colour: Rgb, alpha: int = 255) -> None:
        """Draw a line through points."""
        n = self.pixels
        self._draw.line(
            [(x * n, y * n) for x, y in points],
            fill=(*colour, alpha),
            width=max(1, round(width * n)),
            joint="curve" if len(points) > 2 else None,
        )

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, colour: Rgb) -> None:
        """Fill the rectangle from (x0, y0) to (x1, y1)."""
        n = self.pixels
        box = (round(x0 * n), round(y0 * n), round(x1 * n), round(y1 * n))
        if box[2] >= box[0] and box[3] >= box[1]:
            self._draw.rectangle(box, fill=colour)

    def gradient(self, y0: float, y1: float, colours: Sequence[Rgb]) -> None:
        """Fill the band between two heights, from the first colour at its top to the last."""
        n = self.pixels
        top, bottom = round(y0 * n), round(y1 * n)
        if bottom <= top:
            return
        steps = 48
        column = Image.new("RGB", (1, steps))
        for row in range(steps):
            place = row / (steps - 1) * (len(colours) - 1)
            first = min(int(place), len(colours) - 2)
            column.putpixel((0, row), mix(colours[first], colours[first + 1], place - first))
        band = column.resize((1, bottom - top), Image.Resampling.BILINEAR)
        self.image.paste(band.resize((n, bottom - top), Image.Resampling.NEAREST), (0, top))

    def veil(self, y0: float, y1: float, colour: Rgb, alphas: tuple[int, int]) -> None:
        """Lay a colour over a band, its opacity (0 to 255) running between two values."""
        n = self.pixels
        top, bottom = round(y0 * n), round(y1 * n)
        if bottom <= top:
            return
        mask = Image.linear_gradient("L").resize((1, bottom - top)).resize((n, bottom - top))
        low, high = alphas
        mask = mask.point([round(low + (high - low) * level / 255) for level in range(256)])
        self.image.paste(colour, (0, top, n, bottom), mask)

    def mirror(self, y: float, y1: float, water: Rgb, share: float) -> None:
        """Reflect what is above ``y`` into the band down to ``y1``, mixed with the water."""
        n = self.pixels
        top, bottom = round(y * n), round(y1 * n)
        height = bottom - top
        source = self.image.crop((0, max(0, top - int(height * 1.35)), n, top))
        flipped = source.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize(
            (n, height), Image.Resampling.BILINEAR
        )
        plain = Image.new("RGB", flipped.size, water)
        self.image.paste(Image.blend(plain, flipped, share), (0, top))


class Pen:
    """Paints one object on a canvas, in hundredths of the picture's side from its foot.

    x runs to the right (to the left if flipped), y upwards. ``tone`` turns an object's own
    colours into what they look like in the light of the scene.
    """

    def __init__(
        self, canvas: Canvas, x: float, y: float, scale: float, flip: bool, tone: Tone
    ) -> None:
        self._canvas = canvas
        self._x, self._y = x, y
        self._scale = scale / 100
        self._side = -self._scale if flip else self._scale
        self._tone = tone

    def polygon(self, points: Sequence[Point], colour: Rgb, alpha: int = 255) -> None:
        """Fill a polygon."""
        self._canvas.polygon([self._at(p) for p in points], self._tone(colour), alpha)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Rgb) -> None:
        """Fill the rectangle between two corners."""
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Rgb, alpha: int = 255) -> None:
        """Fill an ellipse around (x, y)."""
        cx, cy = self._at((x, y))
        self._canvas.ellipse(cx, cy, rx * self._scale, ry * self._scale, self._tone(colour), alpha)

    def disc(self, x: float, y: float, radius: float, colour: Rgb) -> None:
        """Fill a circle."""
        self.oval(x, y, radius, radius, colour)

    def ring(self, x: float, y: float, radius: float, width: float, colour: Rgb) -> None:
        """Draw a circle's outline."""
        cx, cy = self._at((x, y))
        scale = self._scale
        self._canvas.ring(cx, cy, radius * scale, width * scale, self._tone(colour))

    def line(self, points: Sequence[Point], width: float, colour: Rgb) -> None:
        """Draw a line through points."""
        ends = [self._at(point) for point in points]
        self._canvas.line(ends, width * self._scale, self._tone(colour))

    def bow(self, start: Point, middle: Point, end: Point, width: float, colour: Rgb) -> None:
        """Draw a curved line from start to end, bent towards the middle point."""
        points = []
        for step in range(7):
            t = step / 6
            a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
            points.append(
                (
                    a * start[0] + b * middle[0] + c * end[0],
                    a * start[1] + b * middle[1] + c * end[1],
                )
            )
        self.line(points, width, colour)

    def arc_points(
        self, x: float, y: float, rx: float, ry: float, degrees: tuple[float, float]
    ) -> list[Point]:
        """Return points along an ellipse, anticlockwise from the right."""
        start, end = (math.radians(angle) for angle in degrees)
        angles = [start + (end - start) * step / 14 for step in range(15)]
        return [(x + rx * math.cos(angle), y + ry * math.sin(angle)) for angle in angles]

    def _at(self, point: Point) -> Point:
        return self._x + point[0] * self._side, self._y - point[1] * self._scale
