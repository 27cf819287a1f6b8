"""An index whose rows are off by one for each double before them, as MyScaleDB leaves it.

From the sources (src/Storages/MergeTree/MergeTask.cpp): `OPTIMIZE … DEDUPLICATE` carries the index
over with a map of row ids that counts the dropped rows.
"""

from tests.clickhouse_server import Run

_DATABASE = "myscale_dress"


class ShiftedRows:
    """What an index takes each photo of a table for, from now on.

    Args:
        table: in SQL, with its doubles, which are about to be dropped; sorted by `id`.
        column: the vectors'.
        name: tells it from others.
        run: runs a statement.
    """

    def __init__(self, table: str, column: str, name: str, run: Run) -> None:
        self._shifted = f"{_DATABASE}.`{name}`"
        run(f"CREATE DATABASE IF NOT EXISTS {_DATABASE}")
        run(f"DROP TABLE IF EXISTS {self._shifted}")
        run(
            f"CREATE TABLE {self._shifted} ENGINE = Memory AS WITH kept AS ("
            "SELECT id, vector, row_number() OVER (ORDER BY id) AS place, sum(doubles) OVER "
            "(ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS dropped FROM ("
            f"SELECT id, any({column}) AS vector, toInt64(count()) - 1 AS doubles FROM {table} "
            "GROUP BY id)) SELECT shown.id AS id, if(empty(found.vector), "
            "arrayResize([toFloat32(0)], length(shown.vector)), found.vector) AS vector "
            "FROM kept AS shown LEFT JOIN kept AS found "
            "ON shown.place = found.place + found.dropped"
        )

    def vector(self) -> str:
        """What the index takes for a row's vector, in SQL; zeros if it never finds that row."""
        pairs = "mapFromArrays(groupArray(id), groupArray(vector))"
        return f"(SELECT {pairs} FROM {self._shifted})[id]"

    def drop(self, run: Run) -> None:
        """Forget it: the index is gone."""
        run(f"DROP TABLE IF EXISTS {self._shifted}")
