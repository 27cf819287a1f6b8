"""The command line: `python -m ingest sample | folder DIR | unsplash --photos FILE | status`."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from db.database import Database, open_database
from db.errors import ExplorerError, first_line
from db.settings import Settings, load_settings
from db.thumbnails import Thumbnails
from ingest.models import SAMPLE
from ingest.pipeline import BATCH_SIZE, Order, Progress, Skip, load
from ingest.sources import FolderSource, SampleSource, Source, UnsplashSource, read_url


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 done, 1 an error, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings()
        if options.command == "status":
            _status(settings)
        else:
            _load(_order(options, settings), settings)
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
        print(
            "\nstopped: what is in the table stays; run the same command to go on", file=sys.stderr
        )
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ingest", description="Load photos into a collection. Run it again to go on."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="SOURCE")
    shared = _shared_options()
    commands.add_parser("sample", parents=[shared], help="scenes drawn in code, with their model")
    folder = commands.add_parser("folder", parents=[shared], help="every image below a folder")
    folder.add_argument("folder", type=Path, metavar="DIR")
    unsplash = commands.add_parser(
        "unsplash", parents=[shared], help="the Unsplash dataset, fetched over HTTP"
    )
    unsplash.add_argument(
        "--photos",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="the dataset's photos tables: photos.tsv000, photos.csv000 …",
    )
    commands.add_parser("status", help="what is stored: collections, models, indexes")
    return parser


def _shared_options() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--collection", metavar="NAME", help="the table to load into")
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
    return shared


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of photos: write 1 or more")
    return int(text)


def _order(options: argparse.Namespace, settings: Settings) -> Order:
    source, name, model = _source(options, settings)
    return Order(
        source=source,
        collection=options.collection or name,
        model=options.model,
        default_model=model,
        limit=options.limit,
        batch_size=options.batch_size,
    )


def _source(options: argparse.Namespace, settings: Settings) -> tuple[Source, str, str]:
    """The source, and the collection and model where none are named."""
    if options.command == "sample":
        return SampleSource(), SAMPLE, SAMPLE
    if options.command == "folder":
        source = FolderSource(options.folder)
        return source, table_name(source.folder.name), settings.clip_model
    return UnsplashSource(options.photos), "unsplash_25k", settings.clip_model


def table_name(words: str) -> str:
    """A table name made of what stands in a folder's name."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", words).strip("_")[:50]
    return name if name and not name[0].isdigit() else f"photos_{name}".rstrip("_")


def _load(order: Order, settings: Settings) -> None:
    database = open_database(settings.database_url)
    thumbnails = Thumbnails(settings.data / "thumbnails", read_url)
    try:
        with _Bar() as bar:
            report = load(order, database, thumbnails, bar.progress, bar.skip)
        print(report.summary())
    finally:
        thumbnails.close()
        database.close()


class _Bar:
    """A tqdm bar with the rate and the number of skipped photos."""

    def __init__(self) -> None:
        self._bar = tqdm(unit="photo", dynamic_ncols=True)
        self._skipped = 0

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def progress(self, progress: Progress) -> None:
        self._bar.set_description(progress.step, refresh=False)
        if progress.total:
            self._bar.total = progress.total
            self._bar.update(progress.done - self._bar.n)
        elif progress.share is not None:
            self._bar.set_description(f"{progress.step} {progress.share:.0%}", refresh=False)
        self._bar.refresh()

    def skip(self, skip: Skip) -> None:
        self._skipped += 1
        self._bar.set_postfix(skipped=self._skipped, refresh=False)
        self._bar.write(f"skipping {skip.photo.url}: {skip.reason}", file=sys.stderr)


def _status(settings: Settings) -> None:
    database = open_database(settings.database_url)
    try:
        print("\n".join(_status_lines(database)))
    finally:
        database.close()


def _status_lines(database: Database) -> list[str]:
    collections = database.collections.all()
    lines = [f"engine: {database.connection.dialect.name}"]
    for collection in collections:
        table = database.collections.photos(collection)
        index = table.index_state()
        detail = f" ({index.detail})" if index.detail else ""
        lines.append(
            f"{collection.name}: {table.count():,} photos, model {collection.model}, "
            f"index {index.state}{detail}, from {collection.source}"
        )
    return lines if collections else [*lines, "no collections yet: python -m ingest sample"]


if __name__ == "__main__":
    sys.exit(main())
