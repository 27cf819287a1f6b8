"""Text in the cells of a CSV file that no spreadsheet takes for a formula.

A cell that begins with a sign of formulas gets an apostrophe in front, and so does one that begins
with an apostrophe: whoever takes one apostrophe off the beginning of every cell, as `plain` does,
has what was written. Numbers stay as they are.
"""

import csv
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from io import StringIO
from typing import Protocol

Row = Sequence[str | float | Decimal]

_GUARD = "'"
# Those of other widths count too in spreadsheets of East Asia.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class Writable(Protocol):
    """What takes text, such as a file."""

    def write(self, text: str, /) -> object:
        """Take some more."""


def guarded(text: str) -> str:
    """A text as a spreadsheet may see it; `plain` undoes it."""
    # Spreadsheets pass over space, and take a tab or a line's end at the beginning for a new cell.
    start = text.lstrip()
    odd = text.startswith(("\t", "\r", "\n", _GUARD)) or start.startswith(_FORMULA)
    return f"{_GUARD}{text}" if odd else text


def plain(cell: str) -> str:
    """The text of a cell that `guarded` wrote."""
    return cell.removeprefix(_GUARD)


def write_rows(
    file: Writable,
    rows: Iterable[Row],
    delimiter: str = ",",
    end: str = "\r\n",
    guard: Callable[[str], str] = guarded,
) -> None:
    """Write rows of a table, quoted where need be; texts are guarded, numbers are not.

    Args:
        file: where to.
        rows: of texts and numbers.
        delimiter: between two cells.
        end: of a row.
        guard: what a text becomes; `plain` undoes it.
    """
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end)
    for row in rows:
        writer.writerow([guard(cell) if isinstance(cell, str) else cell for cell in row])


def csv_text(rows: Iterable[Row], guard: Callable[[str], str] = guarded) -> str:
    """The same rows as the text of a CSV file."""
    text = StringIO(newline="")
    write_rows(text, rows, guard=guard)
    return text.getvalue()
