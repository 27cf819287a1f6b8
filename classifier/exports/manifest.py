"""`metadata.csv` in an exported folder: which photo each file is.

The name and its column `file_name` are those of Hugging Face's `imagefolder`, which guesses at the
kinds of the columns. It grows by a line a photo, before the photo's file is whole, so that an
export that was killed can go on.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path

from classifier.exports.cells import Row, csv_text, guarded, plain, write_rows
from classifier.exports.entries import Entry, Selection
from classifier.exports.scores import fixed
from db.errors import ExplorerError

NAME = "metadata.csv"
# What readers that guess at the kind of a column take for something else than text.
_NO_TEXT = frozenset(
    {"na", "n/a", "<na>", "#na", "#n/a", "1.#ind", "1.#qnan", "null", "none", "true", "false"}
)
_HEADER = ("file_name", "id", "label", "thumb", "score", "url", "photographer", "page")
_BEGINNING = csv_text([_HEADER]).encode()


def was_written(folder: Path) -> bool:
    """Whether an export wrote a folder, and its photos are copies: its list is there."""
    try:
        path = folder / NAME
        if not path.is_file():  # a pipe would be waited for
            return False
        with path.open("rb") as file:
            return file.read(len(_BEGINNING)) == _BEGINNING
    except OSError:
        return False


class Manifest:
    """The list of one folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def read(self) -> dict[str, str] | None:
        """The name of each photo's file, relative to the folder, by photo id; None without a list.

        The last row of a photo counts.

        Raises:
            ExplorerError: the file can't be read, or is no such list.
        """
        try:
            # A kill may cut a character in two.
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ExplorerError(f"Can't read {self._path}: {error.strerror}") from error
        try:
            rows = list(csv.reader(StringIO(text, newline="")))
        except csv.Error:
            rows = []
        if not rows or tuple(rows[0]) != _HEADER:
            raise ExplorerError(
                f"{self._path} is another program's: name an empty folder, or a new one"
            )
        whole = [[plain(cell) for cell in row] for row in rows[1:] if len(row) == len(_HEADER)]
        return {row[1]: row[0] for row in whole}

    def append(self, selection: Selection, entry: Entry, name: str) -> None:
        """Note what the file of a photo is called."""
        with self._path.open("a", encoding="utf-8", newline="") as file:
            write_rows(file, [_row(selection, entry, name)], guard=_text)

    def write(self, selection: Selection, names: Mapping[str, str]) -> None:
        """Put the list anew: the photos whose files' names are given, in the selection's order."""
        entries = (each for each in selection.entries if each.photo.id in names)
        self._replace(_row(selection, each, names[each.photo.id]) for each in entries)

    def _replace(self, rows: Iterable[Row]) -> None:
        new = self._path.with_name(f".{NAME}.part")
        new.write_text(csv_text([_HEADER, *rows], _text), encoding="utf-8", newline="")
        new.replace(self._path)


def _row(selection: Selection, entry: Entry, name: str) -> Row:
    photo, label = entry.photo, selection.class_of(entry)
    facts = [photo.url, photo.photographer, photo.page]
    return [name, photo.id, label, entry.thumb or "", fixed(entry.score), *facts]


def _text(cell: str) -> str:
    """A cell that stays the text that it is; `plain` undoes it."""
    return f"'{cell}" if _is_read_otherwise(cell) else guarded(cell)


def _is_read_otherwise(text: str) -> bool:
    """Whether a reader would make another number of it (007, 1e5), or nothing."""
    if text.casefold() in _NO_TEXT:
        return True
    try:
        float(text)
    except ValueError:
        return False
    return not re.fullmatch("0|[1-9][0-9]{,17}", text)
