"""Finding the rows of a photo table that are nearest to a vector."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from db.connection import Connection
from db.names import quoted
from db.search import Query, Search, Vector, nearest_among
from db.vectors import vectors_of

# Seconds for which a number of rows is good enough to choose a way of searching: each finds the
# same photos, and only their times differ.
_SAME_SIZE = 10.0


class Finder:
    """Searches one photo table; safe to share between threads.

    Args:
        connection: to the table's database.
        table: its name.
        columns: those that are returned beside `vector` and `dist`.
        clock: in seconds.
    """

    def __init__(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._table = table
        self._columns = columns
        self._clock = clock
        self._counted = (float("-inf"), 0)  # when, and how many rows

    def nearest(
        self,
        vector: Vector,
        k: int,
        exclude: Collection[str] = (),
        condition: str = "",
        bound: Mapping[str, Any] | None = None,
    ) -> pa.Table:
        """The k nearest photos' rows, nearest first; fewer only where no more are left.

        A row may be there twice until the load that sent it ends.

        Args:
            vector: float32 (512,), of any length but zero.
            k: how many.
            exclude: ids to leave out, any number.
            condition: an SQL expression that rows have to fulfil, or "".
            bound: the values that it binds.
        """
        excluded, wanted = tuple(exclude), k
        while True:
            found = self._nearest(vector, wanted, excluded, condition, bound or {})
            once = _once(found)
            if once.num_rows >= k or found.num_rows < wanted:
                return once.slice(0, k)
            wanted *= 2

    def _nearest(
        self,
        vector: Vector,
        k: int,
        excluded: tuple[str, ...],
        condition: str,
        bound: Mapping[str, Any],
    ) -> pa.Table:
        search = Search(
            self._table, self._columns, vector, k, self._rows(), len(excluded), condition
        )
        values = {**bound, "excluded": excluded} if excluded else dict(bound)
        hidden = pa.array(excluded, type=pa.string())
        for query in self._connection.dialect.searches(search):
            if self._is_wrong(query):
                continue
            answer = self._answer(query, values, hidden)
            if query.unless and answer.num_rows:
                answer = _by_cosine(answer, vector)  # it may have become wrong since it was asked
            found = _without(answer, hidden).slice(0, k)
            if found.num_rows == k:
                break
        return found if condition else self._with_unreached(found, search, excluded)

    def _with_unreached(
        self, found: pa.Table, search: Search, excluded: tuple[str, ...]
    ) -> pa.Table:
        """With the photos that belong among those that were found, and that no index finds."""
        unreached = self._connection.unreached.get(self._table)
        if unreached is None or not found.num_rows:
            return found
        nearer = set(unreached.nearer(search.vector, found["dist"][-1].as_py()))
        missed = nearer.difference(excluded, found["id"].to_pylist())
        if not missed:
            return found
        sql = nearest_among(search, "cosineDistance")
        rows = self._connection.arrow(sql, {"among": tuple(missed)})
        return pa.concat_tables([found, rows]).sort_by("dist").slice(0, search.k)

    def _is_wrong(self, query: Query) -> bool:
        stored = {"table": self._connection.dialect.layout.stored_as(self._table)}
        return bool(query.unless) and int(self._connection.command(query.unless, stored)) > 0

    def _answer(self, query: Query, values: dict[str, Any], hidden: pa.Array) -> pa.Table:
        if not query.nearest:
            return self._connection.arrow(query.sql, values)
        values = {name: value for name, value in values.items() if name != "excluded"}
        ids = _without(self._connection.arrow(query.sql, values), hidden)["id"].to_pylist()
        # Of no id at all there is no list in SQL; no photo is called "".
        among = tuple(ids[: query.among]) or ("",)
        return self._connection.arrow(query.nearest, {**values, "among": among})

    def _rows(self) -> int:
        """How many rows the table has, or had a moment ago."""
        counted, rows = self._counted
        if self._clock() - counted > _SAME_SIZE:
            rows = int(self._connection.command(f"SELECT count() FROM {quoted(self._table)}"))
            self._counted = (self._clock(), rows)
        return rows


def _once(found: pa.Table) -> pa.Table:
    """Each photo at its first place."""
    places: dict[str, int] = {}
    for place, photo in enumerate(found["id"].to_pylist()):
        places.setdefault(photo, place)
    return found if len(places) == found.num_rows else found.take(list(places.values()))


def _by_cosine(found: pa.Table, vector: Vector) -> pa.Table:
    """Rows in order of their cosine distances, whatever distance they were found by."""
    vectors = vectors_of(found)
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    place = found.schema.get_field_index("dist")
    field = pa.field("dist", pa.float32())
    return found.set_column(place, field, pa.array(1 - vectors @ vector / lengths)).sort_by("dist")


def _without(found: pa.Table, hidden: pa.Array) -> pa.Table:
    return found.filter(pc.invert(pc.is_in(found["id"], hidden))) if len(hidden) else found
