"""Preprocessing, decoding and encoding, each beside what it is compared with, in one run.

`python -m tests.bench.encode [--photos FOLDER]`. Without a folder it draws scenes of the sample.
Prints ratios: both sides alternate, so that what else the machine does meets both.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import CLIPImageProcessorPil

from classifier.clip import Clip
from classifier.preprocess import Pixels, preparer
from db import thumbnails
from ingest.images import decode
from ingest.models import SAMPLE, load_model
from ingest.sample.drawing import draw
from ingest.sample.scenes import compose
from tests.checkpoints import make_full_size_checkpoint

Work = Callable[[], object]
SIZES = [(224, 224), (400, 300), (640, 480), (750, 500), (500, 750), (6000, 4000), (1000, 20)]
BATCHES = (1, 4, 8, 16, 32, 64)
LARGER = 3  # times; then with grain, so that there is detail to lose


def main() -> None:
    """Run the four comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, help="a folder of JPEGs")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    photos = (
        [path.read_bytes() for path in sorted(options.photos.iterdir())]
        if (options.photos)
        else [_jpeg(draw(compose(seed), 800)) for seed in range(24)]
    )
    with tempfile.TemporaryDirectory() as folder:
        models = {
            "ViT-B/32, random weights": Clip("full", make_full_size_checkpoint(Path(folder))),
            "sample": load_model(SAMPLE),
        }
        preprocessing(options.rounds)
        drafts(photos, models, options.rounds)
        for name, clip in models.items():
            encoding(name, clip, photos[:64], options.rounds)


def preprocessing(rounds: int) -> None:
    """The library's processor and ours on one image; noise, so that no shift goes unseen."""
    processor = CLIPImageProcessorPil()
    ours = preparer(processor)

    def theirs(image: Image.Image) -> Pixels:
        pixels: Pixels = processor(image, return_tensors="np")["pixel_values"][0]
        return pixels

    print("\npreprocessing   library / ours   largest difference")
    for width, height in SIZES:
        rng = np.random.default_rng(0)
        image = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
        works = {"theirs": lambda i=image: theirs(i), "ours": lambda i=image: ours(i)}
        seconds = medians(works, 3 * rounds)
        difference = np.abs(theirs(image) - ours(image)).max()
        ratio = seconds["theirs"] / seconds["ours"]
        print(f"{width:5d} x {height:<5d}   {ratio:14.2f}   {difference:.1e}")


def drafts(photos: Sequence[bytes], models: dict[str, Clip], rounds: int) -> None:
    """Whole JPEGs and those read at the side that the ingest asks for."""
    for name, bodies in (("as they are", photos), ("enlarged", enlarged(photos[:24]))):
        for model, clip in models.items():
            side = max(clip.image_size, thumbnails.SIDE)
            works: dict[str, Work] = {
                "whole": lambda b=bodies, c=clip: [c.prepare(decode(BytesIO(x))) for x in b],
                "less": lambda b=bodies, c=clip, s=side: [
                    c.prepare(decode(BytesIO(x), s)) for x in b
                ],
            }
            seconds = medians(works, rounds)
            whole = [decode(BytesIO(body)) for body in bodies]
            less = [decode(BytesIO(body), side) for body in bodies]
            changed = [n for n, image in enumerate(less) if image.size != whole[n].size]
            line = f"\nphotos {name}, {model}, read at {side} pixels or more: "
            line += f"{len(changed)} of {len(bodies)} smaller, "
            line += f"whole / less {seconds['whole'] / seconds['less']:.2f}"
            print(line + _moved(clip, whole, less, changed))


def _moved(
    clip: Clip, whole: list[Image.Image], less: list[Image.Image], changed: list[int]
) -> str:
    if not changed:
        return ""
    before = clip.encode_images([whole[n] for n in changed])
    after = clip.encode_images([less[n] for n in changed])
    cut = [whole[n].crop((1, 1, *whole[n].size)) for n in changed]
    shifted = clip.encode_images(cut)
    one, other = (before * after).sum(axis=1), (before * shifted).sum(axis=1)
    return (
        f"; cosine min {one.min():.5f}, mean {one.mean():.5f}"
        f" (a row and a column cut off: {other.min():.5f}, {other.mean():.5f})"
    )


def encoding(name: str, clip: Clip, photos: Sequence[bytes], rounds: int) -> None:
    """Batch sizes, one thread, and bfloat16, against batches of 32 in float32."""
    ready = [clip.prepare(decode(BytesIO(body))) for body in photos]
    threads = torch.get_num_threads()
    works: dict[str, Work] = {
        f"batches of {batch}": lambda batch=batch: [
            clip.encode_prepared(ready[n : n + batch]) for n in range(0, len(ready), batch)
        ]
        for batch in BATCHES
    }
    works["bfloat16, 32"] = lambda: [
        clip.encode_prepared(ready[n : n + 32], "bfloat16") for n in range(0, len(ready), 32)
    ]
    works["one thread, 32"] = lambda: _on_one_thread(works["batches of 32"], threads)
    seconds = medians(works, rounds, time.perf_counter)
    base = seconds["batches of 32"]
    cosine = (clip.encode_prepared(ready) * clip.encode_prepared(ready, "bfloat16")).sum(axis=1)
    print(f"\n{name}, {threads} threads: photos a second as a share of batches of 32")
    for case, taken in seconds.items():
        print(f"{case:16s} {base / taken:.2f}")
    print(f"cosine of bfloat16 to float32: min {cosine.min():.5f}, mean {cosine.mean():.5f}")


def _on_one_thread(work: Work, threads: int) -> None:
    torch.set_num_threads(1)
    try:
        work()
    finally:
        torch.set_num_threads(threads)


def enlarged(photos: Sequence[bytes]) -> list[bytes]:
    """The photos, LARGER times as wide and high, with grain."""
    rng = np.random.default_rng(0)
    bodies = []
    for body in photos:
        small = decode(BytesIO(body))
        large = small.resize((small.width * LARGER, small.height * LARGER))
        grain = rng.normal(0, 12, (large.height, large.width, 1))
        pixels = np.clip(np.asarray(large) + grain, 0, 255).astype(np.uint8)
        bodies.append(_jpeg(Image.fromarray(pixels)))
    return bodies


def _jpeg(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


def medians(
    works: dict[str, Work], rounds: int, clock: Callable[[], float] = time.thread_time
) -> dict[str, float]:
    """Median seconds of each work, by turns; the first turn warms up and doesn't count."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, work in works.items():
            start = clock()
            work()
            if turn:
                taken[name].append(clock() - start)
    return {name: float(np.median(times)) for name, times in taken.items()}


if __name__ == "__main__":
    main()
