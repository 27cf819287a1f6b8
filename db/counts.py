"""The table of counts: how many photos came into which collection, so that a loss is noticed."""

import time

from db.connection import Connection
from db.layout import Table

COUNTS = Table(
    "counts",
    "how many photos came into collections, and went",
    "collection String, change Int64, made UInt64",
    "(collection, made)",
)


class Counts:
    """The counts of all collections. Rows are only ever added; their sum counts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> dict[str, int]:
        """By name, how many photos collections should have; those without photos are left out."""
        rows = self._connection.rows(
            "SELECT collection, sum(change) AS n FROM counts GROUP BY collection HAVING n > 0"
        )
        return {row["collection"]: row["n"] for row in rows}

    def add(self, collection: str, photos: int) -> None:
        """Note that photos came in."""
        if photos:
            row = {"collection": collection, "change": photos, "made": time.time_ns()}
            self._connection.insert("counts", row)

    def settle(self, collection: str, photos: int) -> None:
        """Note that this is how many there are: after photos were taken out on purpose, as well."""
        self.add(collection, photos - self.all().get(collection, 0))
