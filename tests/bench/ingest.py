"""The ingest beside its limit and beside the article's loop: `python -m tests.bench.ingest`.

In one run, against a photo host of this machine that takes 100 ms to answer: (a) encoding alone,
from ready tensors; (b) this ingest; (c) the article's loop: one request, one image, one insert.
`--memory N` loads N photos with the small model and prints how much memory that took.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from threading import Lock
from typing import Any

import numpy as np
import requests
import torch
from PIL import Image
from transformers import CLIPImageProcessorPil, CLIPModel

from classifier.clip import Clip
from db.collections import Collection
from db.database import Database, open_database
from db.photos import PhotoTable
from ingest.download import Downloader
from ingest.models import load_model
from ingest.pipeline import BATCH_SIZE, Order, load
from ingest.report import Progress
from ingest.sources import UnsplashSource
from tests.checkpoints import make_checkpoint, make_full_size_checkpoint
from tests.photo_host import Answer, photo_host

LATENCY = 0.1  # seconds
DIFFERENT = 64  # photos that the host has; they are asked for by other addresses again


def main() -> None:
    """Print the ratios, or, with --memory, one line of the memory curve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=512, help="with the full-size model")
    parser.add_argument("--small-photos", type=int, default=3000, help="with the small model")
    parser.add_argument("--memory", type=int, metavar="N")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = make_checkpoint(Path(folder) / "small")
        if options.memory:
            print(memory(Path(folder), small, options.memory))
            return
        full = make_full_size_checkpoint(Path(folder) / "full")
        print(f"{torch.get_num_threads()} threads; photos/s")
        print("model      (a) encode  (b) ingest  (c) article   b/a    b/c")
        print(compare("small", Path(folder), small, options.small_photos, 60))
        print(compare("full size", Path(folder), full, options.photos, 40))
    print(f"peak memory: {getrusage(RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


def compare(name: str, folder: Path, model: Path, photos: int, article_photos: int) -> str:
    """One line of the table, and under it the CPU seconds of the stages."""
    clip = load_model(str(model))
    database = open_database(f"chdb://{folder / name.replace(' ', '-')}")
    with host_process(clip.image_size, LATENCY) as host:
        table = write_table(folder / f"{name}.csv000", host, photos)
        encode, encode_cpu = encode_alone(clip, host, min(photos, 512))
        ingest, stages = ingest_rate(database, table, model)
        article = article_rate(database, table, model, article_photos)
    database.close()
    ratios = f"{ingest / encode:5.2f}  {ingest / article:5.1f}"
    line = f"{name:9}  {encode:10.1f}  {ingest:10.1f}  {article:11.1f}  {ratios}"
    stages["encode, when alone"] = encode_cpu * photos
    cpu = ", ".join(f"{stage} {seconds / photos * 1e3:.2f}" for stage, seconds in stages.items())
    return f"{line}\n  CPU ms a photo: {cpu}"


def encode_alone(clip: Clip, host: str, photos: int) -> tuple[float, float]:
    """(a): photos/s from ready tensors, and CPU seconds a photo; the better of two passes."""
    downloader = Downloader()
    images = [downloader.get(f"{host}/{n}") for n in range(DIFFERENT)]
    ready = [clip.prepare(Image.open(BytesIO(image)).convert("RGB")) for image in images]
    batches = [[ready[n % DIFFERENT] for n in range(BATCH_SIZE)]] * (photos // BATCH_SIZE)
    rates = []
    for _ in range(2):
        start, cpu = time.perf_counter(), time.process_time()
        for batch in batches:
            clip.encode_prepared(batch)
        n = len(batches) * BATCH_SIZE
        rates.append((n / (time.perf_counter() - start), (time.process_time() - cpu) / n))
    return max(rates)


def ingest_rate(database: Database, table: Path, model: Path) -> tuple[float, dict[str, float]]:
    """(b): photos/s from the first request to the last insert, without model and index."""
    times: list[float] = []

    def watch(progress: Progress) -> None:
        if progress.step in ("Loading the CLIP model", "Building the index"):
            times.append(time.perf_counter())

    with stages_timed() as stages:
        cpu = time.process_time()
        order = Order(UnsplashSource([table]), "bench", str(model), str(model))
        report = load(order, database, None, watch, lambda _: None)
        stages["everything"] = time.process_time() - cpu
    return report.added / (times[1] - times[0]), stages


def article_rate(database: Database, table: Path, model: Path, photos: int) -> float:
    """(c): photos/s of the article's loop, with its slips put right, as far as they stop it."""
    processor = CLIPImageProcessorPil.from_pretrained(model)
    clip = CLIPModel.from_pretrained(model).eval()
    collection = Collection("article", str(model), "f", "bench")
    photo_table = database.collections.open(collection)
    wanted = UnsplashSource([table]).photos()[:photos]
    start = time.perf_counter()
    for photo in wanted:
        image = Image.open(BytesIO(requests.get(photo.url, timeout=30).content))
        pixels = processor(image, return_tensors="pt")
        with torch.no_grad():
            vector = clip.get_image_features(**pixels).pooler_output.numpy()
        unit = vector / np.linalg.norm(vector)
        database.connection.insert_rows(
            photo_table.name, ["id", "url", "vector"], [[photo.id, photo.url, unit[0].tolist()]]
        )
    return photos / (time.perf_counter() - start)


@contextmanager
def stages_timed() -> Iterator[dict[str, float]]:
    """CPU seconds of the ingest's stages, each counted in the thread that does it."""
    spent: dict[str, float] = defaultdict(float)
    lock = Lock()

    def timed(stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            start = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                with lock:
                    spent[stage] += time.thread_time() - start

        return call

    places = [
        ("download", Downloader, "get"),
        ("download, decode", UnsplashSource, "read"),
        ("prepare", Clip, "prepare"),
        ("insert", PhotoTable, "add"),
    ]
    before = [getattr(owner, name) for _, owner, name in places]
    for (stage, owner, name), function in zip(places, before, strict=True):
        setattr(owner, name, timed(stage, function))
    try:
        yield spent
    finally:
        for (_, owner, name), function in zip(places, before, strict=True):
            setattr(owner, name, function)


def memory(folder: Path, model: Path, photos: int) -> str:
    """One line: memory while photos are read, and at the end, the index among it."""
    database = open_database(f"chdb://{folder / 'memory'}")
    page = os.sysconf("SC_PAGE_SIZE")
    read: list[int] = []

    def watch(progress: Progress) -> None:
        if progress.total and progress.done % 50 == 0:
            resident = int(Path("/proc/self/statm").read_text().split()[1])
            read.append(resident * page >> 20)

    with host_process(32, 0) as host:
        table = write_table(folder / "photos.csv000", host, photos)
        order = Order(UnsplashSource([table]), "bench", str(model), str(model))
        start = time.perf_counter()
        report = load(order, database, None, watch, lambda _: None)
        seconds = time.perf_counter() - start
    database.close()
    early = max(read[: len(read) // 10 or 1])
    return (
        f"{report.added:,} photos in {seconds:.0f} s: {early} MB after the first tenth, at most "
        f"{max(read)} MB while reading, {getrusage(RUSAGE_SELF).ru_maxrss >> 10} MB with the index"
    )


def write_table(path: Path, host: str, photos: int) -> Path:
    """A table of the host's photos, each with an address of its own."""
    facts = "photo_description,photographer_username,photo_location_country"
    rows = [
        f"p{n:07d},{host}/{n % DIFFERENT}?n={n},a bench photo,someone,NO" for n in range(photos)
    ]
    path.write_text("\n".join([f"photo_id,photo_image_url,{facts}", *rows]))
    return path


@contextmanager
def host_process(side: int, latency: float) -> Iterator[str]:
    """A photo host in a process of its own; gives its address."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, side, latency), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def serve(pipe: Any, side: int, latency: float) -> None:
    """Serve photos of that side until the process is killed."""
    with photo_host() as host:
        host.latency = latency
        for number, body in enumerate(jpegs(side)):
            host.serve(f"/{number}", Answer(body))
        pipe.send(host.url)
        while True:
            time.sleep(60)
            host.asked.clear()


def jpegs(side: int) -> Sequence[bytes]:
    """Different photos, about as large as a real one of that side."""
    rng = np.random.default_rng(0)
    bodies = []
    for _ in range(DIFFERENT):
        coarse = rng.integers(0, 256, (side // 4, side // 4, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)
        file = BytesIO()
        image.save(file, "JPEG", quality=85)
        bodies.append(file.getvalue())
    return bodies


if __name__ == "__main__":
    main()
