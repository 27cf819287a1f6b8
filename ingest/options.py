"""The options of the command line."""

import argparse
from pathlib import Path

from ingest.archive import VERSION
from ingest.pipeline import BATCH_SIZE
from ingest.shard import Shard, parse_shard

UNSPLASH = "unsplash_25k"


def parser() -> argparse.ArgumentParser:
    """What `python -m ingest` understands."""
    whole = argparse.ArgumentParser(
        prog="python -m ingest", description="Load photos into a collection. Run it again to go on."
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="SOURCE")
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
    unsplash.add_argument(
        "--allow-private-hosts",
        action="store_true",
        help="fetch from this machine and its network too, as PRIVATE_HOSTS=true does",
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
        default=UNSPLASH,
        metavar="NAME",
        help="the photo table (default %(default)s)",
    )
    return whole


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
