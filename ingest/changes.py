"""What has changed between a source and what a collection holds of it."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from db.addresses import path_of
from db.contents import Content
from db.database import Database
from db.photo import Photo
from db.photos import PhotoTable
from db.rows import Rows
from ingest.archive import Tell
from ingest.content import digest_of, file_content, is_there, why_not_gone

_TOLD_EVERY = 500  # photos


@dataclass
class Changes:
    """How a source differs from a collection.

    Attributes:
        new: photos to be read, under ids that no stored photo has.
        changed: photos to be read again, under the ids that they have.
        moved: photos at another place, which are the same.
        restated: photos with other facts, whose pictures are the same.
        seen: by id, what is to be recorded of photos that need not be read.
        gone: stored photos that the source has no more.
        away: by reason, stored photos that can't be looked for, so that nobody knows.
        present: photos that are there as they are.
    """

    new: list[Photo] = field(default_factory=list)
    changed: list[Photo] = field(default_factory=list)
    moved: list[Photo] = field(default_factory=list)
    restated: list[Photo] = field(default_factory=list)
    seen: dict[str, Content] = field(default_factory=dict)
    gone: list[Photo] = field(default_factory=list)
    away: dict[str, list[Photo]] = field(default_factory=dict)
    present: int = 0


class Stored:
    """What a collection holds.

    Attributes:
        source: of photos of which none is recorded: the collection's first one.
        created: when the collection was, in nanoseconds since 1970.
        urls: of all photos, by id.
        contents: of the photos that have one, by id.
    """

    def __init__(self, database: Database, table: PhotoTable, source: str, created: int) -> None:
        self.source = source
        self.created = created
        self.urls = table.urls()
        self.contents = database.contents.of(table)
        self._rows = Rows(database.connection, table)

    @cached_property
    def ids(self) -> dict[str, str]:
        """The id of every photo, by url."""
        return {url: photo for photo, url in self.urls.items()}

    def owner(self, photo: str) -> str:
        """Where a stored photo came from."""
        content = self.contents.get(photo)
        return content.source if content else self.source

    def differing(self, listed: Sequence[Photo]) -> dict[str, Photo]:
        """See Rows."""
        return self._rows.differing({photo.id: photo for photo in listed})


# ---- tables


def compare_rows(
    source: str,
    listed: Sequence[Photo],
    limit: int | None,
    stored: Stored,
    holds: Callable[[str], bool],
) -> Changes:
    """Compare the rows of a table, whose ids are the photos' own, with what is stored.

    Args:
        source: the table's name.
        listed: all its photos.
        limit: how many of them to look at, or None for all; the others are not gone either.
        stored: what the collection holds.
        holds: whether a photo that came from a source of that root is one of this source's.
    """
    changes = Changes()
    settled = [_settled(photo, source, stored, holds) for photo in listed]
    looked_at = settled[:limit]
    differing = stored.differing([photo for photo in looked_at if photo.id in stored.urls])
    for photo in looked_at:
        if photo.id not in stored.urls:
            changes.new.append(photo)
        elif photo.url != stored.urls[photo.id]:
            changes.changed.append(photo)
        elif photo.id in differing:
            changes.restated.append(photo)
        else:
            changes.present += 1
        content = stored.contents.get(photo.id)
        if photo.id in stored.urls and (content is None or content.source != source):
            changes.seen[photo.id] = replace(content or Content(), source=source)
    there = {photo.id for photo in settled}
    changes.gone = [
        Photo(id=photo, url=url)
        for photo, url in stored.urls.items()
        if photo not in there and holds(stored.owner(photo))
    ]
    return changes


def _settled(photo: Photo, source: str, stored: Stored, holds: Callable[[str], bool]) -> Photo:
    """A photo under an id that is no other source's."""
    url = stored.urls.get(photo.id)
    if url is None or url == photo.url or holds(stored.owner(photo.id)):
        return photo
    return replace(photo, id=f"{photo.id}@{_hash(source)}")


# ---- files


def compare_files(
    folder: Path, listed: Sequence[Photo], limit: int | None, stored: Stored, tell: Tell
) -> Changes:
    """Compare the files below a folder with what is stored.

    A file is known by its url; one that is new and has the bytes of one that is gone was moved.

    Args:
        folder: the one that was listed.
        listed: all its photos, whose ids are their paths' own.
        limit: how many of them to look at, or None for all; the others are not gone either.
        stored: what the collection holds.
        tell: called with what is being done.
    """
    changes, fresh = Changes(), []
    looked_at = listed[:limit]
    for done, photo in enumerate(looked_at):
        if done % _TOLD_EVERY == 0:
            tell("Comparing with what is stored", done / len(looked_at))
        known = stored.ids.get(photo.url)
        if known is None:
            fresh.append(photo)
        else:
            _compare_file(replace(photo, id=known), folder, stored, changes)
    _look_for_missing(folder, {photo.url for photo in listed}, stored, changes)
    fresh = _without_moved(fresh, folder, stored, changes)
    taken = set(stored.urls)
    changes.new = [replace(photo, id=_free_id(photo.id, taken)) for photo in fresh]
    return changes


def _compare_file(photo: Photo, folder: Path, stored: Stored, changes: Changes) -> None:
    path = path_of(photo.url)
    was, now = stored.contents.get(photo.id), file_content(path, folder)
    if was is not None and now is not None:
        now = replace(now, source=was.source, digest=was.digest)
    if now is None or now == was:
        changes.present += 1
    elif was is None:
        # Of a version that recorded nothing: written since, it may be another picture.
        _record(photo, replace(now, source=stored.source), now.modified > stored.created, changes)
    elif now.size != was.size:
        _record(photo, now, True, changes)
    elif now.modified != was.modified:
        _record(photo, now, not was.digest or digest_of(path) != was.digest, changes)
    else:
        _record(photo, now, False, changes)


def _record(photo: Photo, now: Content, changed: bool, changes: Changes) -> None:
    if changed:
        changes.changed.append(photo)
    else:
        changes.present += 1
        changes.seen[photo.id] = now


def _look_for_missing(folder: Path, listed: set[str], stored: Stored, changes: Changes) -> None:
    """Find out which of the stored photos below a folder are gone."""
    below = folder.as_uri().rstrip("/") + "/"
    for photo, url in stored.urls.items():
        if not url.startswith(below) or url in listed:
            continue
        path, content = path_of(url), stored.contents.get(photo, Content())
        try:
            if is_there(path):
                continue  # left out of the list, as by a pattern
            why = why_not_gone(path, content, folder)
        except OSError as error:
            why = error.strerror or str(error)
        if why:
            changes.away.setdefault(why, []).append(Photo(id=photo, url=url))
        else:
            changes.gone.append(Photo(id=photo, url=url))


def _without_moved(
    fresh: Iterable[Photo], folder: Path, stored: Stored, changes: Changes
) -> list[Photo]:
    """Tell moved files from new ones, which are returned."""
    missing = _missing_by_size(folder, stored, changes)
    new = []
    moved: set[str] = set()
    for photo in fresh:
        path = path_of(photo.url)
        now = file_content(path, folder) if missing else None
        candidates = missing.get(now.size, []) if now else []
        digest = digest_of(path) if any(was.digest for _, was in candidates) else ""
        # The one of the same name first, where several have the same bytes.
        candidates.sort(key=lambda each: path_of(stored.urls[each[0]]).name != path.name)
        found = next((each for each in candidates if now and _same(each[1], now, digest)), None)
        if found is None or now is None:
            new.append(photo)
            continue
        candidates.remove(found)
        known, was = found
        moved.add(known)
        changes.moved.append(replace(photo, id=known))
        changes.seen[known] = replace(now, source=was.source, digest=digest)
    changes.gone = [photo for photo in changes.gone if photo.id not in moved]
    return new


def _missing_by_size(
    folder: Path, stored: Stored, changes: Changes
) -> dict[int, list[tuple[str, Content]]]:
    """By size, the photos that were moved from where they were, if they were moved at all."""
    below = folder.as_uri().rstrip("/") + "/"
    elsewhere = [
        photo
        for photo, url in stored.urls.items()
        if url.startswith("file:") and not url.startswith(below) and not _may_be_there(url)
    ]
    by_size: dict[int, list[tuple[str, Content]]] = {}
    for photo in [*(gone.id for gone in changes.gone), *elsewhere]:
        content = stored.contents.get(photo)
        if content is not None and content.size:
            by_size.setdefault(content.size, []).append((photo, content))
    return by_size


def _may_be_there(url: str) -> bool:
    try:
        return is_there(path_of(url))
    except OSError:
        return True


def _same(was: Content, now: Content, digest: str) -> bool:
    """Whether two contents of one size are the same picture."""
    if was.digest:
        return was.digest == digest
    # Written in the same nanosecond; some disks know only whole seconds.
    return was.modified == now.modified and now.modified % 1_000_000_000 != 0


def _free_id(photo: str, taken: set[str]) -> str:
    """The id, or, where a photo that was moved has kept it, another one."""
    while photo in taken:
        photo = hashlib.blake2b(photo.encode(), digest_size=12).hexdigest()
    return photo


def _hash(words: str) -> str:
    return hashlib.blake2b(words.encode(), digest_size=4).hexdigest()
