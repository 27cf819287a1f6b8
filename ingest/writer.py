"""Writing what a load brings, blocks of rows and failures, in a thread of its own."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import numpy as np
import numpy.typing as npt

from db.database import Database
from db.failures import Failure
from db.photos import Photo, PhotoTable
from ingest.streak import Skip

BLOCK = 1024  # rows of one INSERT: each makes a part that the engine has to merge


class Writer:
    """Inserts a block while the next one is filled; a third has to wait, so memory stays flat.

    Leaving its context inserts what waits, unless an exception ends it.

    Attributes:
        added: photos that are in the table.
    """

    def __init__(self, database: Database, table: PhotoTable) -> None:
        self.added = 0
        self._database = database
        self._table = table
        self._photos: list[Photo] = []
        self._vectors: list[npt.NDArray[np.float32]] = []
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

    def add(self, photos: Sequence[Photo], vectors: npt.NDArray[np.float32]) -> None:
        """Take n photos and their vectors, float32 (n, 512).

        Raises:
            ExplorerError: a block that was taken before could not be inserted.
        """
        self._photos += photos
        self._vectors.append(vectors)
        if len(self._photos) >= BLOCK:
            self._flush()

    def note(self, skips: Sequence[Skip]) -> Sequence[Skip]:
        """Record skips as failures; returns them."""
        self._failures += [skip.failure() for skip in skips]
        return skips

    def _flush(self) -> None:
        self._wait()
        photos, vectors, failures = self._photos, self._vectors, self._failures
        self._writing = self._thread.submit(self._write, photos, vectors, failures)
        self._photos, self._vectors, self._failures = [], [], []

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()

    def _write(
        self,
        photos: list[Photo],
        vectors: list[npt.NDArray[np.float32]],
        failures: list[Failure],
    ) -> None:
        if photos:
            self._table.add(photos, np.concatenate(vectors))
            self.added += len(photos)
        self._database.failures.add(self._table.name, failures)
