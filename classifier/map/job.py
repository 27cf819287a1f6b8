"""Laying a collection out in the background, in a process of its own."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Lock, Thread

import numpy as np

from classifier.map.layout import Matrix, Places
from db.collections import Collection
from db.database import Database
from db.errors import ExplorerError, first_line
from db.maps import Maps, PhotoMap, vectors_of
from db.settings import ROOT

_LOG = logging.getLogger(__name__)
# One core: the others are for the app.
_ONE_CORE = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}


class MapJob:
    """One collection on its way to its map.

    Attributes:
        collection: whose photos are laid out.
        done: the share of the work, from 0 to 1.
        error: one line that says why there is no map, or "".
        started: when, on the clock of `time.monotonic`.
    """

    def __init__(self, database: Database, maps: Maps, collection: Collection) -> None:
        self.collection = collection
        self.done = 0.0
        self.error = ""
        self.started = time.monotonic()
        self._database = database
        self._maps = maps
        self._stop = Event()
        self._process: subprocess.Popen[str] | None = None
        self._lock = Lock()
        self._thread = Thread(target=self._run, name=f"map of {collection.name}", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End it; an earlier map stays."""
        with self._lock:
            self._stop.set()
            if self._process is not None:
                self._process.kill()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is done, at most `timeout` seconds."""
        self._thread.join(timeout)

    def _run(self) -> None:
        name = self.collection.name
        try:
            # With a connection of its own: the page is not to wait.
            database = self._database.again()
            try:
                ids, vectors = vectors_of(database.connection, name)
            finally:
                database.close()
            places = self._laid_out(vectors)
            if places is not None:
                self._maps.put(self.collection, PhotoMap(ids, places))
        except ExplorerError as error:
            self.error = str(error)
        except Exception as error:  # noqa: BLE001 -- nobody else hears what a thread raises
            _LOG.exception("the map of %s failed", name)
            self.error = f"{name} could not be laid out: {first_line(error)}. Try again"

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


class Mapper:
    """Lays one collection out at a time.

    Attributes:
        maps: those that are stored.
        job: the latest one, or None.
    """

    def __init__(self, database: Database, maps: Maps) -> None:
        self.maps = maps
        self.job: MapJob | None = None
        self._database = database
        self._lock = Lock()

    def start(self, collection: Collection) -> MapJob:
        """Start a job.

        Raises:
            ExplorerError: another one is still at work.
        """
        with self._lock:
            if self.job is not None and self.job.running:
                raise ExplorerError(
                    f"{self.job.collection.name} is being laid out: wait until that is done"
                )
            self.job = MapJob(self._database, self.maps, collection)
            return self.job
