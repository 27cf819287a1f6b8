"""Reading a table of separated values whose rows and bytes may be broken, in one pass."""

import bz2
import csv
import gzip
import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any

from ingest.paths import reason_of

LONGEST_LINE = 16_000_000  # characters: a header of 200,000 columns has fewer
_PIECE = 1 << 20

# What opening and unpacking raise; RuntimeError and NotImplementedError: a .zip that is encrypted,
# or packed in a way that Python doesn't know.
_BROKEN = (
    OSError,
    ValueError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    RuntimeError,
)
_PACKED: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_ZIP = b"PK\x03\x04"


class TableError(Exception):
    """A file that can't be read as a table; the text says why, and quotes nothing of it."""


@dataclass(frozen=True)
class Row:
    """A row.

    Attributes:
        line: the number of its first line, from 1.
        fields: as many as it has.
        fault: why it is none, in words, or "".
    """

    line: int
    fields: Sequence[str]
    fault: str = ""


@contextmanager
def open_table(path: Path) -> Iterator[tuple[list[str], Iterator[Row]]]:
    """The header and the rows of a table, tabs or commas between fields, packed or not.

    A row that has more fields than the header, or a quote that nobody closes, is one row that is
    broken and swallows none of the others.

    Args:
        path: of the table; .gz, .bz2, .xz and .zip files are known by their first bytes.

    Raises:
        TableError: it is no table, here or while the rows are read.
    """
    try:
        with _opened(path) as binary:
            text = TextIOWrapper(binary, encoding="utf-8-sig", errors="replace", newline="")
            lines = _Lines(text)
            header_line = lines.next()
            if "\0" in header_line:
                raise TableError("it is no text in UTF-8")
            if len(header_line) > LONGEST_LINE:
                raise TableError(f"its first line is over {LONGEST_LINE // 1_000_000} MB long")
            separator = "\t" if "\t" in header_line else ","
            header = next(csv.reader([header_line], delimiter=separator), [])
            yield header, _rows(lines, separator, len(header))
    except csv.Error as error:
        raise TableError("a name in its first line is too long") from error
    except _BROKEN as error:
        raise TableError(reason_of(error)) from error


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if not stat.S_ISREG(path.stat().st_mode):
        raise TableError("it is no file")  # a pipe would be waited for
    with path.open("rb") as file:
        start = file.read(6)
        file.seek(0)
        if start.startswith(_ZIP):
            with zipfile.ZipFile(file) as archive, archive.open(_only_table(archive)) as member:
                yield member
            return
        unpack = next((each for magic, each in _PACKED.items() if start.startswith(magic)), None)
        if unpack is None:
            yield file
            return
        with unpack(file) as unpacked:
            yield unpacked


def _only_table(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    files = [member for member in archive.infolist() if not member.is_dir()]
    if len(files) != 1:
        raise TableError(f"it packs {len(files)} files, not one: unpack it, and give the folder")
    return files[0]


class _Lines:
    """The lines of a file, of which some can be given back."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._back: list[str] = []
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.next()
        if not line:
            raise StopIteration
        return line

    def next(self) -> str:
        """The next line, or "" at the end; of one that is too long, a little more than allowed."""
        line = self._back.pop() if self._back else self._read()
        if line:
            self.number += 1
            self.taken.append(line)
        return line

    def give_back_all_but_one(self) -> str:
        """Give back what was taken since `taken` was emptied, but for the first line: that one."""
        first, *others = self.taken
        self._back += reversed(others)
        self.number -= len(others)
        self.taken = []
        return first

    def _read(self) -> str:
        line = self._file.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            while (rest := self._file.readline(_PIECE)) and not rest.endswith(("\n", "\r")):
                pass
        return line


def _rows(lines: _Lines, separator: str, names: int) -> Iterator[Row]:
    """The rows. Where each ends in a separator, as the first one tells, that makes no field."""
    allowed = 0
    while True:
        lines.taken = []
        line = lines.number + 1
        try:
            # One reader a row, so that a broken row breaks no other.
            fields = next(csv.reader(lines, delimiter=separator, strict=True), None)
        except csv.Error:
            yield _as_it_stands(lines, separator, names, line)
            continue
        if fields is None:
            return
        if fields:
            allowed = allowed or max(names, len(fields))
            many = f"{len(fields):,} fields where the first line has {names:,}"
            yield Row(line, fields, many if len(fields) > allowed else "")


def _as_it_stands(lines: _Lines, separator: str, names: int, number: int) -> Row:
    """A row whose quotes don't mean what they should: one line, if that makes all its fields."""
    line = lines.give_back_all_but_one()
    with suppress(csv.Error):
        [fields] = csv.reader([line], delimiter=separator, quoting=csv.QUOTE_NONE)
        if len(fields) == names:
            return Row(number, fields)
    long = len(line) > csv.field_size_limit()
    return Row(number, [], "a field is too long" if long else "a quote is not closed")
