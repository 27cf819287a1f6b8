"""Laying a collection out in the background, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Lock

import numpy as np

from classifier.background import BackgroundJob, OneAtATime
from classifier.map.layout import Matrix, Places
from db.collections import Collection
from db.database import Database
from db.errors import ExplorerError
from db.maps import MOST, Maps, PhotoMap
from db.settings import ROOT

# One core: the others are for the app.
_ONE_CORE = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}


class MapJob(BackgroundJob):
    """One collection on its way to its map.

    Attributes:
        collection: whose photos are laid out.
        done: the share of the work, from 0 to 1.
    """

    def __init__(
        self, database: Database, maps: Maps, collection: Collection, by: str = ""
    ) -> None:
        super().__init__(f"the map of {collection.name}", by)
        self.collection = collection
        self.done = 0.0
        self._database = database
        self._maps = maps
        self._stop = Event()
        self._process: subprocess.Popen[str] | None = None
        self._lock = Lock()

    def stop(self) -> None:
        """End it; an earlier map stays."""
        with self._lock:
            self._stop.set()
            if self._process is not None:
                self._process.kill()

    @property
    def at_work(self) -> str:
        """See BackgroundJob."""
        return f"{self.collection.name} is being laid out"

    def _work(self) -> None:
        # With a connection of its own: the page is not to wait.
        with closing(self._database.again()) as database:
            photos = database.collections.photos(self.collection)
            ids, vectors = photos.sample_with_ids(MOST)
        if not ids:
            raise ExplorerError(
                f"{self.collection.name} holds no photos: load some before it is laid out"
            )
        places = self._laid_out(vectors)
        if places is not None:
            self._maps.put(self.collection, PhotoMap(ids, places))

    def _stopped(self, why: str) -> str:
        return f"{self.collection.name} could not be laid out: {why}. Try again"

    def _laid_out(self, vectors: Matrix) -> Places | None:
        """The places of vectors; None where it was stopped."""
        with TemporaryDirectory(prefix="map-") as folder:
            source, target = Path(folder) / "vectors.npy", Path(folder) / "places.npy"
            np.save(source, vectors)
            with (Path(folder) / "errors").open("w+") as errors:
                process = self._started([str(source), str(target)], errors.fileno())
                if process is None:
                    return None
                with process:
                    for line in process.stdout or ():
                        self.done = float(line)
                if self._stop.is_set():
                    return None
                if process.returncode:
                    errors.seek(0)
                    said = errors.read().strip().splitlines() or [f"exit {process.returncode}"]
                    raise ExplorerError(
                        f"{self.collection.name} could not be laid out: {said[-1]}. Try again, or "
                        "see that there is enough memory"
                    )
            places: Places = np.load(target)
            return places

    def _started(self, files: list[str], errors: int) -> "subprocess.Popen[str] | None":
        environment: Mapping[str, str] = {**os.environ, **_ONE_CORE}
        with self._lock:
            if self._stop.is_set():
                return None
            self._process = subprocess.Popen(  # noqa: S603 -- this very Python, and own files
                [sys.executable, "-m", "classifier.map", *files],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
            return self._process


class Mapper(OneAtATime[MapJob]):
    """Lays one collection out at a time.

    Attributes:
        maps: those that are stored.
    """

    def __init__(self, database: Database, maps: Maps) -> None:
        super().__init__()
        self.maps = maps
        self._database = database

    def start(self, collection: Collection, by: str = "") -> MapJob:
        """Start a job, which somebody ordered.

        Raises:
            ExplorerError: another one is still at work.
        """
        return self._begin(lambda: MapJob(self._database, self.maps, collection, by))
