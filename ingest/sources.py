"""Where photos come from: the drawn sample, a folder, or a table of the Unsplash dataset."""

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Protocol
from urllib.parse import quote_from_bytes

from PIL import Image

from db import thumbnails
from db.addresses import path_of
from db.contents import Content
from db.errors import ExplorerError
from db.photo import Photo
from ingest import files
from ingest.archive import Archive, Tell
from ingest.changes import Changes, Stored, compare_files, compare_rows
from ingest.content import bytes_content, file_content, keep_content
from ingest.download import Downloader, sized
from ingest.folder import Listing
from ingest.formats.kinds import NAMES
from ingest.images import decode
from ingest.paths import resolved
from ingest.reasons import in_words
from ingest.retry import Retries
from ingest.sample.captions import describe
from ingest.sample.drawing import draw
from ingest.sample.scenes import PICTURE_SIDE, SAMPLE_SIZE, compose, scene_from_id
from ingest.sample.studio import Studio, studio
from ingest.unsplash import read_photos


def silent(_step: str, _share: float | None) -> None:
    """For whoever wants to be told nothing."""


class Source(Protocol):
    """A list of photos, and how to read one.

    Attributes:
        name: what it is, in words.
        root: what it is, in words that no other source has.
        bad_rows: what `photos()` found that is none, and why: by file and line.
        left_out: how many files and folders `photos()` passed over, by reason.
        workers: how many photos to read at once, in threads; 0 where reading is Python code, which
            threads don't make faster, while the encoder has to wait for each of them.
        patience: how many photos in a row may fail before the host behind them is taken for down;
            None where there is no host.
    """

    name: str
    root: str
    bad_rows: Sequence[str]
    left_out: Mapping[str, int]
    workers: int
    patience: int | None

    def photos(self, tell: Tell, /) -> Sequence[Photo]:
        """All photos, each id once, always in the same order.

        Args:
            tell: called with what is being done, and how much of it is done (0 to 1, or None),
                where that takes long.

        Raises:
            ExplorerError: the source as a whole can't be read.
            Stopped: the load was told to stop.
        """

    def ahead(self, _photos: Sequence[Photo], /) -> AbstractContextManager[None]:
        """Get photos ready, while the context is open, that will be read in this order.

        It may do nothing; reading is the same with and without.
        """

    def read(self, photo: Photo, side: int) -> Image.Image:
        """The upright RGB image of a photo.

        Args:
            photo: one of `photos()`.
            side: pixels of the shorter side that will do; the image may be larger.

        Raises:
            OSError: the photo can't be had now; another time it may.
            ValueError: it is gone, or no usable image; trying again is pointless.
        """

    def changed(self, photo: Photo, since: datetime, /) -> bool:
        """Whether a photo may be another one than it was then."""

    def holds(self, root: str, /) -> bool:
        """Whether a source of that root, or name, is this one, or one that this is a part of."""

    def compare(
        self, listed: Sequence[Photo], limit: int | None, stored: Stored, tell: Tell, /
    ) -> Changes:
        """What has changed between `photos()` and what a collection holds.

        Args:
            listed: all photos, or one machine's part of them.
            limit: how many of them to look at, or None for all.
            stored: what the collection holds.
            tell: as of `photos`.
        """


class Keyed:
    """What sources share whose photos have ids of their own: they are compared row by row.

    Attributes:
        root: see Source.
    """

    root: str
    bad_rows: Sequence[str] = ()
    left_out: Mapping[str, int] = MappingProxyType({})
    patience: int | None = None

    def ahead(self, _photos: Sequence[Photo]) -> AbstractContextManager[None]:
        """See Source. Threads are ahead enough."""
        return nullcontext()

    def changed(self, _photo: Photo, _since: datetime) -> bool:
        """See Source."""
        return False

    def holds(self, root: str) -> bool:
        """See Source."""
        return root == self.root

    def compare(
        self, listed: Sequence[Photo], limit: int | None, stored: Stored, _tell: Tell
    ) -> Changes:
        """See Source."""
        return compare_rows(self.root, listed, limit, stored, self.holds)


class SampleSource(Keyed):
    """Scenes drawn in code: a collection for a machine that reaches no photo."""

    name = root = "drawn scenes"
    workers = 0
    _studio: Studio | None = None

    def photos(self, _tell: Tell = silent) -> Sequence[Photo]:
        """See Source."""
        scenes = (compose(seed) for seed in range(SAMPLE_SIZE))
        return [
            Photo(
                id=scene.id,
                url=f"sample:{scene.id}",
                description=describe(scene),
                keywords=scene.keywords,
            )
            for scene in scenes
        ]

    @contextmanager
    def ahead(self, photos: Sequence[Photo]) -> Iterator[None]:
        """See Source. Processes draw while this one imports torch and encodes."""
        with studio([scene_from_id(photo.id).seed for photo in photos]) as self._studio:
            try:
                yield
            finally:
                self._studio = None

    def read(self, photo: Photo, side: int) -> Image.Image:
        """See Source."""
        scene = scene_from_id(photo.id)
        if self._studio is not None and side == PICTURE_SIDE:
            return self._studio.picture(scene.seed)
        return draw(scene, side)


class FolderSource:
    """Every image below a folder."""

    bad_rows: Sequence[str] = ()
    workers = 4
    patience: int | None = None

    def __init__(
        self, folder: Path, exclude: Sequence[str] = (), within: Sequence[Path] = ()
    ) -> None:
        """Name the folder.

        Args:
            folder: its path.
            exclude: patterns of names, or of paths below it, to leave out.
            within: where links in it may lead; anywhere by default.

        Raises:
            ExplorerError: no file can have that name.
        """
        self.folder = resolved(folder)
        self._exclude = exclude
        self._within = within
        self.left_out: Mapping[str, int] = {}
        self.name = self.root = f"folder {_printable(self.folder)}"

    def photos(self, tell: Tell = silent) -> Sequence[Photo]:
        """See Source. The id is a hash of the path; the folders' names become keywords."""
        if not self.folder.is_dir():
            raise ExplorerError(f"{self.folder} is not a folder: give one that holds images")
        listing = Listing(str(self.folder), self._exclude, tell, self._within)
        self.left_out = listing.left_out
        found = [self._photo(inside, name) for inside, name in listing.photos()]
        if not found:
            left_out = f"; left out: {in_words(self.left_out)}" if self.left_out else ""
            raise ExplorerError(f"{self.folder} holds no images (of {NAMES}){left_out}")
        return found

    def ahead(self, _photos: Sequence[Photo]) -> AbstractContextManager[None]:
        """See Source. Threads are ahead enough."""
        return nullcontext()

    def read(self, photo: Photo, side: int) -> Image.Image:
        """See Source. It does for a thumbnail too, which is cut while the image is open."""
        path = path_of(photo.url)
        # Before it is read: what is written meanwhile is another file the next time.
        now = file_content(path, self.folder) or Content()
        with files.held(path) as body:
            image = decode(BytesIO(body), max(side, thumbnails.SIDE))
            return keep_content(image, replace(now, digest=bytes_content(body).digest))

    def changed(self, photo: Photo, since: datetime) -> bool:
        """See Source. The time of the file's status tells: no program sets it back."""
        try:
            return path_of(photo.url).stat().st_ctime >= since.timestamp()
        except OSError:
            return True

    def holds(self, root: str) -> bool:
        """See Source. A folder is a part of those above it."""
        return f"{self.root}/".startswith(root.rstrip("/") + "/")

    def compare(
        self, listed: Sequence[Photo], limit: int | None, stored: Stored, tell: Tell
    ) -> Changes:
        """See Source."""
        return compare_files(self.folder, listed, limit, stored, tell)

    def _photo(self, inside: str, name: str) -> Photo:
        path = os.fsencode(self.folder / inside / name)
        parts = _printable(inside).split("/") if inside else []
        return Photo(
            id=hashlib.blake2b(path, digest_size=12).hexdigest(),
            url=f"file://{quote_from_bytes(path)}",
            description=_printable(f"{inside}/{name}" if inside else name),
            keywords=tuple(map(sys.intern, parts)),
        )


class UnsplashSource(Keyed):
    """Tables of photos of the Unsplash dataset, whose images come over HTTP."""

    workers = 16
    # Two rounds of the workers. Here and there a photo is gone; never so many at once.
    patience: int | None = 32

    def __init__(
        self,
        tables: Sequence[Path] | Archive,
        retries: Retries | None = None,
        image_size: int | None = None,
    ) -> None:
        """Name the tables.

        Args:
            tables: photos tables, or folders that hold some; or the archive to get them from.
            retries: what to do about faults that may pass.
            image_size: pixels of the square to ask the host for; None for what CLIP sees.
        """
        self._archive = tables if isinstance(tables, Archive) else None
        self._tables = [] if isinstance(tables, Archive) else list(tables)
        self._downloader = Downloader(retries)
        self._image_size = image_size
        self.bad_rows: Sequence[str] = ()
        if isinstance(tables, Archive):
            # Of any version: a later one brings the collection up to date.
            self.name, self.root = f"Unsplash Lite {tables.version}", "Unsplash Lite"
        else:
            self.name = f"Unsplash {', '.join(table.name for table in tables)}"
            paths = sorted(_printable(resolved(table)) for table in tables)
            self.root = f"Unsplash {', '.join(paths)}"

    def photos(self, tell: Tell = silent) -> Sequence[Photo]:
        """See Source. Of rows with the same id the first one counts."""
        tables = [self._archive.tables(tell)] if self._archive else self._tables
        listing = read_photos(tables)
        self.bad_rows = listing.bad_rows
        return listing.photos

    def read(self, photo: Photo, side: int) -> Image.Image:
        """See Source."""
        side = self._image_size or side
        body = self._downloader.get(sized(photo.url, side))
        return keep_content(decode(BytesIO(body), side), bytes_content(body))

    def holds(self, root: str) -> bool:
        """See Source."""
        return root in (self.root, self.name)

    def compare(
        self, listed: Sequence[Photo], limit: int | None, stored: Stored, tell: Tell
    ) -> Changes:
        """See Source."""
        changes = super().compare(listed, limit, stored, tell)
        if self.bad_rows:
            # Each may have been one of them.
            changes.away = {"rows of the table can't be read": changes.gone}
            changes.gone = []
        return changes


def read_url(url: str, side: int = 400) -> Image.Image:
    """The image behind a `file:` or `sample:` URL of a stored photo.

    Args:
        url: the photo's url.
        side: pixels of the shorter side that will do; a drawing has exactly that many.

    Raises:
        OSError: the file can't be read.
        ValueError: it is no image, or the URL is of another kind.
    """
    if url.startswith("sample:"):
        return draw(scene_from_id(url.removeprefix("sample:")), side)
    if url.startswith("file:"):
        return decode(path_of(url), side)
    raise ValueError(f"{url} is neither a file nor a drawing of the sample")


def _printable(path: Path | str) -> str:
    return os.fsencode(path).decode("utf-8", errors="replace")
