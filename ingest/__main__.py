"""The command line: `python -m ingest sample | folder DIR | unsplash | status | ddl`."""

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event

from tqdm import tqdm

from classifier.exports.cells import write_rows
from db.answers import LOAD
from db.connection import find_dialect
from db.database import Database, open_database
from db.ddl import script
from db.errors import ExplorerError, first_line
from db.faults import shown_url
from db.private import keep_private
from db.settings import Settings, load_settings
from db.thumbnails import Thumbnails
from ingest.archive import Archive
from ingest.deletion import delete
from ingest.interrupt import interruptible
from ingest.models import SAMPLE
from ingest.names import table_name
from ingest.options import UNSPLASH, parser
from ingest.pipeline import Order, load
from ingest.report import Progress
from ingest.retry import Retries
from ingest.sources import FolderSource, SampleSource, Source, UnsplashSource, read_url
from ingest.streak import Skip

_STOPPED = "stopped: what is in the table stays; run the same command to go on"
_INTERRUPTED = 130
_LOOK_UP = 0.2  # seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 done, 1 an error, 130 interrupted."""
    options = parser().parse_args(arguments)
    if getattr(options, "allow_private_hosts", False):
        # As the setting does: whatever fetches reads it by itself.
        os.environ["PRIVATE_HOSTS"] = "true"
    try:
        settings = load_settings()
        keep_private(settings.data)
        if options.command == "status":
            _status(settings, failures=options.failures)
            return 0
        if options.command == "delete":
            _delete(settings, options.name, sure=options.yes)
            return 0
        if options.command == "ddl":
            print(script(find_dialect(settings.database_url, options.engine), options.collection))
            return 0
        return _load(_order(options, settings), settings)
    except ExplorerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"error: {first_line(error)}: what is in the table stays; put this right and run it "
            "again to go on",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print(f"\n{_STOPPED}", file=sys.stderr)
        return _INTERRUPTED


def _order(options: argparse.Namespace, settings: Settings) -> Order:
    stop = Event()
    source, name, model = _source(options, settings, Retries(stop))
    return Order(
        source=source,
        collection=options.into or options.collection or name,
        model=options.model,
        default_model=model,
        limit=options.limit,
        batch_size=options.batch_size,
        shard=options.shard,
        retry_failed=options.retry_failed,
        into=options.into is not None,
        prune=options.prune,
        stop=stop,
        precision=options.precision,
    )


def _source(
    options: argparse.Namespace, settings: Settings, retries: Retries
) -> tuple[Source, str, str]:
    """The source, and the collection and model where none are named."""
    if options.command == "sample":
        return SampleSource(), SAMPLE, SAMPLE
    if options.command == "folder":
        folder = FolderSource(options.folder, options.exclude)
        return folder, table_name(folder.folder.name), settings.clip_model
    tables = options.photos or Archive(
        settings.unsplash_url, options.version, settings.data / "unsplash", retries
    )
    source = UnsplashSource(tables, retries, options.image_size)
    return source, UNSPLASH, settings.clip_model


def _load(order: Order, settings: Settings) -> int:
    database = open_database(settings.database_url, LOAD)
    thumbnails = Thumbnails(settings.data / "thumbnails", read_url)
    try:
        with _Bar() as bar, interruptible(order.stop, bar.stopping), ThreadPoolExecutor(1) as pool:
            # In a thread of its own, so that this one is free to hear Ctrl-C.
            work = pool.submit(load, order, database, thumbnails, bar.progress, bar.skip)
            # A signal that another thread got doesn't wake this one, which alone can handle it.
            while not work.done():
                wait([work], _LOOK_UP)
            report = work.result()
        for notice in report.notices():
            print(notice, file=sys.stderr)
        print(report.summary())
    finally:
        thumbnails.close()
        database.close()
    if report.stopped:
        print(_STOPPED, file=sys.stderr)
        return _INTERRUPTED
    return 0


class _Bar:
    """A tqdm bar with the rate and the number of skipped photos."""

    def __init__(self) -> None:
        self._bar = tqdm(unit="photo", dynamic_ncols=True, bar_format="{desc}")
        self._skipped = 0

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def progress(self, progress: Progress) -> None:
        if progress.total and progress.unit == "photo":
            self._bar.bar_format = None
            self._bar.set_description(progress.step, refresh=False)
            self._bar.total = progress.total
            # Drawn ten times a second: a terminal takes longer for a line than a small photo.
            self._bar.update(progress.done - self._bar.n)
            if progress.done < progress.total:
                return
        else:
            share = "" if progress.share is None else f" {progress.share:.0%}"
            rows = f" ({progress.done:,} of {progress.total:,} rows)" if progress.total else ""
            step = progress.step + share + rows
            if step == self._bar.desc:
                return
            self._bar.bar_format = "{desc}"
            self._bar.set_description_str(step, refresh=False)
        self._bar.refresh()

    def stopping(self) -> None:
        self._bar.write(
            "stopping: what was read still comes in; Ctrl-C again leaves at once", file=sys.stderr
        )

    def skip(self, skip: Skip) -> None:
        self._skipped += 1
        self._bar.set_postfix(skipped=self._skipped, refresh=False)
        self._bar.write(f"skipping {skip.photo.url}: {skip.reason}", file=sys.stderr)


def _status(settings: Settings, *, failures: bool) -> None:
    database = open_database(settings.database_url)
    try:
        if failures:
            _list_failures(database)
        else:
            print("\n".join(_status_lines(database)))
    finally:
        database.close()


def _status_lines(database: Database) -> list[str]:
    collections = database.collections.all()
    connection = database.connection
    lines = [f"engine: {connection.engine} at {shown_url(connection.url)}"]
    for collection in collections:
        trouble = database.collections.trouble(collection)
        if trouble:
            lines.append(f"{collection.name}: can't be read: {trouble}")
            continue
        table = database.collections.photos(collection)
        index = table.index_state()
        detail = f" ({index.detail})" if index.detail else ""
        failed = len(database.failures.of(table))
        lines.append(
            f"{collection.name}: {table.count():,} photos, model {collection.model}, "
            f"index {index.state}{detail}, from {collection.source}"
            + (f", {failed:,} failed (status --failures lists them)" if failed else "")
        )
    if not collections:
        lines.append("no collections yet: python -m ingest sample")
    return [*lines, *(f"damaged: {line}" for line in database.damage())]


def _delete(settings: Settings, name: str, *, sure: bool) -> None:
    database = open_database(settings.database_url)
    try:
        delete(database, name, sure=sure)
        print(f"{name} is deleted; the photos themselves are not touched")
    finally:
        database.close()


def _list_failures(database: Database) -> None:
    """Tab-separated, with a header, quotes where a value holds a tab, and no formula in a cell."""
    rows = [["collection", "id", "url", "reason", "when"]]
    for collection in database.collections.all():
        failed = database.failures.of(database.collections.photos(collection))
        for failure in failed.values():
            when = f"{failure.at:%Y-%m-%dT%H:%M:%SZ}"
            rows.append([collection.name, failure.id, failure.url, failure.reason, when])
    write_rows(sys.stdout, rows, delimiter="\t", end="\n")


if __name__ == "__main__":
    sys.exit(main())
