"""Work inside the app's own process, in the background: one job of a kind at a time."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from threading import Lock, Thread
from typing import Generic, TypeVar

from db.errors import ExplorerError, first_line

_LOG = logging.getLogger(__name__)


class BackgroundJob(ABC):
    """One job in a thread of its own.

    Attributes:
        error: one line that says why it stopped, or "".
        by: who ordered it, or "".
        started: when it was begun, on the clock of `time.monotonic`.
    """

    def __init__(self, name: str, by: str = "") -> None:
        """Prepare it.

        Args:
            name: what it does, as the subject of a sentence.
            by: who ordered it.
        """
        self.error = ""
        self.by = by
        self.started = time.monotonic()
        self._name = name
        # A daemon, so that Ctrl-C ends the app.
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def begin(self) -> None:
        """Start the thread."""
        self.started = time.monotonic()
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is done, at most `timeout` seconds."""
        self._thread.join(timeout)

    @property
    @abstractmethod
    def at_work(self) -> str:
        """A sentence that says what it is doing, without its end."""

    @abstractmethod
    def _work(self) -> None:
        """Do it.

        Raises:
            ExplorerError: it can't be done; the text is the job's error.
        """

    @abstractmethod
    def _stopped(self, why: str) -> str:
        """The job's error where a fault of the program stopped it."""

    def _run(self) -> None:
        try:
            self._work()
        except ExplorerError as error:
            self.error = str(error)
        except Exception as error:  # noqa: BLE001 -- nobody else hears what a thread raises
            _LOG.exception("%s failed", self._name)
            self.error = self._stopped(first_line(error))


Job = TypeVar("Job", bound=BackgroundJob)


class OneAtATime(Generic[Job]):
    """Runs one job of a kind at a time.

    Attributes:
        job: the latest one, or None.
    """

    def __init__(self) -> None:
        self.job: Job | None = None
        self._lock = Lock()

    @property
    def running(self) -> bool:
        """Whether a job is at work."""
        return self.job is not None and self.job.running

    def _begin(self, make: Callable[[], Job]) -> Job:
        """Make a job and start it.

        Raises:
            ExplorerError: another one is still at work.
        """
        with self._lock:
            if self.job is not None and self.job.running:
                raise ExplorerError(f"{self.job.at_work}: wait until that is done")
            job = make()
            job.begin()
            self.job = job
            return job
