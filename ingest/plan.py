"""What a load has to do: what differs between its source and its collection, and what to try."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from db.collections import Collection
from db.database import Database
from db.errors import ExplorerError
from db.failures import Failure
from db.photo import Photo
from db.photos import PhotoTable
from db.rows import Rows
from ingest.archive import Tell
from ingest.changes import Changes, Stored
from ingest.shard import Shard
from ingest.sources import Source

_FEW = 200  # changed rows, up to which the index is kept


@dataclass
class Plan:
    """What a load has to do.

    Attributes:
        changes: between the source and the collection.
        photos: those to read, in the order in which they are to be tried.
        failed: how some of them failed before.
        known: how many failed before for good and are not tried again.
    """

    changes: Changes = field(default_factory=Changes)
    photos: Sequence[Photo] = ()
    failed: dict[str, Failure] = field(default_factory=dict)
    known: int = 0


def other_sources(source: Source, database: Database, existing: Collection | None) -> list[str]:
    """Where the photos of a collection came from, if none came from this source."""
    if existing is None:
        return []
    table = database.collections.photos(existing)
    roots = database.contents.sources(table)
    if not roots and table.count():
        # Of a version that recorded no more than this.
        return [] if existing.source == source.name else [existing.source]
    return [] if any(source.holds(root) for root in roots) else roots


def refuse_other_sources(source: Source, database: Database, existing: Collection | None) -> None:
    """Raise an error that says how to go on if a collection holds another source's photos.

    Raises:
        ExplorerError: it does.
    """
    others = other_sources(source, database, existing)
    if existing is not None and others:
        raise ExplorerError(
            f"{existing.name} holds photos from {shown_sources(others)}, and none from "
            f"{source.name}: --into {existing.name} puts them beside each other, --collection NAME "
            "keeps them apart"
        )


def shown_sources(sources: Sequence[str]) -> str:
    """Some of the sources, in words."""
    more = f" and {len(sources) - 3:,} more" if len(sources) > 3 else ""
    return ", ".join(sources[:3]) + more


def make_plan(
    source: Source,
    listed: Sequence[Photo],
    database: Database,
    existing: Collection | None,
    may_do: Callable[[Photo, Failure | None], bool],
    tell: Tell,
    limit: int | None = None,
    shard: Shard | None = None,
) -> Plan:
    """Compare a source with a collection.

    Args:
        source: of the photos.
        listed: all its photos.
        database: the collection's.
        existing: the collection, if it is there.
        may_do: whether a photo is to be tried that failed so before.
        tell: called with what is being done.
        limit: how many photos to look at.
        shard: the part of the photos to look at.
    """
    if shard is not None:
        limit = sum(shard.takes(photo.id) for photo in listed[:limit])
        listed = [photo for photo in listed if shard.takes(photo.id)]
    if existing is None:
        return Plan(Changes(new=list(listed[:limit])), listed[:limit])
    table = database.collections.photos(existing)
    created = int(existing.created.timestamp() * 1e9)
    stored = Stored(database, table, existing.source, created)
    changes = source.compare(listed, limit, stored, tell)
    if shard is not None:
        changes.gone = [photo for photo in changes.gone if shard.takes(photo.id)]
    failed = database.failures.of(table)
    wanted = [*changes.new, *changes.changed]
    tried = [photo for photo in wanted if may_do(photo, failed.get(photo.id))]
    # What failed before comes last: it may fail again in a row, and tells nothing of the host.
    tried.sort(key=lambda photo: photo.id in failed)
    return Plan(changes, tried, failed, len(wanted) - len(tried))


def apply_without_reading(changes: Changes, database: Database, table: PhotoTable) -> None:
    """Store what has changed although the pictures are the same, and make ready for the rest."""
    same = [*changes.moved, *changes.restated]
    if len(same) + len(changes.changed) > _FEW:
        table.drop_index()
    Rows(database.connection, table).restate(same)
    database.contents.add(table.name, changes.seen)
