"""The command line: `python -m ingest sample | folder DIR | unsplash | status | ddl`."""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event

from tqdm import tqdm

from classifier.exports.cells import write_rows
from db.answers import LOAD
from db.connection import find_dialect
from db.database import Database, open_database
from db.ddl import script
from db.errors import ExplorerError, first_line
from db.faults import shown_url
from db.settings import Settings, load_settings
from db.thumbnails import Thumbnails
from ingest.archive import VERSION, Archive
from ingest.deletion import delete
from ingest.interrupt import interruptible
from ingest.models import SAMPLE
from ingest.names import table_name
from ingest.pipeline import BATCH_SIZE, Order, load
from ingest.report import Progress
from ingest.retry import Retries
from ingest.shard import Shard, parse_shard
from ingest.sources import FolderSource, SampleSource, Source, UnsplashSource, read_url
from ingest.streak import Skip

_STOPPED = "stopped: what is in the table stays; run the same command to go on"
_INTERRUPTED = 130
_LOOK_UP = 0.2  # seconds
_UNSPLASH = "unsplash_25k"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 done, 1 an error, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings()
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ingest", description="Load photos into a collection. Run it again to go on."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="SOURCE")
    shared = _shared_options()
    commands.add_parser("sample", parents=[shared], help="scenes drawn in code, with their model")
    folder = commands.add_parser("folder", parents=[shared], help="every image below a folder")
    folder.add_argument("folder", type=Path, metavar="DIR")
    more = "leave out names, or paths below DIR, that match; may be given several times"
    folder.add_argument("--exclude", action="append", default=[], metavar="GLOB", help=more)
    unsplash = commands.add_parser(
        "unsplash", parents=[shared], help="the Unsplash dataset, fetched over HTTP"
    )
    unsplash.add_argument(
        "--photos",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="photos tables (photos.csv000 …) or the folder of a dataset, instead of downloading",
    )
    unsplash.add_argument(
        "--version",
        default=VERSION,
        metavar="V",
        help="the release of Unsplash Lite to download, or latest (default %(default)s)",
    )
    unsplash.add_argument(
        "--image-size",
        type=_positive,
        metavar="N",
        help="pixels of the square that the photo host is asked for (default: what CLIP sees)",
    )
    status = commands.add_parser("status", help="what is stored: collections, models, indexes")
    status.add_argument(
        "--failures",
        action="store_true",
        help="the photos that could not be loaded: collection, id, url, reason, when",
    )
    delete = commands.add_parser("delete", help="delete a collection; photos are not touched")
    delete.add_argument("name", metavar="NAME")
    delete.add_argument(
        "--yes",
        action="store_true",
        help="with the views, classifiers and sessions that hang on it",
    )
    ddl = commands.add_parser(
        "ddl", help="the SQL that sets up the database, printed for review and not run"
    )
    ddl.add_argument(
        "--engine",
        choices=("embedded", "clickhouse", "myscale"),
        default="",
        help="what the SQL is for (default: the database that is set, which is asked)",
    )
    ddl.add_argument(
        "--collection",
        default=_UNSPLASH,
        metavar="NAME",
        help="the photo table (default %(default)s)",
    )
    return parser


def _shared_options() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    where = shared.add_mutually_exclusive_group()
    where.add_argument("--collection", metavar="NAME", help="the table to load into")
    where.add_argument(
        "--into", metavar="NAME", help="the same, although it holds photos from another source"
    )
    shared.add_argument(
        "--model",
        metavar="ID_OR_FOLDER",
        help="the CLIP checkpoint: a hub id, a folder, or sample, the small one shipped here",
    )
    shared.add_argument(
        "--limit", type=_positive, metavar="N", help="look at the first N photos only"
    )
    shared.add_argument(
        "--batch-size",
        type=_positive,
        default=BATCH_SIZE,
        metavar="N",
        help="photos encoded at once (default %(default)s)",
    )
    shared.add_argument(
        "--shard",
        type=_shard,
        metavar="I/N",
        help="load one of N parts of the photos, for N machines that share a server's table",
    )
    shared.add_argument(
        "--retry-failed",
        action="store_true",
        help="try photos again that failed for good, such as with HTTP 404",
    )
    shared.add_argument(
        "--prune",
        action="store_true",
        help="take photos out of the collection that the source has no more",
    )
    shared.add_argument(
        "--precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="what a CPU encodes in (default %(default)s); bfloat16 is faster where the CPU has "
        "instructions for it, and its vectors differ a little",
    )
    return shared


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number: write 1 or more")
    return int(text)


def _shard(text: str) -> Shard:
    try:
        return parse_shard(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


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
    return source, _UNSPLASH, settings.clip_model


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
