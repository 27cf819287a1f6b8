"""The table of collections: which CLIP model made the vectors of which photo table."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from db.connection import Connection
from db.counts import Counts
from db.dialect import DIMENSION
from db.errors import ExplorerError
from db.layout import Table
from db.names import OWN, checked_name
from db.photos import PhotoTable

COLLECTIONS = Table(
    "collections",
    "which model made the vectors of which photo table",
    "name String, model String, fingerprint String, source String, dimension UInt32, "
    "created DateTime64(3, 'UTC')",
    "name",
)


@dataclass(frozen=True)
class Collection:
    """A photo table and what made it.

    Attributes:
        name: the table's name.
        model: the CLIP checkpoint: a hub id, a folder, or `sample`.
        fingerprint: of the checkpoint's weights, so that a changed checkpoint is noticed.
        source: where the photos came from, in words.
        dimension: of the vectors.
        created: when the first photo was about to come in.
    """

    name: str
    model: str
    fingerprint: str
    source: str
    dimension: int = DIMENSION
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def title(self) -> str:
        """The name, with that of the folder where it could not become a table's."""
        folder = self.source.removeprefix("folder ").rstrip("/").rsplit("/", 1)[-1]
        plain = folder == self.source or folder.isascii()
        return self.name if plain else f"{self.name} ({folder})"


class Collections:
    """All collections of a database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[Collection]:
        """Every collection, oldest first."""
        return self._named(
            "name IN (SELECT name FROM system.tables WHERE database = currentDatabase())"
        )

    def lost(self) -> list[Collection]:
        """Collections that have photos, as it was counted, and no table any more, oldest first."""
        there, counts = self._connection.tables(), Counts(self._connection).all()
        return [c for c in self._named() if c.name not in there and c.name in counts]

    def nameless(self) -> list[str]:
        """Photo tables, by what was counted, that no collection tells of any more."""
        named = {collection.name for collection in self._named()}
        return sorted(self._connection.tables() & Counts(self._connection).all().keys() - named)

    def _named(self, condition: str = "1") -> list[Collection]:
        # The first row counts: two ingests that start together may both write one.
        rows = self._connection.rows(
            "SELECT * FROM (SELECT * FROM collections ORDER BY created LIMIT 1 BY name) "
            f"WHERE {condition} ORDER BY created, name"
        )
        return [Collection(**row) for row in rows]

    def trouble(self, collection: Collection) -> str:
        """Why the collection can't be read, in a line; "" where it can."""
        try:
            self.photos(collection).get_any()
        except ExplorerError as error:
            return str(error)
        return ""

    def find(self, name: str) -> Collection | None:
        """The collection of that name, if there is one."""
        return next((found for found in self.all() if found.name == name), None)

    def photos(self, collection: Collection) -> PhotoTable:
        """The collection's photo table."""
        return PhotoTable(self._connection, collection.name, collection.dimension)

    def open(self, wanted: Collection) -> PhotoTable:
        """The collection's photo table, created if need be.

        Raises:
            ExplorerError: the name can't be used, or the collection's vectors are another model's.
        """
        name = checked_name(wanted.name)
        if name.lower() in OWN:
            raise ExplorerError(f"{name} is one of the explorer's own tables: choose another name")
        table = PhotoTable(self._connection, name, wanted.dimension)
        if self.find(name) is None and not table.exists():
            self._refuse_other_capitals(name)
            self._connection.check_room()
            # First the new name, then leftovers: of loads that start together, another one may have
            # made the table already, and finds it by this name.
            self._connection.insert("collections", asdict(wanted))
            self._forget(name, before=wanted.created)
        else:
            _refuse_other_model(self._owner_of(name), wanted)
        table.create()
        return table

    def _refuse_other_capitals(self, name: str) -> None:
        """A table is files of its name, and not every disk tells capitals from small letters."""
        there = self._connection.rows(
            "SELECT name FROM system.tables WHERE database = currentDatabase() "
            "AND lower(name) = lower(%(name)s) AND name != %(name)s",
            {"name": name},
        )
        if there:
            other = there[0]["name"]
            raise ExplorerError(
                f"{name} differs from {other}, which is there already, in nothing but capitals: "
                f"load into --collection {other}, or choose another name"
            )

    def _owner_of(self, name: str) -> Collection:
        """The collection whose table is there.

        Somebody may be about to delete it: it is looked for again for a second.
        """
        for _ in range(10):
            found = self.find(name)
            if found is not None:
                return found
            self._connection.sleep(0.1)
        raise ExplorerError(
            f"A table {name} is there already, and nothing tells which model made its vectors: "
            "choose another --collection, or drop that table"
        )

    def drop(self, collection: Collection) -> None:
        """Delete a collection's photo table, and its name."""
        # The photos first: that works on a full disk, and makes room for the rest. A name without
        # a table is not listed, but a table without a name would be nobody's.
        self.photos(collection).drop()
        Counts(self._connection).settle(collection.name, 0)
        self._forget(collection.name)

    def _forget(self, name: str, before: datetime | None = None) -> None:
        """Delete the rows of a name, if there are any: all, or those created before another."""
        older = "" if before is None else " AND toUnixTimestamp64Milli(created) < %(before)s"
        condition = f"name = %(name)s{older}"
        bound = {"name": name, "before": 0 if before is None else _milliseconds(before)}
        if int(
            self._connection.command(f"SELECT count() FROM collections WHERE {condition}", bound)
        ):
            self._connection.command(
                f"ALTER TABLE collections DELETE WHERE {condition} SETTINGS mutations_sync = 2",
                bound,
            )


def _milliseconds(moment: datetime) -> int:
    """As a column of milliseconds has it."""
    return int(moment.replace(microsecond=0).timestamp()) * 1000 + moment.microsecond // 1000


def _refuse_other_model(existing: Collection, wanted: Collection) -> None:
    if existing.model != wanted.model:
        raise ExplorerError(
            f"The vectors of {existing.name} were made with {existing.model}, not {wanted.model}: "
            f"use --model {existing.model}, or another --collection"
        )
    if existing.fingerprint != wanted.fingerprint:
        raise ExplorerError(
            f"{wanted.model} has changed since it made the vectors of {existing.name}: "
            "use another --collection, or delete this one on the Collection page"
        )
