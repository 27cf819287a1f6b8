"""From a source to a searchable collection: read, encode, insert, index."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from db.collections import Collection
from db.contents import Content
from db.database import Database
from db.errors import ExplorerError, first_line
from db.failures import Failure
from db.photo import Photo
from db.photos import PhotoTable
from db.thumbnails import Thumbnails
from db.vector_index import IndexState
from ingest.content import content_of
from ingest.images import full_size
from ingest.models import full_name, load_model
from ingest.plan import Plan, apply_without_reading, make_plan, refuse_other_sources
from ingest.readers import results, unless_stopped
from ingest.report import Progress, Report
from ingest.retry import Stopped
from ingest.shard import Shard
from ingest.sources import Source
from ingest.streak import Skip, Streak
from ingest.writer import Writer

if TYPE_CHECKING:
    from classifier.clip import Clip, Precision

_LOG = logging.getLogger(__name__)

BATCH_SIZE = 32


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
        shard: the part of the photos to load; None for all.
        retry_failed: try photos again that failed for good before.
        into: whether the photos may come beside another source's.
        prune: take photos out that the source has no more.
        stop: set it to end the load early: what was read still comes in.
        precision: what a CPU encodes in.
    """

    source: Source
    collection: str
    model: str | None
    default_model: str
    limit: int | None = None
    batch_size: int = BATCH_SIZE
    shard: Shard | None = None
    retry_failed: bool = False
    into: bool = False
    prune: bool = False
    stop: Event = field(default_factory=Event)
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
        ExplorerError: the source, the model or the collection can't be used, or the photo host is
            down.
    """
    report = Report(order.collection)
    try:
        _load(order, database, thumbnails, report, report_progress, report_skip)
    except Stopped:
        report.stopped = True
    collection = database.collections.find(order.collection)
    report.rows = database.collections.photos(collection).count() if collection else 0
    report.stopped = report.stopped or order.stop.is_set()
    return report


def _load(
    order: Order,
    database: Database,
    thumbnails: Thumbnails | None,
    report: Report,
    report_progress: Callable[[Progress], None],
    report_skip: Callable[[Skip], None],
) -> None:
    existing = database.collections.find(order.collection)
    if not order.into:
        refuse_other_sources(order.source, database, existing)
    plan = unless_stopped(lambda: _plan(order, database, existing, report_progress), order.stop)
    _tell_of_changes(order, plan, report)
    if existing is not None:
        apply_without_reading(plan.changes, database, database.collections.photos(existing))
    model = full_name(order.model or (existing.model if existing else order.default_model))
    # Without anything to encode, the model, which takes seconds to load, is not needed.
    if plan.photos or existing is None or model != existing.model:
        with order.source.ahead(plan.photos):
            report_progress(Progress("Loading the CLIP model"))
            clip = unless_stopped(lambda: load_model(model), order.stop)
            wanted = Collection(
                order.collection, model, clip.fingerprint, order.source.name, clip.dimension
            )
            table = database.collections.open(wanted)
            run = _Run(order, clip, database, table, thumbnails, report)
            for skip in run.add(plan, report_progress):
                report.skipped.append(skip)
                report_skip(skip)
    _finish(order, database, report, report_progress)


def _plan(
    order: Order,
    database: Database,
    existing: Collection | None,
    report_progress: Callable[[Progress], None],
) -> Plan:
    def tell(step: str, share: float | None) -> None:
        report_progress(Progress(step, share=share))
        if order.stop.is_set():
            raise Stopped

    def may_do(photo: Photo, failure: Failure | None) -> bool:
        return _may_do(order, photo, failure)

    report_progress(Progress("Listing the photos"))
    listed = order.source.photos(tell)
    return make_plan(
        order.source, listed, database, existing, may_do, tell, order.limit, order.shard
    )


def _tell_of_changes(order: Order, plan: Plan, report: Report) -> None:
    changes = plan.changes
    report.present, report.known = changes.present, plan.known
    report.moved, report.changed = len(changes.moved), len(changes.restated)
    report.gone = changes.gone
    report.bad_rows, report.left_out = order.source.bad_rows, dict(order.source.left_out)
    report.away = {why: len(photos) for why, photos in changes.away.items()}


def _may_do(order: Order, photo: Photo, failure: Failure | None) -> bool:
    if failure is None or not failure.final or order.retry_failed:
        return True
    return photo.url != failure.url or order.source.changed(photo, failure.at)


def _finish(
    order: Order,
    database: Database,
    report: Report,
    report_progress: Callable[[Progress], None],
) -> None:
    """Take out what is gone, if that is asked for, and build the index, unless it is to stop."""
    collection = database.collections.find(order.collection)
    if collection is None:
        raise ExplorerError(
            f"{order.collection} was deleted while it was loaded: run it again to start anew"
        )
    table = database.collections.photos(collection)

    def watch(state: IndexState) -> None:
        report_progress(_building(state.progress, rows))
        if order.stop.is_set():
            raise Stopped

    if order.prune and not order.stop.is_set():
        database.remove(collection, [photo.id for photo in report.gone])
        report.pruned = True
    if order.source.patience is not None:
        # A host may send its picture of a missing photo instead of an error.
        report.same = database.contents.same(table, order.source.root)
    rows = table.count()
    if rows and not order.stop.is_set():
        if report.added:
            watch(IndexState("building"))  # said before the first, long statement
        table.drop_doubles(lambda: watch(IndexState("building")))
        table.build_index(watch)


def _building(share: float | None, rows: int) -> Progress:
    if share is None:
        return Progress("Building the index")
    return Progress("Building the index", round(share * rows), rows, share, "row")


@dataclass(frozen=True, eq=False)
class _Ready:
    """A photo that was read, and what the image tower sees of it."""

    photo: Photo
    content: Content
    pixels: npt.NDArray[np.float32]


@dataclass
class _Run:
    """One pass over photos."""

    order: Order
    clip: "Clip"
    database: Database
    table: PhotoTable
    thumbnails: Thumbnails | None
    report: Report
    batch: list[_Ready] = field(default_factory=list)

    def add(self, plan: Plan, report_progress: Callable[[Progress], None]) -> Iterator[Skip]:
        """Insert the photos; yields those that had to be left out."""
        total = len(plan.photos)
        source, stop = self.order.source, self.order.stop
        streak = Streak(source.patience)
        # At most two batches ahead, so that memory stays flat.
        ahead = 2 * self.order.batch_size
        stored = [photo.id for photo in plan.changes.changed]
        late: list[Skip] = []
        with Writer(self.database, self.table, stored) as writer:
            outcomes = results(
                self._read,
                plan.photos,
                source.workers,
                ahead,
                stop,
                idle=lambda: late.extend(self._hurry(writer)),
            )
            for done, outcome in enumerate(outcomes, start=1):
                if isinstance(outcome, _Ready):
                    late += self._take(outcome, writer)
                elif outcome.final or not stop.is_set():
                    streak.hold(outcome)
                yield from writer.note(_taken(late))
                if _says_nothing_against_the_host(outcome, plan):
                    yield from writer.note(streak.release())
                report_progress(Progress("Reading photos", done, total, done / total))
                if streak.too_long:
                    stop.set()  # ends the waits of those that are about to try again
                    break
            yield from writer.note([*late, *self._encode(writer)])
            if not streak.too_long:
                yield from writer.note(streak.release())
        self.report.added = writer.added
        self.report.changed += writer.changed
        if streak.too_long:
            raise ExplorerError(streak.complaint())

    def _take(self, ready: _Ready, writer: Writer) -> list[Skip]:
        self.batch.append(ready)
        writer.expect()
        full = len(self.batch) == self.order.batch_size
        return self._encode(writer) if full else self._hurry(writer)

    def _hurry(self, writer: Writer) -> list[Skip]:
        """Insert what has waited for long, since a kill would lose it."""
        return self._encode(writer) if writer.is_due else []

    def _encode(self, writer: Writer) -> list[Skip]:
        """Hand the vectors of the batch, which may be empty, to the writer; returns those of none.

        A model computes in half precision on some devices, where a photo may be too much for it.
        """
        pixels = [ready.pixels for ready in self.batch]
        vectors = self.clip.encode_prepared(pixels, self.order.precision)
        usable = [bool(np.isfinite(vector).all()) for vector in vectors]
        good = [ready for ready, fine in zip(self.batch, usable, strict=True) if fine]
        bad = [ready for ready, fine in zip(self.batch, usable, strict=True) if not fine]
        contents = {ready.photo.id: ready.content for ready in good}
        writer.add([ready.photo for ready in good], vectors[usable], contents)
        self.batch.clear()
        return [Skip(ready.photo, "the model makes no vector of it", final=False) for ready in bad]

    def _read(self, photo: Photo) -> _Ready | Skip:
        """Read one photo, and let go of the open image: a camera's takes 72 MB or more.

        Nothing that a decoder raises leaves this.
        """
        try:
            image = self.order.source.read(photo, self.clip.image_size)
            content = content_of(image, self.order.source.root)
            return _Ready(self._completed(photo, image), content, self.clip.prepare(image))
        except OSError as error:
            return Skip(photo, error.strerror or str(error), final=False)
        except ValueError as error:
            return Skip(photo, str(error), final=True)
        except MemoryError:
            return Skip(photo, "not enough memory to read it", final=False)
        except Exception as error:  # noqa: BLE001 -- one photo never ends a load
            # The log has the place, and the tests hold these at none.
            _LOG.exception("reading %s failed", photo.url)
            reason = f"unexpected {type(error).__name__}: {first_line(error)[:80]}"
            return Skip(photo, reason, final=False, unexpected=True)

    def _completed(self, photo: Photo, image: Image.Image) -> Photo:
        """Keep what only the open image tells: its size, and a thumbnail."""
        if not photo.url.startswith("file:"):
            return photo
        if self.thumbnails is not None:
            self.thumbnails.put(photo.id, image)
        width, height = full_size(image)
        return replace(photo, width=width, height=height)


def _taken(skips: list[Skip]) -> list[Skip]:
    """What is in a list, which is empty then."""
    taken = skips[:]
    skips.clear()
    return taken


def _says_nothing_against_the_host(outcome: _Ready | Skip, plan: Plan) -> bool:
    """Whether a photo came, or failed as it failed before."""
    return isinstance(outcome, _Ready) or outcome.photo.id in plan.failed
