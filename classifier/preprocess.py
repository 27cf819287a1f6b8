"""From an image to what the image tower sees of it: the library's numbers, sooner.

The library copies an image between Pillow and NumPy three times and computes in float64. Here
Pillow resizes it, only the part that the crop needs where that gives the same pixels, and one
multiplication and one addition do the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from transformers import CLIPImageProcessorPil

Pixels = npt.NDArray[np.float32]
Prepare = Callable[[Image.Image], Pixels]

# Their weights end at nought, so that rounding at the window's edge changes nothing.
_SMOOTH = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


def preparer(processor: CLIPImageProcessorPil) -> Prepare:
    """A function that does to one image what the processor does.

    Args:
        processor: a checkpoint's own; settings that are not CLIP's usual ones are left to it.

    Returns:
        Takes an RGB image of any size, gives float32 (3, height, width) that differs from the
        processor's by less than 1e-5.
    """
    if not _is_usual(processor):
        return lambda image: _by_the_library(processor, image)
    scale, shift = _scale_and_shift(processor)
    crop = processor.crop_size
    steps = _Steps(
        side=processor.size.shortest_edge,
        crop=(crop.width, crop.height),
        filter=Image.Resampling(processor.resample),
        scale=scale,
        shift=shift,
    )
    return steps.apply


def _is_usual(processor: Any) -> bool:
    """Whether it is: shorter side to a length, centre crop within that, rescale, normalise."""
    given = {name for name, value in dict(processor.size).items() if value is not None}
    crop = processor.crop_size
    return (
        processor.do_resize
        and given == {"shortest_edge"}
        and processor.resample in _SMOOTH
        and processor.do_center_crop
        and bool(crop and crop.height and crop.width)
        and max(crop.height, crop.width) <= processor.size.shortest_edge
        and processor.do_rescale
        and not processor.do_pad
    )


def _by_the_library(processor: Any, image: Image.Image) -> Pixels:
    pixels: Pixels = processor(image, return_tensors="np")["pixel_values"][0]
    return pixels


def _scale_and_shift(processor: Any) -> tuple[Pixels, Pixels]:
    """What to multiply a byte by and then to add, float32 (3, 1, 1) each."""
    mean, spread = np.zeros(3), np.ones(3)
    if processor.do_normalize:
        mean, spread = mean + processor.image_mean, spread * processor.image_std
    scale, shift = processor.rescale_factor / spread, -mean / spread
    return (
        scale.astype(np.float32).reshape(3, 1, 1),
        shift.astype(np.float32).reshape(3, 1, 1),
    )


@dataclass(frozen=True)
class _Steps:
    """The usual steps.

    Attributes:
        side: pixels that the shorter side is resized to.
        crop: width and height of the centre that is kept.
        filter: of the resizing.
        scale: float32 (3, 1, 1).
        shift: float32 (3, 1, 1).
    """

    side: int
    crop: tuple[int, int]
    filter: Image.Resampling
    scale: Pixels
    shift: Pixels

    def apply(self, image: Image.Image) -> Pixels:
        """An RGB image to float32 (3, height, width)."""
        square = np.asarray(self._centre(image))
        pixels: Pixels = np.multiply(
            square.transpose(2, 0, 1), self.scale, dtype=np.float32, order="C"
        )
        pixels += self.shift
        return pixels

    def _centre(self, image: Image.Image) -> Image.Image:
        """Resize the image, or the part of it that counts, and cut the centre out."""
        shorter = min(image.size)
        # The library cuts the fraction off, and so does this: rounding would shift the crop.
        width, height = (int(self.side * length / shorter) for length in image.size)
        across, down = _spans(image.size, (width, height), self.crop)
        box = (across.start, down.start, across.stop, down.stop)
        resized = image.resize((across.resized, down.resized), self.filter, box)
        left, top = across.before, down.before
        return resized.crop((left, top, left + self.crop[0], top + self.crop[1]))


@dataclass(frozen=True)
class _Span:
    """What is resized of an image in one direction.

    Attributes:
        start: its first pixel in the image.
        stop: the one after its last.
        resized: its length when resized.
        before: resized pixels of it that come before the crop.
    """

    start: int
    stop: int
    resized: int
    before: int


def _spans(
    size: tuple[int, int], resized: tuple[int, int], crop: tuple[int, int]
) -> tuple[_Span, _Span]:
    """What to resize, across and down, so that the crop has the pixels of the whole resized."""
    across, down = (_part(*lengths) for lengths in zip(size, resized, crop, strict=True))
    if _down_first(size, (across.resized, down.resized)) == _down_first(size, resized):
        return across, down
    return (
        _Span(0, size[0], resized[0], (resized[0] - crop[0]) // 2),
        _Span(0, size[1], resized[1], (resized[1] - crop[1]) // 2),
    )


def _part(length: int, resized: int, kept: int) -> _Span:
    """The shortest part around the centre that can be resized as the whole would be.

    Every `period` resized pixels one begins exactly where a pixel of the image does. A part from
    one such place to another gets the same weights as the whole, and Pillow still reads the
    neighbours outside of it. Photos of 3:2 need only the crop, those of 4:3 mostly the whole.

    Args:
        length: pixels of the image.
        resized: pixels that they become.
        kept: resized pixels in the middle that are wanted.
    """
    places = gcd(length, resized)
    period, step = resized // places, length // places
    first = (resized - kept) // 2
    begin, end = first // period, -(-(first + kept) // period)
    return _Span(begin * step, end * step, (end - begin) * period, first - begin * period)


def _down_first(size: tuple[int, int], resized: tuple[int, int]) -> bool:
    """Whether Pillow resizes down before across: it rounds in between, so the order shows.

    Its own rule, from ImagingResampleInner in Pillow 13.
    """
    narrower, lower = (before - after for before, after in zip(size, resized, strict=True))
    return lower > 0 and lower > 2 * narrower
