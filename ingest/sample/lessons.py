"""What the model is taught from: a stock of drawn scenes and, for every step, captions of some.

The stock holds pairs: a scene, and the same scene with one fact changed. Hard batches take whole
pairs, so that they hold negatives that differ in a colour, a number, the time or the weather
alone.
"""

from __future__ import annotations

import multiprocessing
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ingest.sample.captions import Caption, captioned, scene_facts
from ingest.sample.drawing import draw
from ingest.sample.scenes import TRAINING_SEEDS, Scene, close_up, compose, vary

_SHIFT = 5
# The share of hard batches that are of one setting and time.
_ALIKE = 0.75


@dataclass(frozen=True, slots=True)
class Lesson:
    """One batch.

    ``pixels`` are uint8 (images, side, side, 3); ``texts`` are the captions; ``truth`` is bool
    (texts, images) and says which captions are true of which images.
    """

    pixels: npt.NDArray[np.uint8]
    texts: list[str]
    truth: npt.NDArray[np.bool_]


class Stock:
    """Drawn training scenes with their facts: scene 2i, and its one-fact variation 2i + 1."""

    def __init__(self, pixels: npt.NDArray[np.uint8], *, close: bool) -> None:
        self._pixels = pixels
        self._scenes = [stock_scene(index, close=close) for index in range(len(pixels))]
        self._facts = [scene_facts(scene) for scene in self._scenes]
        self._alike: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index in range(0, len(pixels), 2):
            scene = self._scenes[index]
            self._alike[scene.setting, scene.time].append(index)

    def lesson(self, rng: Random, pairs: int, captions: int, *, hard: bool) -> Lesson:
        """Return a batch of ``2 * pairs`` images with so many captions each.

        An easy batch is of any scenes. A hard one is of scenes with their variations, and three
        times in four all of one setting and time, so that only what is in them tells them apart.
        """
        chosen = self._hard_choice(rng, pairs) if hard else self._easy_choice(rng, pairs)
        said = [captioned(self._scenes[i], rng) for i in chosen for _ in range(captions)]
        pixels = _jitter(self._pixels[np.array(chosen)], rng)
        return Lesson(pixels, [c.text for c in said], self._truth(said, chosen))

    def _easy_choice(self, rng: Random, pairs: int) -> list[int]:
        firsts = range(0, len(self._scenes), 2)
        return [_pick(rng, firsts) + side for _ in range(pairs) for side in (0, 1)]

    def _hard_choice(self, rng: Random, pairs: int) -> list[int]:
        firsts: Sequence[int] = range(0, len(self._scenes), 2)
        if rng.random() < _ALIKE:
            scene = self._scenes[_pick(rng, firsts)]
            firsts = self._alike[scene.setting, scene.time]
        return [first + side for first in _picks(rng, firsts, pairs) for side in (0, 1)]

    def _truth(self, said: Sequence[Caption], chosen: Sequence[int]) -> npt.NDArray[np.bool_]:
        facts = [self._facts[index] for index in chosen]
        return np.array([[caption.facts <= known for known in facts] for caption in said])


def _pick(rng: Random, indices: Sequence[int]) -> int:
    return indices[int(rng.random() * len(indices))]


def _picks(rng: Random, indices: Sequence[int], count: int) -> list[int]:
    return [_pick(rng, indices) for _ in range(count)]


def stock_scene(index: int, *, close: bool = False) -> Scene:
    """Return the scene at an index of every stock; of a stock of close-ups, seen from near."""
    seed = TRAINING_SEEDS[index // 2]
    scene = compose(seed)
    if close:
        scene = close_up(scene, Random(seed))
    return vary(scene, Random(seed)) if index % 2 else scene


def open_stock(path: Path, scenes: int, side: int, processes: int, *, close: bool = False) -> Stock:
    """Return a stock of drawn scenes, drawing what the file at ``path`` does not hold yet.

    Args:
        path: an ``.npy`` file, reused if it holds the right number of pictures of that size.
        scenes: how many, an even number.
        side: width and height of a picture in pixels.
        processes: how many draw at the same time.
        close: whether it is a stock of close-ups.
    """
    shape = (scenes, side, side, 3)
    if not path.exists() or np.load(path, mmap_mode="r").shape != shape:
        _draw_stock(path, shape, processes, close)
    return Stock(np.load(path, mmap_mode="r"), close=close)


def _draw_stock(path: Path, shape: tuple[int, int, int, int], processes: int, close: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    pixels = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=shape)
    jobs = [(index, shape[1], close) for index in range(shape[0])]
    with multiprocessing.get_context("spawn").Pool(processes) as workers:
        drawn = workers.imap(_draw_one, jobs, chunksize=64)
        for index, picture in enumerate(tqdm(drawn, "drawing", shape[0], unit="scene")):
            pixels[index] = picture
    pixels.flush()
    partial.rename(path)


def _draw_one(job: tuple[int, int, bool]) -> npt.NDArray[np.uint8]:
    index, side, close = job
    return np.asarray(draw(stock_scene(index, close=close), side))


def _jitter(pixels: npt.NDArray[np.uint8], rng: Random) -> npt.NDArray[np.uint8]:
    """Mirror half of the pictures and move all by a few pixels; no caption speaks of sides."""
    mirrored = np.array([rng.random() < 0.5 for _ in pixels])
    pixels = np.where(mirrored[:, None, None, None], pixels[:, :, ::-1], pixels)
    side = pixels.shape[1]
    down, right = (int(rng.random() * (2 * _SHIFT + 1)) for _ in range(2))
    padded = np.pad(pixels, ((0, 0), (_SHIFT, _SHIFT), (_SHIFT, _SHIFT), (0, 0)), mode="edge")
    return np.ascontiguousarray(padded[:, down : down + side, right : right + side])
