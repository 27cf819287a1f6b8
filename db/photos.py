"""A photo table: what is stored in it, asked of it and searched in it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from db.arrivals import next_arrival
from db.connection import Connection
from db.counts import Counts
from db.dialect import DIMENSION, Vector
from db.doubles import Doubles
from db.errors import ExplorerError
from db.finder import Finder
from db.merges import Merges
from db.names import checked_name, quoted
from db.photo import COLUMNS, FACTS, Neighbour, Photo, neighbours_of, rows_of
from db.unreached import find_unreached
from db.vector_index import IndexState, VectorIndex
from db.vectors import vectors_of

_NORM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Filter:
    """Facts that a photo must have: one of each tuple that is not empty."""

    countries: tuple[str, ...] = ()
    photographers: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()

    def condition(self) -> tuple[str, dict[str, Any]]:
        """A WHERE expression and the values bound in it; "" where every photo passes."""
        parts = {
            "countries": ("country IN %(countries)s", self.countries),
            "photographers": ("photographer IN %(photographers)s", self.photographers),
            "keywords": ("hasAny(keywords, %(keywords)s)", list(self.keywords)),
        }
        chosen = {name: part for name, part in parts.items() if part[1]}
        sql = " AND ".join(condition for condition, _ in chosen.values())
        return sql, {name: values for name, (_, values) in chosen.items()}


class PhotoTable:
    """One collection's photos and their vectors."""

    def __init__(self, connection: Connection, name: str, dimension: int = DIMENSION) -> None:
        self.name = checked_name(name)
        self.dimension = dimension
        self._sql = quoted(name)
        self._counts = Counts(connection)
        self._index = VectorIndex(connection, name, dimension)
        self._finder = Finder(connection, name, COLUMNS)
        self._connection = connection
        self._dialect = connection.dialect
        self._layout = connection.dialect.layout

    def create(self) -> None:
        """Create the table if it isn't there."""
        # Asked first: a definition is written anew even where it is there, on every node.
        if not self._connection.has_table(self.name):
            self._run_all(self._dialect.create_photos(self.name, FACTS, self.dimension))

    def bring_up_to_date(self) -> None:
        """Give a table of an earlier version the columns that it lacks, and no wrong index.

        Earlier versions dropped doubles with the index in place, which MyScale then mixed up.
        """
        columns = self._connection.rows(
            "SELECT name FROM system.columns WHERE database = currentDatabase() "
            "AND table = %(name)s",
            {"name": self.name},
        )
        there = {column["name"] for column in columns}
        for column in ("submitted String", "added UInt64"):
            if column.split()[0] not in there:
                self._run_all(self._layout.add_column(self.name, column))
        self.drop_index_if_wrong()

    def get_any(self) -> list[Neighbour]:
        """One photo, if there is any: whether the table can be read."""
        columns = ", ".join(("vector", *COLUMNS))
        return neighbours_of(
            self._connection.arrow(f"SELECT {columns}, 0. AS dist FROM {self._sql} LIMIT 1")
        )

    def exists(self) -> bool:
        """Whether there is a table of that name, or of the one that is to store its rows."""
        names = {self.name, self._layout.stored_as(self.name)}
        return any(self._connection.has_table(name) for name in names)

    def drop(self) -> None:
        """Delete the table with its rows.

        Raises:
            ExplorerError: it is still there.
        """
        merges = Merges(self._connection, self.name)
        statements = self._layout.drop(self.name)
        answered = [merges.run(sql, done=lambda: not self.exists()) for sql in statements]
        if not all(answered) and self.exists():
            raise ExplorerError(
                f"{self.name} is not deleted yet, since the server was cut off at it: delete it "
                "again when the server is less busy"
            )

    def add(
        self,
        photos: Sequence[Photo],
        vectors: npt.NDArray[np.float32],
        since: Mapping[str, int] | None = None,
    ) -> None:
        """Insert photos with their vectors, in one block.

        Args:
            photos: n photos.
            vectors: float32 (n, 512), unit norm.
            since: the arrivals, by id, of photos that are here already; see db.arrivals.

        Raises:
            ExplorerError: the vectors have another shape, or are no directions.
        """
        if vectors.shape != (len(photos), self.dimension):
            raise ExplorerError(
                f"{len(photos)} photos came with vectors of shape {vectors.shape}: "
                f"{self.name} holds {self.dimension} numbers a photo"
            )
        _check_directions(photos, vectors)
        if photos:
            now = next_arrival(self._connection, self.name)
            added = [(since or {}).get(photo.id, now) for photo in photos]
            self._connection.insert_arrow(self.name, rows_of(photos, vectors, added))
            self._counts.add(self.name, len(photos))

    def ids(self) -> set[str]:
        """The ids of all photos."""
        table = self._connection.arrow(f"SELECT id FROM {self._sql}")
        return set(table.column("id").to_pylist())

    def urls(self) -> dict[str, str]:
        """The url of every photo, by id."""
        table = self._connection.arrow(f"SELECT id, url FROM {self._sql}")
        ids, urls = (table.column(name).to_pylist() for name in ("id", "url"))
        return dict(zip(ids, urls, strict=True))

    def count(self) -> int:
        """How many rows there are."""
        return int(self._connection.command(f"SELECT count() FROM {self._sql}"))

    def get(self, ids: Sequence[str]) -> list[Neighbour]:
        """Photos by id, in the order asked for, leaving out ids that aren't there; distance 0."""
        if not ids:
            return []
        columns = ", ".join(("vector", *COLUMNS))
        found = neighbours_of(
            self._connection.arrow(
                f"SELECT {columns}, 0. AS dist FROM {self._sql} WHERE id IN %(ids)s",
                {"ids": tuple(ids)},
            )
        )
        by_id = {neighbour.photo.id: neighbour for neighbour in found}
        return [by_id[wanted] for wanted in ids if wanted in by_id]

    def random(self, n: int) -> list[Photo]:
        """Up to n photos drawn by chance."""
        rows = self._connection.rows(
            f"SELECT {', '.join(COLUMNS)} FROM {self._sql} ORDER BY rand() LIMIT %(n)s", {"n": n}
        )
        return [Photo.of(row) for row in rows]

    def sample(self, n: int) -> npt.NDArray[np.float32]:
        """The vectors of up to n photos, by chance but always the same: float32 (m, 512)."""
        return self.sample_with_ids(n)[1]

    def sample_with_ids(self, n: int) -> tuple[list[str], npt.NDArray[np.float32]]:
        """The ids of those of `sample`, in order, and their vectors."""
        table = self._connection.arrow(
            f"SELECT id, vector FROM {self._sql} WHERE id IN ("
            f"SELECT id FROM {self._sql} ORDER BY cityHash64(id), id LIMIT %(n)s) ORDER BY id",
            {"n": n},
        )
        if not table.num_rows:
            return [], np.empty((0, self.dimension), dtype=np.float32)
        return table.column("id").to_pylist(), vectors_of(table)

    def search(
        self,
        vector: Vector,
        k: int,
        exclude: Collection[str] = (),
        only: Filter | None = None,
    ) -> list[Neighbour]:
        """The k nearest photos by cosine distance, nearest first.

        Always k, unless fewer photos pass the filter and are not excluded.

        Args:
            vector: float32 (512,), of any length but zero.
            k: how many.
            exclude: ids to leave out, any number.
            only: facts that the photos must have.
        """
        _check_query(vector, self.dimension)
        condition, bound = (only or Filter()).condition()
        return neighbours_of(self._finder.nearest(vector, k, exclude, condition, bound))

    def scores(self, weight: Vector) -> tuple[list[str], npt.NDArray[np.float32]]:
        """Every photo's score under a classifier, best first.

        Args:
            weight: float32 (512,), of any length but zero.

        Returns:
            ids (n) and scores float32 (n,), the dot product of the two unit vectors.
        """
        _check_query(weight, self.dimension)
        table = self._connection.arrow(self._dialect.scores(self.name, weight))
        scores = table.column("score").to_numpy().astype(np.float32)
        return table.column("id").to_pylist(), scores

    def common(self, fact: str, n: int = 1000) -> list[str]:
        """The n most frequent values of a fact: `country`, `photographer` or `keyword`."""
        column = {
            "country": "country",
            "photographer": "photographer",
            "keyword": "arrayJoin(keywords)",
        }[fact]
        rows = self._connection.rows(
            f"SELECT {column} AS value, count() AS n FROM {self._sql} "
            "GROUP BY value HAVING value != '' ORDER BY n DESC, value LIMIT %(n)s",
            {"n": n},
        )
        return [row["value"] for row in rows]

    def index_state(self) -> IndexState:
        """How far the vector index is, and how many photos it doesn't find, where that is known."""
        state = self._index.state()
        unreached = self._connection.unreached.get(self.name)
        if state.state != "built" or unreached is None or not unreached.ids:
            return state
        n = len(unreached.ids)
        return replace(state, detail=f"{n} photos that it can't reach are compared one by one")

    def warm_up(self) -> None:
        """Read the vector index into memory, and find out which photos it doesn't find."""
        if self._dialect.index_misses and self._index.state().state == "built":
            found = find_unreached(self._connection, self.name, self.dimension)
            self._connection.unreached[self.name] = found

    def drop_doubles(self, report: Callable[[], None] | None = None) -> None:
        """Leave each photo once, at the end of a load; what is there now is what should be.

        Two loads at once, and a block that was sent again because no answer came, leave some twice,
        and no engine sees to it.

        Args:
            report: called now and then, where it takes long.
        """
        Doubles(self._connection, self.name, self._index).drop(report)
        self._counts.settle(self.name, self.count())

    def build_index(
        self, report: Callable[[IndexState], None] | None = None, poll: float = 0.1
    ) -> None:
        """Build the vector index, and wait for it: see `VectorIndex.build`."""
        self._index.build(report, poll)
        self.warm_up()

    def drop_index_if_wrong(self) -> None:
        """Take the vector index away if it finds the wrong photos: see `VectorIndex`."""
        self._index.drop_if_wrong()

    def drop_index(self) -> None:
        """Take the vector index away before many rows change: see `VectorIndex.drop`."""
        self._index.drop()

    def _run_all(self, statements: Sequence[str]) -> None:
        for statement in statements:
            self._connection.command(statement)


def _check_query(vector: Vector, dimension: int) -> None:
    if vector.shape != (dimension,) or not np.isfinite(vector).all() or not vector.any():
        raise ExplorerError(
            f"A search needs {dimension} finite numbers, not all zero; got shape {vector.shape}: "
            "search with the model that made the vectors"
        )


def _check_directions(photos: Sequence[Photo], vectors: npt.NDArray[np.float32]) -> None:
    """One vector that is none would keep the index from ever being built."""
    # What is not finite is not near 1 either.
    bad = ~(np.abs(np.linalg.norm(vectors.astype(np.float64), axis=1) - 1) < _NORM_TOLERANCE)
    if bad.any():
        first = photos[int(np.argmax(bad))]
        raise ExplorerError(
            f"{int(bad.sum()):,} of {len(photos):,} vectors are not of length 1, such as that of "
            f"{first.id}: nothing of them was stored; check the CLIP model, or take another one"
        )
