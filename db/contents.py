"""The table of what photos were when they were read: it tells a load what has changed since."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass

from db.connection import Connection
from db.layout import Table
from db.moments import next_moment
from db.names import quoted
from db.photos import PhotoTable

CONTENTS = Table(
    "photo_contents",
    "what photos were when they were read, and where they came from",
    "collection String, id String, source String, size UInt64, modified Int64, digest String, "
    "apart UInt8, sequence UInt64",
    "(collection, id, sequence)",
)

_COLUMNS = ("collection", "id", "source", "size", "modified", "digest", "apart", "sequence")


@dataclass(frozen=True)
class Content:
    """What a photo was when it was read.

    Attributes:
        source: where it came from, in words that no other source has.
        size: bytes of its file; 0 where that is not known.
        modified: when its file was written, in nanoseconds since 1970; 0 where that is not known.
        digest: of its bytes, or "" where they were not read.
        apart: whether its file lay on another disk than the folder that was loaded.
    """

    source: str = ""
    size: int = 0
    modified: int = 0
    digest: str = ""
    apart: bool = False


class Contents:
    """The contents of all photos. Rows are only ever added; a photo's latest one counts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, collection: str, contents: Mapping[str, Content]) -> None:
        """Record what photos are, by id, in one block."""
        if contents:
            now = next_moment(self._connection, CONTENTS.name, "collection", collection)
            rows = [[collection, photo, *astuple(c), now] for photo, c in contents.items()]
            self._connection.insert_rows(CONTENTS.name, _COLUMNS, rows)

    def of(self, photos: PhotoTable) -> dict[str, Content]:
        """By id, what is recorded of the photos of a table."""
        rows = self._connection.rows(
            f"SELECT id, {', '.join(_COLUMNS[2:-1])} FROM photo_contents "
            f"WHERE collection = %(name)s AND id IN (SELECT id FROM {quoted(photos.name)}) "
            "ORDER BY id, sequence DESC LIMIT 1 BY id",
            {"name": photos.name},
        )
        return {row.pop("id"): Content(**{**row, "apart": bool(row["apart"])}) for row in rows}

    def sources(self, photos: PhotoTable) -> list[str]:
        """Where the photos of a table came from, as far as it is recorded."""
        return sorted({content.source for content in self.of(photos).values()})

    def same(self, photos: PhotoTable, source: str) -> list[list[str]]:
        """Ids of a source's photos that came with the same bytes, the most frequent ones first."""
        rows = self._connection.rows(
            "SELECT groupArray(id) AS ids FROM (SELECT id, source, digest FROM photo_contents "
            f"WHERE collection = %(name)s AND id IN (SELECT id FROM {quoted(photos.name)}) "
            "ORDER BY id, sequence DESC LIMIT 1 BY id) WHERE source = %(source)s AND digest != '' "
            "GROUP BY digest HAVING count() > 1 ORDER BY count() DESC, digest",
            {"name": photos.name, "source": source},
        )
        return [sorted(row["ids"]) for row in rows]

    def forget(self, collection: str) -> None:
        """Delete what is recorded of a collection."""
        self._connection.command(
            "ALTER TABLE photo_contents DELETE WHERE collection = %(name)s "
            "SETTINGS mutations_sync = 2",
            {"name": collection},
        )
