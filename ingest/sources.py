"""Where photos come from: the drawn sample, a folder, or a table of the Unsplash dataset."""

import csv
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote_to_bytes, urlsplit

import pandas as pd
from PIL import Image

from db import thumbnails
from db.errors import ExplorerError, first_line
from db.photos import Photo
from db.settings import typed_path
from ingest.download import Downloader, sized
from ingest.images import decode
from ingest.retry import Retries
from ingest.sample.captions import describe
from ingest.sample.drawing import draw
from ingest.sample.scenes import PICTURE_SIDE, SAMPLE_SIZE, compose, scene_from_id
from ingest.sample.studio import Studio, studio

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})


class Source(Protocol):
    """A list of photos, and how to read one.

    Attributes:
        name: what it is, in words.
        workers: how many photos to read at once, in threads; 0 where reading is Python code, which
            threads don't make faster, while the encoder has to wait for each of them.
        patience: how many photos in a row may fail before the host behind them is taken for down;
            None where there is no host.
    """

    name: str
    workers: int
    patience: int | None

    def photos(self) -> Sequence[Photo]:
        """All photos, each id once, always in the same order.

        Raises:
            ExplorerError: the source as a whole can't be read.
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


class SampleSource:
    """Scenes drawn in code: a collection for a machine that reaches no photo."""

    name = "drawn scenes"
    workers = 0
    patience: int | None = None
    _studio: Studio | None = None

    def photos(self) -> Sequence[Photo]:
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

    def changed(self, _photo: Photo, _since: datetime) -> bool:
        """See Source."""
        return False


class FolderSource:
    """Every image below a folder."""

    workers = 4
    patience: int | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = (typed_path(str(folder)) or folder).resolve()
        self.name = f"folder {_printable(self.folder)}"

    def photos(self) -> Sequence[Photo]:
        """See Source. The id is a hash of the path; the folders' names become keywords."""
        if not self.folder.is_dir():
            raise ExplorerError(f"{self.folder} is not a folder: give one that holds images")
        found = [self._photo(path) for path in _image_files(self.folder)]
        if not found:
            endings = " ".join(sorted(SUFFIXES))
            raise ExplorerError(f"{self.folder} holds no images (looked for {endings})")
        return found

    def ahead(self, _photos: Sequence[Photo]) -> AbstractContextManager[None]:
        """See Source. Threads are ahead enough."""
        return nullcontext()

    def read(self, photo: Photo, side: int) -> Image.Image:
        """See Source. It does for a thumbnail too, which is cut while the image is open."""
        return decode(_path_of(photo.url), max(side, thumbnails.SIDE))

    def changed(self, photo: Photo, since: datetime) -> bool:
        """See Source. The time of the file's status tells: no program sets it back."""
        try:
            return _path_of(photo.url).stat().st_ctime >= since.timestamp()
        except OSError:
            return True

    def _photo(self, path: Path) -> Photo:
        inside = path.relative_to(self.folder)
        return Photo(
            id=hashlib.blake2b(os.fsencode(path), digest_size=12).hexdigest(),
            url=path.as_uri(),
            description=_printable(inside),
            keywords=tuple(_printable(Path(part)) for part in inside.parts[:-1]),
        )


class UnsplashSource:
    """Tables of photos of the Unsplash dataset, whose images come over HTTP."""

    workers = 16
    # Two rounds of the workers. Here and there a photo is gone; never so many at once.
    patience: int | None = 32

    def __init__(self, tables: Sequence[Path], retries: Retries | None = None) -> None:
        """Name the tables.

        Args:
            tables: files.
            retries: what to do about faults that may pass.
        """
        self._tables = [typed_path(str(table)) or table for table in tables]
        self._downloader = Downloader(retries)
        self.name = "Unsplash " + ", ".join(table.name for table in self._tables)

    def photos(self) -> Sequence[Photo]:
        """See Source. Of rows with the same id the first one counts."""
        by_id: dict[str, Photo] = {}
        for table in self._tables:
            for photo in _read_table(table):
                by_id.setdefault(photo.id, photo)
        return list(by_id.values())

    def ahead(self, _photos: Sequence[Photo]) -> AbstractContextManager[None]:
        """See Source. Threads are ahead enough."""
        return nullcontext()

    def read(self, photo: Photo, side: int) -> Image.Image:
        """See Source."""
        return decode(BytesIO(self._downloader.get(sized(photo.url, side))), side)

    def changed(self, _photo: Photo, _since: datetime) -> bool:
        """See Source. An address of Unsplash's keeps its photo."""
        return False


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
        return decode(_path_of(url), side)
    raise ValueError(f"{url} is neither a file nor a drawing of the sample")


def _image_files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        # Sorted, so that --limit takes the same photos each time; hidden ones are not photos.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield Path(parent) / name


def _path_of(url: str) -> Path:
    return Path(os.fsdecode(unquote_to_bytes(urlsplit(url).path)))


def _printable(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", errors="replace")


def _read_table(path: Path) -> Iterator[Photo]:
    rows = _read_rows(path)
    missing = [name for name in ("photo_id", "photo_image_url") if name not in rows.columns]
    if missing:
        raise ExplorerError(
            f"{path} has no column {' and no column '.join(missing)}: it has "
            f"{', '.join(rows.columns)}. Give the photos table of the Unsplash dataset"
        )
    for row in rows.to_dict("records"):
        if row["photo_id"]:
            yield _to_photo({str(name): str(value) for name, value in row.items()})


def _read_rows(path: Path) -> pd.DataFrame:
    try:
        with path.open(encoding="utf-8-sig") as file:
            delimiter = "\t" if "\t" in file.readline() else ","
        return pd.read_csv(
            path,
            sep=delimiter,
            dtype=str,
            # Else rows that are longer than the header would have their id taken for an index.
            index_col=False,
            encoding="utf-8-sig",
            # Namibia's code is NA, and a photographer may be called None.
            keep_default_na=False,
            quoting=csv.QUOTE_MINIMAL,
        )
    except (OSError, ValueError) as error:
        raise ExplorerError(
            f"Can't read {path}: {first_line(error)}. Give a photos table of the Unsplash "
            "dataset, such as photos.tsv000"
        ) from error


def _to_photo(row: dict[str, str]) -> Photo:
    username = row.get("photographer_username", "")
    names = (row.get("photographer_first_name", ""), row.get("photographer_last_name", ""))
    return Photo(
        id=row["photo_id"],
        url=row["photo_image_url"],
        page=row.get("photo_url", ""),
        photographer=" ".join(filter(None, names)) or username,
        photographer_url=f"https://unsplash.com/@{username}" if username else "",
        description=row.get("photo_description", "") or row.get("ai_description", ""),
        width=_to_pixels(row.get("photo_width", "")),
        height=_to_pixels(row.get("photo_height", "")),
        country=row.get("photo_location_country", ""),
    )


def _to_pixels(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
