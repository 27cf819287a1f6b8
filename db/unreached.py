"""Photos that a vector index does not find: looked for after a build, and compared one by one.

Threads build the graph of an index, and in each one some photos are linked from no other: about one
in a thousand. No search of the index finds them, not even one with their own vector.
"""

import numpy as np

from db.connection import Connection
from db.dialect import DIMENSION
from db.names import quoted
from db.search import SCANNED, Unreached, ids_by_index
from db.vectors import vectors_of

# Rows up to which all are looked for: the time grows with the square of their number, and is some
# six seconds of one core here.
_LOOKED_FOR = 100_000
# Of all rows, those that one of the two searches asks for. With all of them, the engine would not
# ask its index.
_SHARE = 0.9


def find_unreached(connection: Connection, name: str, dimension: int = DIMENSION) -> Unreached:
    """Read a table's index into memory, and find the photos that it doesn't find.

    Two searches in opposite directions find nine tenths of the rows each, so that together they
    find all that can be found. In a large table, one search reads the index, and none are looked
    for; in a small one, the index isn't asked.

    Args:
        connection: to the table's database, whose engine is ClickHouse.
        name: the table's; its index is built.
        dimension: numbers a vector.
    """
    table = quoted(name)
    rows = int(connection.command(f"SELECT count() FROM {table}"))
    anywhere = np.random.default_rng(0).normal(size=dimension).astype(np.float32)
    if rows < SCANNED:
        return Unreached()
    if rows > _LOOKED_FOR:
        connection.arrow(ids_by_index(name, anywhere, 1))
        return Unreached()
    found: set[str] = set()
    for direction in (anywhere, -anywhere):
        sql = ids_by_index(name, direction, int(rows * _SHARE))
        found.update(connection.arrow(sql)["id"].to_pylist())
    missing = set(connection.arrow(f"SELECT id FROM {table}")["id"].to_pylist()) - found
    if not missing:
        return Unreached()
    kept = connection.arrow(
        f"SELECT id, vector FROM {table} WHERE id IN %(ids)s", {"ids": tuple(missing)}
    )
    return Unreached(tuple(kept.column("id").to_pylist()), vectors_of(kept))
