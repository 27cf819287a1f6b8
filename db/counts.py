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


# One that was sent twice, since no answer came, counts once.
_EACH = "(SELECT DISTINCT collection, change, made FROM counts)"


class Counts:
    """The counts of all collections. Rows are only ever added; their sum counts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> dict[str, int]:
        """By name, how many photos collections should have; those without photos are left out."""
        rows = self._connection.rows(
            f"SELECT collection, sum(change) AS n FROM {_EACH} GROUP BY collection HAVING n > 0"
        )
        return {row["collection"]: row["n"] for row in rows}

    def add(self, collection: str, photos: int) -> None:
        """Note that photos came in."""
        if photos:
            self._write(collection, photos, time.time_ns())

    def settle(self, collection: str, photos: int) -> None:
        """Note that this is how many there are: after photos were taken out on purpose, as well.

        What two loads find at once, and put right, is one row.
        """
        [found] = self._connection.rows(
            f"SELECT sum(change) AS n, max(made) AS latest FROM {_EACH} "
            "WHERE collection = %(collection)s",
            {"collection": collection},
        )
        if change := photos - found["n"]:
            self._write(collection, change, found["latest"] + 1)

    def _write(self, collection: str, change: int, made: int) -> None:
        self._connection.insert(
            "counts", {"collection": collection, "change": change, "made": made}
        )
