"""Loading photos inside the app's own process, in the background.

The embedded engine belongs to one process, so while the app is open the command line can't reach
it; the app loads for itself instead.
"""

import logging
import time
from threading import Lock, Thread

from db.database import Database
from db.errors import ExplorerError, first_line
from db.thumbnails import Thumbnails
from ingest.pipeline import Order, load
from ingest.report import Progress, Report
from ingest.streak import Skip

_LOG = logging.getLogger(__name__)


class Job:
    """One load in a thread of its own.

    Attributes:
        order: what is loaded.
        progress: how far it is.
        skipped: the photos left out so far.
        report: what it did, once it is done.
        error: one line that says why it stopped, or "".
        started: when, on the clock of `time.monotonic`.
    """

    def __init__(self, order: Order, database: Database, thumbnails: Thumbnails) -> None:
        self.order = order
        self.progress = Progress("Starting")
        self.skipped: list[Skip] = []
        self.report: Report | None = None
        self.error = ""
        self.started = time.monotonic()
        self._database = database
        self._thumbnails = thumbnails
        # A daemon, so that Ctrl-C ends the app; what was inserted stays.
        self._thread = Thread(target=self._run, name=f"load {order.collection}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it early: what was read still comes in."""
        self.order.stop.set()

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is done, at most `timeout` seconds."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            # A connection of its own: an index build would make every page wait.
            database = self._database.again()
            try:
                self.report = load(
                    self.order, database, self._thumbnails, self._tell, self.skipped.append
                )
            finally:
                database.close()
        except ExplorerError as error:
            self.error = str(error)
        except Exception as error:  # noqa: BLE001 -- nobody else hears what a thread raises
            _LOG.exception("loading %s failed", self.order.collection)
            self.error = (
                f"Loading {self.order.collection} stopped: {first_line(error)}. "
                "What is in it stays; load it again to go on"
            )

    def _tell(self, progress: Progress) -> None:
        self.progress = progress


class Loader:
    """Runs one job at a time."""

    def __init__(self, database: Database, thumbnails: Thumbnails) -> None:
        self._database = database
        self._thumbnails = thumbnails
        self._lock = Lock()
        self.job: Job | None = None

    @property
    def running(self) -> bool:
        """Whether a job is at work."""
        return self.job is not None and self.job.running

    def start(self, order: Order) -> Job:
        """Start a job.

        Raises:
            ExplorerError: another one is still at work.
        """
        with self._lock:
            if self.job is not None and self.job.running:
                raise ExplorerError(
                    f"{self.job.order.collection} is being loaded: wait until that is done"
                )
            self.job = Job(order, self._database, self._thumbnails)
            return self.job
