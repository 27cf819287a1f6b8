"""Rows of a photo table that change: found, compared, replaced and taken out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from db.connection import Connection
from db.counts import Counts
from db.dialect import Vector
from db.errors import ExplorerError
from db.merges import Merges
from db.names import quoted
from db.photo import COLUMNS, Photo
from db.photos import PhotoTable
from db.vectors import vectors_of

_SELECTED = ", ".join(COLUMNS)
# Tells a photo's row from a later one of the same photo.
_MARK = f"cityHash64(vector, {_SELECTED})"
_PIECE = 10_000  # ids of one statement


class Rows:
    """The rows of one photo table.

    No engine changes a row in place with certainty, so a new one is inserted before the old one is
    deleted: a process that is killed between leaves both, and the next load, which finds the photo
    still to be done, deletes the old one then.
    """

    def __init__(self, connection: Connection, photos: PhotoTable) -> None:
        self._connection = connection
        self._photos = photos
        self._table = quoted(photos.name)

    def differing(self, listed: Mapping[str, Photo]) -> dict[str, Photo]:
        """By id, the stored ones of these photos that are stored with another url or other facts.

        A size that is stored and not listed is no difference.
        """
        table = self._connection.arrow(f"SELECT {_SELECTED} FROM {self._table}")
        found: dict[str, Photo] = {}
        for piece in table.to_batches(max_chunksize=_PIECE):
            for row in piece.to_pylist():
                wanted = listed.get(row["id"])
                if wanted is not None:
                    stored = Photo.of(row)
                    if _sized(wanted, stored) != stored:
                        found[stored.id] = stored
        return found

    def facts(self, ids: Sequence[str]) -> dict[str, Photo]:
        """Photos by id, without their vectors; ids that aren't there are left out."""
        found: dict[str, Photo] = {}
        for start in range(0, len(ids), _PIECE):
            rows = self._connection.arrow(
                f"SELECT {_SELECTED} FROM {self._table} WHERE id IN %(ids)s",
                {"ids": tuple(ids[start : start + _PIECE])},
            )
            found |= {row["id"]: Photo.of(row) for row in rows.to_pylist()}
        return found

    def replace(self, photos: Sequence[Photo], vectors: npt.NDArray[np.float32]) -> None:
        """Put photos with their vectors, float32 (n, d), in place of those of the same ids.

        Raises:
            ExplorerError: the vectors can't be stored.
        """
        stored = self._stored([photo.id for photo in photos])
        since = self._since([photo.id for photo in photos])
        news: list[int] = []
        old: dict[str, set[int]] = {}
        for place, (photo, vector) in enumerate(zip(photos, vectors, strict=True)):
            marks = stored.get(photo.id, [])
            differing = {
                mark
                for mark, before, as_before in marks
                if before != photo or not np.array_equal(as_before, vector)
            }
            if len(differing) == len(marks):
                news.append(place)
            if differing:
                old[photo.id] = differing
        self._photos.add([photos[place] for place in news], vectors[news], since)
        if old:
            self._delete(
                f"id IN %(ids)s AND {_MARK} IN %(marks)s",
                ids=tuple(old),
                marks=tuple(sorted(set().union(*old.values()))),
            )

    def restate(self, photos: Sequence[Photo]) -> None:
        """Give photos, which keep their vectors and sizes, another url and other facts."""
        for start in range(0, len(photos), _PIECE):
            wanted = {photo.id: photo for photo in photos[start : start + _PIECE]}
            there = self._photos.get(list(wanted))
            if there:
                self.replace(
                    [_sized(wanted[found.photo.id], found.photo) for found in there],
                    np.stack([found.vector for found in there]),
                )

    def remove(self, ids: Sequence[str]) -> None:
        """Take photos out."""
        for start in range(0, len(ids), _PIECE):
            self._delete("id IN %(ids)s", ids=tuple(ids[start : start + _PIECE]))

    def state(self) -> str:
        """Differs whenever rows came, went or were replaced; merges may change it too."""
        [row] = self._connection.rows(
            "SELECT count() AS n, max(added) AS latest, sum(cityHash64(_part)) AS parts "
            f"FROM {self._table}"
        )
        return " ".join(map(str, row.values()))

    def find(self, words: str, n: int) -> list[Photo]:
        """Up to n photos of that id, or whose url or description holds the words."""
        rows = self._connection.rows(
            f"SELECT {_SELECTED} FROM {self._table} WHERE id = %(words)s OR "
            "positionCaseInsensitiveUTF8(url, %(words)s) > 0 OR "
            "positionCaseInsensitiveUTF8(description, %(words)s) > 0 "
            "ORDER BY id != %(words)s, url, id LIMIT 1 BY id LIMIT %(n)s",
            {"words": words, "n": n},
        )
        return [Photo.of(row) for row in rows]

    def _since(self, ids: Sequence[str]) -> dict[str, int]:
        """When photos came in: one that changes does not come in again."""
        rows = self._connection.rows(
            f"SELECT id, max(added) AS since FROM {self._table} WHERE id IN %(ids)s GROUP BY id",
            {"ids": tuple(ids)},
        )
        return {row["id"]: row["since"] for row in rows}

    def _stored(self, ids: Sequence[str]) -> dict[str, list[tuple[int, Photo, Vector]]]:
        """By id, the rows of photos: what tells each from others, its facts and its vector."""
        table = self._connection.arrow(
            f"SELECT {_SELECTED}, vector, {_MARK} AS mark FROM {self._table} WHERE id IN %(ids)s",
            {"ids": tuple(ids)},
        )
        found: dict[str, list[tuple[int, Photo, Vector]]] = {}
        if not table.num_rows:
            return found
        rows = table.select([*COLUMNS, "mark"]).to_pylist()
        for row, vector in zip(rows, vectors_of(table), strict=True):
            mark = row.pop("mark")
            photo = Photo.of(row)
            found.setdefault(photo.id, []).append((mark, photo, vector))
        return found

    def _delete(self, condition: str, **bound: object) -> None:
        counts = Counts(self._connection)
        missing = self._missing(counts)
        # Noted before it is done: a process that is killed between leaves nothing missing.
        counts.add(self._photos.name, -self._matching(condition, bound))
        # Not DELETE FROM: the vector index would go on finding the rows that it masks.
        layout = self._connection.dialect.layout
        answered = Merges(self._connection, self._photos.name).run(
            f"ALTER TABLE {layout.rows(self._photos.name)} "
            f"DELETE WHERE {condition} SETTINGS mutations_sync = 2{layout.patience}",
            bound,
            done=lambda: not self._matching(condition, bound),
        )
        if not answered and (left := self._matching(condition, bound)):
            raise ExplorerError(
                f"{left:,} rows of {self._photos.name} could not be deleted, since the server was "
                "cut off at it: do it again when it is less busy"
            )
        # A load that ended meanwhile may have counted the rows that were about to go.
        counts.add(self._photos.name, min(missing - self._missing(counts), 0))

    def _missing(self, counts: Counts) -> int:
        """How many more rows were counted than there are."""
        return max(counts.all().get(self._photos.name, 0) - self._photos.count(), 0)

    def _matching(self, condition: str, bound: Mapping[str, object]) -> int:
        sql = f"SELECT count() FROM {quoted(self._photos.name)} WHERE {condition}"
        return int(self._connection.command(sql, bound))


def _sized(wanted: Photo, stored: Photo) -> Photo:
    """A photo with the stored size where it has none."""
    return replace(
        wanted, width=wanted.width or stored.width, height=wanted.height or stored.height
    )
