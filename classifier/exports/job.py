"""Putting photos into a folder inside the app's own process, in the background."""

import logging
import time
from threading import Event, Lock, Thread

from classifier.exports.folder import Export, Fetch, Order, Report
from db.errors import ExplorerError, first_line

_LOG = logging.getLogger(__name__)


class FolderJob:
    """One export in a thread of its own.

    Attributes:
        order: what goes where.
        report: what it did, once it is done.
        error: one line that says why it stopped, or "".
        started: when, on the clock of `time.monotonic`.
    """

    def __init__(self, order: Order, fetch: Fetch) -> None:
        self.order = order
        self.report: Report | None = None
        self.error = ""
        self.started = time.monotonic()
        self._stop = Event()
        self._export = Export(order, fetch, self._stop)
        # A daemon, so that Ctrl-C ends the app; what was written stays.
        self._thread = Thread(target=self._run, name=f"export to {order.folder}", daemon=True)
        self._thread.start()

    @property
    def done(self) -> int:
        """How many photos were dealt with."""
        return self._export.done

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End it early: what was begun is still written."""
        self._stop.set()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is done, at most `timeout` seconds."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self.report = self._export.run()
        except ExplorerError as error:
            self.error = str(error)
        except Exception as error:  # noqa: BLE001 -- nobody else hears what a thread raises
            _LOG.exception("the export to %s failed", self.order.folder)
            self.error = (
                f"Writing to {self.order.folder} stopped: {first_line(error)}. What is there "
                "stays; start it again to go on"
            )


class Exporter:
    """Runs one job at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.job: FolderJob | None = None

    @property
    def running(self) -> bool:
        """Whether a job is at work."""
        return self.job is not None and self.job.running

    def start(self, order: Order, fetch: Fetch) -> FolderJob:
        """Start a job.

        Raises:
            ExplorerError: another one is still at work.
        """
        with self._lock:
            if self.job is not None and self.job.running:
                raise ExplorerError(
                    f"Photos are being written to {self.job.order.folder}: wait until that is done"
                )
            self.job = FolderJob(order, fetch)
            return self.job
