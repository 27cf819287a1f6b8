"""The table of photos that could not be loaded, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from db.connection import Connection
from db.layout import Table
from db.moments import next_moment
from db.names import quoted
from db.photos import PhotoTable

_COLUMNS = ("collection", "id", "url", "reason", "final", "at", "sequence")

FAILURES = Table(
    "failures",
    "photos that could not be loaded, and why",
    "collection String, id String, url String, reason String, final UInt8, "
    # Rows of earlier versions are in the order of their time.
    "at DateTime64(3, 'UTC'), sequence UInt64 DEFAULT toUnixTimestamp64Milli(at) * 1000000",
    "(collection, id, at)",
)


@dataclass(frozen=True)
class Failure:
    """A photo that was left out.

    Attributes:
        id: the photo's.
        url: where it was to come from.
        reason: why it could not be had, in words.
        final: whether trying again is pointless as long as the photo is the same.
        at: when it was tried last.
    """

    id: str
    url: str
    reason: str
    final: bool
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Failures:
    """All failures of a database. Rows are only ever added; a photo's latest one counts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, collection: str, failures: Sequence[Failure]) -> None:
        """Record failures, in one block."""
        if failures:
            now = next_moment(self._connection, "failures", "collection", collection)
            rows = [
                [collection, f.id, f.url, f.reason, int(f.final), f.at, now + place]
                for place, f in enumerate(failures)
            ]
            self._connection.insert_rows("failures", _COLUMNS, rows)

    def of(self, photos: PhotoTable) -> dict[str, Failure]:
        """By id, the photos that failed and have not come into their table since."""
        rows = self._connection.rows(
            "SELECT id, url, reason, final, at FROM failures WHERE collection = %(name)s "
            f"AND id NOT IN (SELECT id FROM {quoted(photos.name)}) "
            "ORDER BY id, sequence DESC LIMIT 1 BY id",
            {"name": photos.name},
        )
        return {row["id"]: Failure(**{**row, "final": bool(row["final"])}) for row in rows}

    def forget(self, collection: str) -> None:
        """Delete a collection's failures."""
        self._connection.command(
            "ALTER TABLE failures DELETE WHERE collection = %(name)s SETTINGS mutations_sync = 2",
            {"name": collection},
        )
