"""Loading photos inside the app's own process, in the background.

The embedded engine belongs to one process, so while the app is open the command line can't reach
it; the app loads for itself instead.
"""

from collections.abc import Callable
from contextlib import closing

from classifier.background import BackgroundJob, OneAtATime
from db.database import Database
from db.errors import ExplorerError
from db.thumbnails import Thumbnails
from ingest.pipeline import Order, load
from ingest.report import Progress, Report
from ingest.streak import Skip

MOST = 20  # loads that wait


class Job(BackgroundJob):
    """One load; what was inserted stays, whatever ends it.

    Attributes:
        order: what is loaded.
        progress: how far it is.
        skipped: the photos left out so far.
        report: what it did, once it is done.
    """

    def __init__(
        self,
        order: Order,
        database: Database,
        thumbnails: Thumbnails,
        by: str,
        then: Callable[[], None],
    ) -> None:
        """Prepare it.

        Args:
            order: what to load.
            database: where to.
            thumbnails: of all its photos.
            by: who ordered it, or "".
            then: called when it is done, however it ended.
        """
        super().__init__(f"loading {order.collection}", by)
        self.order = order
        self.progress = Progress("Starting")
        self.skipped: list[Skip] = []
        self.report: Report | None = None
        self._database = database
        self._thumbnails = thumbnails
        self._then = then

    def stop(self) -> None:
        """End it early: what was read still comes in."""
        self.order.stop.set()

    @property
    def at_work(self) -> str:
        """See BackgroundJob."""
        return f"{self.order.collection} is being loaded"

    def _work(self) -> None:
        # A connection of its own: an index build would make every page wait.
        try:
            with closing(self._database.again()) as database:
                self.report = load(
                    self.order, database, self._thumbnails, self._tell, self.skipped.append
                )
        finally:
            self._then()

    def _stopped(self, why: str) -> str:
        return (
            f"Loading {self.order.collection} stopped: {why}. "
            "What is in it stays; load it again to go on"
        )

    def _tell(self, progress: Progress) -> None:
        self.progress = progress


class Loader(OneAtATime[Job]):
    """Runs one load at a time; others wait in line.

    Attributes:
        waiting: those that come after the latest one, the next one first.
    """

    def __init__(self, database: Database, thumbnails: Thumbnails) -> None:
        super().__init__()
        self.waiting: tuple[Job, ...] = ()
        self._database = database
        self._thumbnails = thumbnails
        self._busy = False

    def start(self, order: Order, by: str = "") -> Job:
        """Begin a load, or have it wait until those before it are done.

        Raises:
            ExplorerError: the same is waiting already, or too many are.
        """
        job = Job(order, self._database, self._thumbnails, by, self._next)
        with self._lock:
            if not self._busy:
                self._take_up(job)
                return job
            what = (order.source.name, order.collection)
            if any((w.order.source.name, w.order.collection) == what for w in self.waiting):
                raise ExplorerError(
                    f"{order.collection} from {order.source.name} is in line already: wait for it"
                )
            if len(self.waiting) >= MOST:
                raise ExplorerError(f"{MOST} loads are in line already: wait for some of them")
            self.waiting = (*self.waiting, job)
        return job

    def stop(self, job: Job) -> None:
        """End a load early, or take it out of the line."""
        with self._lock:
            self.waiting = tuple(each for each in self.waiting if each is not job)
        job.stop()

    def _take_up(self, job: Job) -> None:
        self._busy, self.job = True, job
        job.begin()

    def _next(self) -> None:
        with self._lock:
            self._busy = False
            if self.waiting:
                job, *rest = self.waiting
                self.waiting = tuple(rest)
                self._take_up(job)
