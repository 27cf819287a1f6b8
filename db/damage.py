"""Damage: what is missing from a database that nobody took out of it, told in words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from db.collections import Collection, Collections
from db.connection import Connection
from db.counts import Counts
from db.embedded import Folder
from db.errors import ExplorerError
from db.layout import Synced, Table
from db.names import quoted


def damage(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """What is missing from the database, one line each; empty where all is there.

    Args:
        connection: to the database.
        tables: the explorer's own.

    Raises:
        ExplorerError: the database doesn't answer.
    """
    collections = Collections(connection)
    counts = Counts(connection).all()
    broken = _broken_parts(connection)
    return [
        *_photos(connection, collections.all(), counts, broken),
        *(_without_table(each, counts[each.name]) for each in collections.lost()),
        *(_without_name(name) for name in collections.nameless()),
        *_own(tables, broken),
        *(_without_definition(folder) for folder in _nobodys(connection)),
    ]


def _photos(
    connection: Connection,
    collections: Sequence[Collection],
    counts: Mapping[str, int],
    broken: Mapping[str, str],
) -> Iterator[str]:
    for collection in collections:
        name = collection.name
        wanted = counts.get(name, 0)
        try:
            rows = int(connection.command(f"SELECT count() FROM {quoted(name)}"))
        except ExplorerError as error:
            yield f"{name} can't be read: {error}"
            continue
        if rows < wanted:
            why = (
                "the engine set damaged files aside"
                if name in broken
                else "the disk lost them, or they were deleted outside the explorer"
            )
            yield (
                f"{wanted - rows:,} of {wanted:,} photos of {name} are missing: {why}. Load "
                f"{collection.source} again to bring them back"
            )


def _without_table(collection: Collection, photos: int) -> str:
    return (
        f"All {photos:,} photos of {collection.name} are missing: its table is gone. Put the "
        f"database back from a backup, or load {collection.source} into it again"
    )


def _without_name(name: str) -> str:
    return (
        f"{name} is a table of photos, and nothing tells any more which model made its vectors. "
        "Put the database back from a backup, or delete it: python -m ingest delete "
        f"{name}"
    )


def _own(tables: Sequence[Table], broken: Mapping[str, str]) -> Iterator[str]:
    for table in tables:
        if table.name in broken:
            yield (
                f"Some of what {table.name} holds ({table.holds}) is missing: the engine set "
                "damaged files aside. Put the database back from a backup, or delete "
                f"{broken[table.name]} to hear no more of it"
            )


def _without_definition(folder: Path) -> str:
    return (
        f"{folder} holds rows of a table whose definition is gone. Put the database back from a "
        "backup, or delete that folder if nothing is missing"
    )


def _broken_parts(connection: Connection) -> dict[str, str]:
    """By table, the folder of damaged files; a server's are its operator's to look after."""
    if not isinstance(connection.dialect.layout, Synced):
        return {}
    rows = connection.rows(
        "SELECT table, any(path) AS path FROM system.detached_parts "
        "WHERE database = currentDatabase() AND startsWith(ifNull(reason, ''), 'broken') "
        "GROUP BY table"
    )
    return {row["table"]: str(Path(row["path"]).parent) for row in rows}


def _nobodys(connection: Connection) -> Iterable[Path]:
    """Folders of the embedded engine that hold rows, and belong to no table any more."""
    if not isinstance(connection.dialect.layout, Synced):
        return []
    path = Folder.of(connection.url).path
    rows = connection.rows("SELECT arrayJoin(data_paths) AS path FROM system.tables")
    known = {Path(row["path"]).name for row in rows}
    known |= {file.stem.rpartition(".")[2] for file in path.glob("metadata_dropped/*.sql")}
    holding = {part.parent.parent for part in path.glob("store/*/*/*/checksums.txt")}
    return sorted(folder for folder in holding if folder.name not in known)
