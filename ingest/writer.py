"""Writing what a load brings, blocks of rows and failures, in a thread of its own."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import numpy as np
import numpy.typing as npt

from db.contents import Content
from db.database import Database
from db.failures import Failure
from db.photo import Photo
from db.photos import PhotoTable
from db.rows import Rows
from ingest.streak import Skip

PERIOD = 8.0  # seconds after which a block is inserted though it isn't full
BLOCK = 1024  # rows of one INSERT: each makes a part that the engine has to merge


class Writer:
    """Inserts a block while the next one is filled; a third has to wait, so memory stays flat.

    Leaving its context inserts what waits, unless an exception ends it.

    Attributes:
        added: photos that are in the table and were not before.
        changed: photos that took the place of what they were.
    """

    def __init__(
        self,
        database: Database,
        table: PhotoTable,
        stored: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with nothing.

        Args:
            database: where to write.
            table: the photos'.
            stored: ids of photos that are in the table already, and will be replaced.
            clock: in seconds; never goes back.
        """
        self._clock = clock
        self._since: float | None = None
        self.added = self.changed = 0
        self._stored = frozenset(stored)
        self._database = database
        self._table = table
        self._photos: list[Photo] = []
        self._vectors: list[npt.NDArray[np.float32]] = []
        self._contents: dict[str, Content] = {}
        self._failures: list[Failure] = []
        self._thread = ThreadPoolExecutor(1, "writer")
        self._writing: Future[None] | None = None

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._flush()
                self._wait()
        finally:
            self._thread.shutdown()

    def expect(self) -> None:
        """Say that something was read, which a kill would lose until it is inserted."""
        if self._since is None:
            self._since = self._clock()

    @property
    def is_due(self) -> bool:
        """Whether something has waited for so long that it should be inserted now."""
        return self._since is not None and self._clock() - self._since >= PERIOD

    def add(
        self,
        photos: Sequence[Photo],
        vectors: npt.NDArray[np.float32],
        contents: Mapping[str, Content],
    ) -> None:
        """Take n photos, their vectors, float32 (n, 512), and what was read of each, by id.

        Raises:
            ExplorerError: a block that was taken before could not be inserted.
        """
        self._photos += photos
        self._vectors.append(vectors)
        self._contents.update(contents)
        if len(self._photos) >= BLOCK or self.is_due:
            self._flush()

    def note(self, skips: Sequence[Skip]) -> Sequence[Skip]:
        """Record skips as failures; returns them."""
        self._failures += [skip.failure() for skip in skips]
        if skips:
            self.expect()
        return skips

    def _flush(self) -> None:
        self._wait()
        block = (self._photos, self._vectors, self._contents, self._failures)
        self._writing = self._thread.submit(self._write, *block)
        self._photos, self._vectors, self._contents, self._failures = [], [], {}, []
        self._since = None

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()

    def _write(
        self,
        photos: list[Photo],
        vectors: list[npt.NDArray[np.float32]],
        contents: dict[str, Content],
        failures: list[Failure],
    ) -> None:
        if photos:
            self._write_photos(photos, np.concatenate(vectors))
        # After the photos: what is recorded is surely there.
        self._database.contents.add(self._table.name, contents)
        self._database.failures.add(self._table.name, failures)

    def _write_photos(self, photos: list[Photo], vectors: npt.NDArray[np.float32]) -> None:
        stored = np.array([photo.id in self._stored for photo in photos])
        new = [photo for photo in photos if photo.id not in self._stored]
        changed = [photo for photo in photos if photo.id in self._stored]
        self._table.add(new, vectors[~stored])
        self.added += len(new)
        if changed:
            Rows(self._database.connection, self._table).replace(changed, vectors[stored])
            self.changed += len(changed)
