"""The command line: `python -m classifier score WEIGHT FOLDER`.

It brings a weight and the reader of images together, so it alone may import from `ingest` here.
"""

import argparse
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np
from tqdm import tqdm

from classifier.exports.cells import write_rows
from classifier.exports.places import place_of
from classifier.exports.scores import fixed
from classifier.weight import Carried, read_weight
from db.errors import ExplorerError, first_line
from db.photo import Photo
from ingest.models import full_name, load_model
from ingest.sources import FolderSource

if TYPE_CHECKING:
    from classifier.clip import Clip
    from classifier.preprocess import Pixels

_BATCH = 32
_READERS = 4
_INTERRUPTED, _UNREAD = 130, 141  # as shells tell of them


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        The exit status: 0 done, 1 an error, 130 interrupted, 141 where nobody reads on.
    """
    options = _parser().parse_args(arguments)
    try:
        return _score(options)
    except ExplorerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # What is left to be written would fail again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _UNREAD
    except OSError as error:
        print(f"error: {first_line(error)}: put this right and run it again", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped: what was printed stays", file=sys.stderr)
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m classifier", description="Use a classifier outside the app."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    score = commands.add_parser("score", help="score every image below a folder, as CSV")
    score.add_argument("weight", type=Path, metavar="WEIGHT", help="the file of the weight")
    score.add_argument("folder", type=Path, metavar="FOLDER", help="where the images are")
    score.add_argument(
        "--out", type=Path, metavar="FILE", help="a new file for the CSV (default: it is printed)"
    )
    score.add_argument(
        "--threshold",
        type=_number,
        metavar="T",
        help="the score from which on an image is kept (default: the one in the weight's file)",
    )
    score.add_argument(
        "--model",
        metavar="ID_OR_FOLDER",
        help="where the CLIP checkpoint is that it was trained on (default: as the file says)",
    )
    more = "leave out names, or paths below FOLDER, that match; may be given several times"
    score.add_argument("--exclude", action="append", default=[], metavar="GLOB", help=more)
    return parser


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not a score: write a number from -1 to 1")
    return number


def _score(options: argparse.Namespace) -> int:
    carried = read_weight(options.weight)
    source = FolderSource(options.folder, options.exclude)
    photos = source.photos()
    model = load_model(full_name(options.model or carried.model))
    carried.refuse_other(model.model_id, model.fingerprint, model.dimension)
    threshold = carried.threshold if options.threshold is None else options.threshold
    with ExitStack() as stack:
        out = stack.enter_context(_new(options.out)) if options.out else _printed()
        write_rows(out, [["path", "score", "kept"]], end="\n")
        run = _Run(carried, model, threshold, out)
        run.all(photos, source)
    kept = f"{run.kept:,} of {run.scored:,} images score at least {threshold:.3f}"
    print(kept + (f", {run.skipped:,} skipped" if run.skipped else ""), file=sys.stderr)
    if not run.scored:
        if options.out:
            options.out.unlink()  # its name stays free for another try
        raise ExplorerError(f"No image in {options.folder} could be read")
    return 0


def _new(path: Path) -> TextIO:
    try:
        return path.open("x", encoding="utf-8", newline="")
    except FileExistsError as error:
        raise ExplorerError(f"{path} is there already: name a new file") from error


def _printed() -> TextIO:
    """Where a file is printed: in UTF-8 as others are, since it holds any path."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return sys.stdout


class _Run:
    """Scores images and writes them down, in the order of their paths.

    Attributes:
        scored: how many were.
        kept: how many of them score at least the threshold.
        skipped: how many could not be read.
    """

    def __init__(self, carried: Carried, model: "Clip", threshold: float, out: TextIO) -> None:
        self.scored = self.kept = self.skipped = 0
        self._carried = carried
        self._model = model
        self._threshold = np.float32(threshold)
        self._out = out

    def all(self, photos: Sequence[Photo], source: FolderSource) -> None:
        """Score photos of a source."""

        def read(photo: Photo) -> "Pixels":
            return self._model.prepare(source.read(photo, self._model.image_size))

        batches = [photos[start : start + _BATCH] for start in range(0, len(photos), _BATCH)]
        with (
            ThreadPoolExecutor(_READERS) as pool,
            tqdm(total=len(photos), unit="image", disable=None) as bar,
        ):
            for batch in _ahead(pool, read, batches):
                self._batch(batch)
                bar.update(len(batch))

    def _batch(self, batch: Sequence[tuple[Photo, "Future[Pixels]"]]) -> None:
        read: list[tuple[Photo, Pixels]] = []
        for photo, future in batch:
            try:
                read.append((photo, future.result()))
            except (OSError, ValueError) as error:
                self.skipped += 1
                why = getattr(error, "strerror", None) or first_line(error)
                tqdm.write(f"skipping {place_of(photo.url)}: {why}", file=sys.stderr)
        vectors = self._model.encode_prepared([pixels for _, pixels in read])
        scores = (vectors @ self._carried.weight).astype(np.float32)
        kept = scores >= self._threshold
        self.scored += len(read)
        self.kept += int(kept.sum())
        rows = zip(read, scores, kept, strict=True)
        write_rows(
            self._out,
            ([place_of(photo.url), fixed(score), int(yes)] for (photo, _), score, yes in rows),
            end="\n",
        )


def _ahead(
    pool: ThreadPoolExecutor,
    read: "Callable[[Photo], Pixels]",
    batches: Sequence[Sequence[Photo]],
) -> "Iterator[list[tuple[Photo, Future[Pixels]]]]":
    """The batches, the next of which is being read while one is encoded."""
    waiting: list[tuple[Photo, Future[Pixels]]] = []
    for batch in batches:
        begun = [(photo, pool.submit(read, photo)) for photo in batch]
        if waiting:
            yield waiting
        waiting = begun
    if waiting:
        yield waiting


if __name__ == "__main__":
    sys.exit(main())
