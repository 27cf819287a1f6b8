"""The tables of the Unsplash dataset: photos, their facts, and their strongest keywords.

Columns as the dataset's own documentation names them. Tables are tab-separated in the releases
(`photos.csv000`, `photos.tsv000` …), with quotes around what holds quotes, tabs or lines.
"""

import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from db.errors import ExplorerError, first_line
from db.photo import Photo
from ingest.paths import resolved, shown
from ingest.tables import TableError, open_table

KEYWORDS = 10  # of a photo: the strongest
_ROWS = 200_000  # of a keywords table in memory; it has millions
# Of any number of services: release 1.4.0 has confirmations by a third one.
_CONFIDENCE = re.compile(r"ai_service_[0-9]+_confidence")
_CONFIRMED = re.compile(r"confirmed_by_\w+")
_YES = frozenset({"t", "true", "1", "y", "yes"})
_BY_A_PERSON = 1_000.0  # stronger than any machine's, which end at 100
_BY_A_SECOND_LOOK = 10_000.0  # a confirmation, stronger than all of these

_LONGEST = 2_000  # characters of an id or an address
# Those that are read, of some thirty.
_COLUMNS = frozenset(
    {
        *("photo_id", "photo_url", "photo_image_url", "photo_submitted_at"),
        *("photo_width", "photo_height", "photo_description", "ai_description"),
        *("photographer_username", "photographer_first_name", "photographer_last_name"),
        "photo_location_country",
    }
)

_LOG = logging.getLogger(__name__)


@dataclass
class Listing:
    """What tables hold.

    Attributes:
        photos: each id once: of rows with the same id the first one counts.
        bad_rows: by table and line, rows that can't be used, and why.
    """

    photos: list[Photo] = field(default_factory=list)
    bad_rows: list[str] = field(default_factory=list)


def read_photos(paths: Sequence[Path]) -> Listing:
    """The photos of tables.

    Keywords come from the tables `keywords.csv000` … that lie beside, if any do.

    Args:
        paths: photos tables, or folders that hold `photos.csv000` … or `photos.tsv000` ….

    Raises:
        ExplorerError: a table can't be read, or is another one.
    """
    tables = [table for path in paths for table in _photo_tables(resolved(path))]
    by_id: dict[str, Photo] = {}
    listing = Listing()
    for table in tables:
        for photo in _read_table(table, listing.bad_rows):
            by_id.setdefault(photo.id, photo)
    folders = dict.fromkeys(table.parent for table in tables)
    keyword_tables = [found for folder in folders for found in _named(folder, "keywords")]
    keywords = _strongest(keyword_tables, by_id)
    listing.photos = [
        replace(photo, keywords=keywords[photo.id]) if photo.id in keywords else photo
        for photo in by_id.values()
    ]
    return listing


def _photo_tables(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = _named(path, "photos")
    if not found:
        raise ExplorerError(
            f"{path} holds no photos.csv000 or photos.tsv000: give the folder of an Unsplash "
            "dataset, or its photos tables"
        )
    return found


def _named(folder: Path, name: str) -> list[Path]:
    return sorted(path for path in folder.glob(f"{name}.[ct]sv*") if path.is_file())


def _strongest(tables: Sequence[Path], ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Each photo's KEYWORDS strongest keywords: confirmed ones first, then those of persons."""
    best = pd.DataFrame({"photo_id": [], "keyword": [], "strength": []})
    for table in tables:
        for rows in _read_pieces(table):
            found = pd.concat([best, rows[rows["photo_id"].isin(ids)]])
            # Sorted, so that equal ones come in the same order from any table.
            ranked = found.sort_values(["strength", "keyword"], ascending=[False, True])
            single = ranked.drop_duplicates(["photo_id", "keyword"])
            best = single.groupby("photo_id", sort=False).head(KEYWORDS)
    return {
        str(photo): tuple(words) for photo, words in best.groupby("photo_id", sort=False)["keyword"]
    }


def _read_pieces(table: Path) -> Iterator[pd.DataFrame]:
    """A keywords table as photo_id, keyword and strength, in pieces."""
    try:
        with pd.read_csv(
            table,
            sep=_delimiter(table),
            compression=None,
            on_bad_lines="skip",
            dtype=str,
            index_col=False,
            encoding="utf-8-sig",
            keep_default_na=False,
            usecols=_is_read,
            chunksize=_ROWS,
        ) as pieces:
            for piece in pieces:
                yield _with_strength(piece)
    except (OSError, ValueError, KeyError) as error:
        # Photos are worth more than their keywords.
        _LOG.warning("no keywords from %s: %s", table, first_line(error))


def _delimiter(path: Path) -> str:
    with path.open(encoding="utf-8-sig") as file:
        return "\t" if "\t" in file.readline() else ","


def _is_read(name: str) -> bool:
    return name in ("photo_id", "keyword", "suggested_by_user") or bool(
        _CONFIDENCE.fullmatch(name) or _CONFIRMED.fullmatch(name)
    )


def _with_strength(rows: pd.DataFrame) -> pd.DataFrame:
    strength = pd.Series(0.0, rows.index)
    for name in filter(_CONFIDENCE.fullmatch, rows.columns):
        numbers = pd.to_numeric(rows[name], errors="coerce").fillna(0.0).clip(0, 100)
        strength = strength.where(strength > numbers, numbers)
    if "suggested_by_user" in rows:
        strength = strength.where(~_said_yes(rows["suggested_by_user"]), _BY_A_PERSON)
    for name in filter(_CONFIRMED.fullmatch, rows.columns):
        strength = strength + _said_yes(rows[name]) * _BY_A_SECOND_LOOK
    found = rows[["photo_id", "keyword"]].assign(strength=strength)
    return found[found["keyword"] != ""]


def _said_yes(column: pd.Series) -> pd.Series:
    """Whether a column says yes, or how sure a service is, which no one is of what it denies."""
    sure = pd.to_numeric(column, errors="coerce").fillna(0.0) > 0
    return column.str.strip().str.lower().isin(_YES) | sure


def _read_table(path: Path, bad_rows: list[str]) -> Iterator[Photo]:
    try:
        with open_table(path) as (header, rows):
            places = {name: place for place, name in enumerate(header) if name in _COLUMNS}
            _refuse_other_table(path, header, places)
            for row in rows:
                facts = {
                    name: row.fields[place]
                    for name, place in places.items()
                    if place < len(row.fields)
                }
                fault = row.fault or _fault(facts)
                if fault:
                    bad_rows.append(f"{path.name}, line {row.line:,}: {fault}")
                elif facts.get("photo_id"):
                    yield _to_photo(facts)
    except TableError as error:
        raise ExplorerError(
            f"Can't read {shown(path)}: {error}. Give a photos table of the Unsplash dataset, "
            "such as photos.tsv000"
        ) from error


def _refuse_other_table(path: Path, header: Sequence[str], places: Collection[str]) -> None:
    missing = [name for name in ("photo_id", "photo_image_url") if name not in places]
    if missing:
        # The file may be anything: nothing of it is told.
        raise ExplorerError(
            f"{shown(path)} has no column {' and no column '.join(missing)}, of {len(header):,}. "
            "Give the photos table of the Unsplash dataset"
        )


def _fault(facts: Mapping[str, str]) -> str:
    """Why a row is of no use, or "". One without an id is none: tables end in such lines."""
    for name in ("photo_id", "photo_image_url"):
        if "\ufffd" in facts.get(name, ""):
            return f"its {name} is not UTF-8"
        if len(facts.get(name, "")) > _LONGEST:
            return f"its {name} is over {_LONGEST:,} characters long"
    return "" if facts.get("photo_image_url") or not facts.get("photo_id") else "it has no address"


def _to_photo(row: Mapping[str, str]) -> Photo:
    username = row.get("photographer_username", "")
    names = (row.get("photographer_first_name", ""), row.get("photographer_last_name", ""))
    return Photo(
        id=row["photo_id"],
        url=row["photo_image_url"],
        page=row.get("photo_url", ""),
        photographer=" ".join(filter(None, names)) or username,
        photographer_url=f"https://unsplash.com/@{username}" if username else "",
        description=row.get("photo_description", "") or row.get("ai_description", ""),
        width=_to_pixels(row.get("photo_width", "")),
        height=_to_pixels(row.get("photo_height", "")),
        country=row.get("photo_location_country", ""),
        submitted=row.get("photo_submitted_at", "")[:10],
    )


def _to_pixels(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
