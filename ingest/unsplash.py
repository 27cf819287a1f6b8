"""The tables of the Unsplash dataset: photos, their facts, and their strongest keywords.

Columns as the dataset's own documentation names them. Tables are tab-separated in the releases
(`photos.csv000`, `photos.tsv000` …), with quotes around what holds quotes, tabs or lines.
"""

import csv
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pandas as pd

from db.errors import ExplorerError, first_line
from db.photos import Photo
from db.settings import typed_path

KEYWORDS = 10  # of a photo: the strongest
_ROWS = 200_000  # of a keywords table in memory; it has millions
_CONFIDENCES = ("ai_service_1_confidence", "ai_service_2_confidence")
_KEYWORD_COLUMNS = ("photo_id", "keyword", "suggested_by_user", *_CONFIDENCES)
_BY_A_PERSON = 1000.0  # stronger than any machine's, which end at 100

_LOG = logging.getLogger(__name__)


def read_photos(paths: Sequence[Path]) -> list[Photo]:
    """The photos of tables, each id once: of rows with the same id the first one counts.

    Keywords come from the tables `keywords.csv000` … that lie beside, if any do.

    Args:
        paths: photos tables, or folders that hold `photos.csv000` … or `photos.tsv000` ….

    Raises:
        ExplorerError: a table can't be read, or is another one.
    """
    tables = [table for path in paths for table in _photo_tables(typed_path(str(path)) or path)]
    by_id: dict[str, Photo] = {}
    for table in tables:
        for photo in _read_table(table):
            by_id.setdefault(photo.id, photo)
    folders = dict.fromkeys(table.parent for table in tables)
    keyword_tables = [found for folder in folders for found in _named(folder, "keywords")]
    keywords = _strongest(keyword_tables, by_id)
    return [
        replace(photo, keywords=keywords[photo.id]) if photo.id in keywords else photo
        for photo in by_id.values()
    ]


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
    """Each photo's KEYWORDS strongest keywords, those that a person gave first."""
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
            dtype=str,
            index_col=False,
            encoding="utf-8-sig",
            keep_default_na=False,
            usecols=lambda name: (
                name in ("photo_id", "keyword", "suggested_by_user", *_CONFIDENCES)
            ),
            chunksize=_ROWS,
        ) as pieces:
            for piece in pieces:
                yield _with_strength(piece)
    except (OSError, ValueError, KeyError) as error:
        # Photos are worth more than their keywords.
        _LOG.warning("no keywords from %s: %s", table, first_line(error))


def _with_strength(rows: pd.DataFrame) -> pd.DataFrame:
    named = [rows[name] for name in _CONFIDENCES if name in rows]
    numbers = pd.DataFrame([pd.to_numeric(column, errors="coerce") for column in named]).T
    strength = numbers.max(axis=1).fillna(0.0) if named else pd.Series(0.0, rows.index)
    if "suggested_by_user" in rows:
        given = rows["suggested_by_user"].str.lower().isin(("t", "true", "1"))
        strength = strength.where(~given, _BY_A_PERSON)
    found = rows[["photo_id", "keyword"]].assign(strength=strength)
    return found[found["keyword"] != ""]


def _read_table(path: Path) -> Iterator[Photo]:
    rows = _read_rows(path)
    missing = [name for name in ("photo_id", "photo_image_url") if name not in rows.columns]
    if missing:
        raise ExplorerError(
            f"{path} has no column {' and no column '.join(missing)}: it has "
            f"{', '.join(rows.columns)}. Give the photos table of the Unsplash dataset"
        )
    for row in rows.to_dict("records"):
        if row["photo_id"]:
            yield _to_photo({str(name): str(value) for name, value in row.items()})


def _read_rows(path: Path) -> pd.DataFrame:
    try:
        delimiter = _delimiter(path)
        try:
            return _parsed(path, delimiter, csv.QUOTE_MINIMAL)
        except pd.errors.ParserError as error:
            if "EOF inside string" not in str(error):
                raise
            # A quote that nobody closes would swallow all rows after it.
            _LOG.warning("%s has a quote that is not closed: quotes are read as they stand", path)
            return _parsed(path, delimiter, csv.QUOTE_NONE)
    except (OSError, ValueError) as error:
        raise ExplorerError(
            f"Can't read {path}: {first_line(error)}. Give a photos table of the Unsplash "
            "dataset, such as photos.tsv000"
        ) from error


def _parsed(path: Path, delimiter: str, quoting: Literal[0, 3]) -> pd.DataFrame:
    return pd.read_csv(
        path,
        sep=delimiter,
        dtype=str,
        # Else rows that are longer than the header would have their id taken for an index.
        index_col=False,
        encoding="utf-8-sig",
        # Namibia's code is NA, and a photographer may be called None.
        keep_default_na=False,
        quoting=quoting,
    )


def _delimiter(path: Path) -> str:
    with path.open(encoding="utf-8-sig") as file:
        return "\t" if "\t" in file.readline() else ","


def _to_photo(row: dict[str, str]) -> Photo:
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
