"""From a source to a searchable collection: read, encode, insert, index."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from db.collections import Collection
from db.database import Database
from db.photos import Photo, PhotoTable
from db.thumbnails import Thumbnails
from ingest.images import full_size
from ingest.models import full_name, load_model
from ingest.sources import Source

if TYPE_CHECKING:
    from classifier.clip import Clip, Precision

BATCH_SIZE = 32
BLOCK = 512  # rows of one INSERT: each makes a part that the engine has to merge


@dataclass(frozen=True)
class Skip:
    """A photo that was left out, and why."""

    photo: Photo
    reason: str


@dataclass(frozen=True)
class Progress:
    """How far a load is.

    Attributes:
        step: what is being done, in words.
        done: photos dealt with.
        total: photos to deal with, or 0 while that is not known.
        share: 0 to 1 of the step, or None where it can't be told.
    """

    step: str
    done: int = 0
    total: int = 0
    share: float | None = None


@dataclass
class Report:
    """What a load did."""

    collection: str
    rows: int = 0
    added: int = 0
    present: int = 0
    skipped: list[Skip] = field(default_factory=list)

    def summary(self) -> str:
        """The closing line."""
        line = (
            f"{self.rows:,} photos in {self.collection}, {self.added:,} added, "
            f"{self.present:,} already there, {len(self.skipped):,} skipped"
        )
        reasons = Counter(skip.reason for skip in self.skipped).most_common()
        return line + (f" ({', '.join(f'{n} {why}' for why, n in reasons)})" if reasons else "")


@dataclass(frozen=True)
class Order:
    """What to load, and where to.

    Attributes:
        source: where the photos come from.
        collection: the name of the photo table.
        model: the CLIP checkpoint; None takes the collection's own.
        default_model: for a collection that is new, when no model was named.
        limit: look at the source's first photos only.
        batch_size: images encoded at once.
        precision: what a CPU encodes in.
    """

    source: Source
    collection: str
    model: str | None
    default_model: str
    limit: int | None = None
    batch_size: int = BATCH_SIZE
    precision: "Precision" = "float32"


def load(
    order: Order,
    database: Database,
    thumbnails: Thumbnails | None,
    report_progress: Callable[[Progress], None],
    report_skip: Callable[[Skip], None],
) -> Report:
    """Bring a source's missing photos into a collection and index it.

    What is in the table is done, so a load that was interrupted goes on where it stopped.

    Args:
        order: what to load.
        database: where to.
        thumbnails: the cache to fill with photos that a browser can't fetch.
        report_progress: called after every photo, and while the index is built.
        report_skip: called for every photo that is left out.

    Raises:
        ExplorerError: the source, the model or the collection can't be used.
    """
    report_progress(Progress("Listing the photos"))
    photos = order.source.photos()[: order.limit]
    existing = database.collections.find(order.collection)
    there = database.collections.photos(existing).ids() if existing else set()
    missing = [photo for photo in photos if photo.id not in there]
    report = Report(order.collection, present=len(photos) - len(missing))
    model = full_name(order.model or (existing.model if existing else order.default_model))
    if existing is not None and not missing and model == existing.model:
        # Nothing to encode: the model, which takes seconds to load, is not needed.
        table = database.collections.photos(existing)
    else:
        with order.source.ahead(missing):
            report_progress(Progress("Loading the CLIP model"))
            clip, table = _open(order, model, database)
            run = _Run(order, clip, table, thumbnails, report)
            for skip in run.add(missing, report_progress):
                report.skipped.append(skip)
                report_skip(skip)
    if len(there) + report.added:
        table.build_index(
            lambda state: report_progress(Progress("Building the index", share=state.progress))
        )
    report.rows = table.count()
    return report


def _open(order: Order, model: str, database: Database) -> tuple["Clip", PhotoTable]:
    """The model, and the table that its vectors go to, which may be new."""
    clip = load_model(model)
    wanted = Collection(order.collection, model, clip.fingerprint, order.source.name)
    return clip, database.collections.open(wanted)


class _Block:
    """Rows that wait for one INSERT."""

    def __init__(self, table: PhotoTable, report: Report) -> None:
        self._table = table
        self._report = report
        self._photos: list[Photo] = []
        self._vectors: list[npt.NDArray[np.float32]] = []

    def add(self, photos: list[Photo], vectors: npt.NDArray[np.float32]) -> None:
        """Take rows, and insert when there are enough."""
        self._photos += photos
        self._vectors.append(vectors)
        if len(self._photos) >= BLOCK:
            self.flush()

    def flush(self) -> None:
        """Insert what waits."""
        if self._photos:
            self._table.add(self._photos, np.concatenate(self._vectors))
            self._report.added += len(self._photos)
        self._photos, self._vectors = [], []


@dataclass(frozen=True, eq=False)
class _Ready:
    """A photo that was read, and what the image tower sees of it."""

    photo: Photo
    pixels: npt.NDArray[np.float32]


@dataclass
class _Run:
    """One pass over the missing photos."""

    order: Order
    clip: "Clip"
    table: PhotoTable
    thumbnails: Thumbnails | None
    report: Report

    def add(
        self, photos: Sequence[Photo], report_progress: Callable[[Progress], None]
    ) -> Iterator[Skip]:
        """Insert the photos; yields those that had to be left out."""
        batch: list[_Ready] = []
        block = _Block(self.table, self.report)
        for done, (photo, ready) in enumerate(self._read_all(photos), start=1):
            if isinstance(ready, str):
                yield Skip(photo, ready)
            else:
                batch.append(ready)
            if len(batch) == self.order.batch_size or done == len(photos):
                pixels = [ready.pixels for ready in batch]
                vectors = self.clip.encode_prepared(pixels, self.order.precision)
                block.add([ready.photo for ready in batch], vectors)
                batch.clear()
            report_progress(Progress("Reading photos", done, len(photos), done / len(photos)))
        block.flush()

    def _read_all(self, photos: Sequence[Photo]) -> Iterator[tuple[Photo, _Ready | str]]:
        """Every photo, ready to be encoded, or the reason why there is none."""
        if not self.order.source.workers:
            yield from ((photo, self._read(photo)) for photo in photos)
            return
        with ThreadPoolExecutor(self.order.source.workers) as pool:
            waiting: deque[tuple[Photo, Future[_Ready | str]]] = deque()
            try:
                for photo in photos:
                    waiting.append((photo, pool.submit(self._read, photo)))
                    # At most two batches ahead, so that memory stays flat.
                    if len(waiting) > 2 * self.order.batch_size:
                        photo, future = waiting.popleft()
                        yield photo, future.result()
                while waiting:
                    photo, future = waiting.popleft()
                    yield photo, future.result()
            finally:
                for _, future in waiting:
                    future.cancel()

    def _read(self, photo: Photo) -> _Ready | str:
        """Read one photo, and let go of the open image: a camera's takes 72 MB or more."""
        try:
            image = self.order.source.read(photo, self.clip.image_size)
            return _Ready(self._completed(photo, image), self.clip.prepare(image))
        except (OSError, ValueError) as error:
            return str(error.strerror if isinstance(error, OSError) and error.strerror else error)

    def _completed(self, photo: Photo, image: Image.Image) -> Photo:
        """Keep what only the open image tells: its size, and a thumbnail."""
        if not photo.url.startswith("file:"):
            return photo
        if self.thumbnails is not None:
            self.thumbnails.put(photo.id, image)
        width, height = full_size(image)
        return replace(photo, width=width, height=height)
