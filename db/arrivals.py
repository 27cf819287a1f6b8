"""When photos came into a collection, by numbers that only grow."""

import time

from db.connection import Connection
from db.names import checked_name, quoted


def latest_arrival(connection: Connection, collection: str) -> int:
    """The number of the block of photos that came in last; 0 where there is none.

    Args:
        connection: to the database.
        collection: the photo table's name; it may be gone.
    """
    if not connection.has_table(checked_name(collection)):
        return 0
    return _latest(connection, collection)


def next_arrival(connection: Connection, collection: str) -> int:
    """The number of a block of photos that is about to come into a table that is there.

    It is the time in nanoseconds, or more where the clock was set back.
    """
    return max(time.time_ns(), _latest(connection, collection) + 1)


def arrived(connection: Connection, collection: str, after: int) -> set[str]:
    """The ids of the photos that came in after a number; those of older versions have none."""
    table = connection.arrow(
        f"SELECT id FROM {quoted(checked_name(collection))} WHERE added > %(after)s",
        {"after": after},
    )
    return set(table.column("id").to_pylist())


def _latest(connection: Connection, collection: str) -> int:
    return int(connection.command(f"SELECT max(added) FROM {quoted(collection)}"))
