"""Odd picture files, made here, and what each has to look like."""

from collections.abc import Iterator
from dataclasses import dataclass

Colour = tuple[float, float, float]
WHITE: Colour = (255.0, 255.0, 255.0)


@dataclass(frozen=True)
class Animal:
    """An odd file.

    Attributes:
        name: what is odd, with the ending of its file.
        content: its bytes.
        mean: the mean colour that it has to have.
        tolerance: how far off a channel may be.
        shown: whether a browser shows it.
    """

    name: str
    content: bytes
    mean: Colour
    tolerance: float = 2.0
    shown: bool = True


def mixed(*parts: tuple[float, Colour]) -> Colour:
    """The mean of colours, each with its share."""
    red, green, blue = (sum(share * colour[n] for share, colour in parts) for n in range(3))
    return red, green, blue


def animals() -> Iterator[Animal]:
    """All of them."""
    from tests.ingest.zoo import bitmaps, coloured, frames, pngs

    yield from pngs.animals()
    yield from coloured.animals()
    yield from frames.animals()
    yield from bitmaps.animals()
