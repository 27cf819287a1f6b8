"""Numbers of rows that only grow, whatever the clock does."""

import time
from typing import Any

from db.connection import Connection


def next_moment(
    connection: Connection, table: str, key: str, value: Any, number: str = "sequence"
) -> int:
    """A number for a new row, larger than those of all rows of its kind.

    It is the time in nanoseconds where that is larger: of two rows that two processes write at
    once, the later one then has the larger number. A clock that was set back takes nothing from
    that: the row that is written last wins.

    Args:
        connection: to the database.
        table: one of the explorer's own.
        key: the column that tells rows of its kind.
        value: what stands there.
        number: the column of the numbers, or an expression of several.
    """
    last = connection.command(
        f"SELECT max({number}) FROM {table} WHERE {key} = %(value)s", {"value": value}
    )
    return max(time.time_ns(), int(last) + 1)
