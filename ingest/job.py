"""Loading photos inside the app's own process, in the background.

The embedded engine belongs to one process, so while the app is open the command line can't reach
it; the app loads for itself instead.
"""

from contextlib import closing

from classifier.background import BackgroundJob, OneAtATime
from db.database import Database
from db.thumbnails import Thumbnails
from ingest.pipeline import Order, load
from ingest.report import Progress, Report
from ingest.streak import Skip


class Job(BackgroundJob):
    """One load; what was inserted stays, whatever ends it.

    Attributes:
        order: what is loaded.
        progress: how far it is.
        skipped: the photos left out so far.
        report: what it did, once it is done.
    """

    def __init__(self, order: Order, database: Database, thumbnails: Thumbnails) -> None:
        super().__init__(f"loading {order.collection}")
        self.order = order
        self.progress = Progress("Starting")
        self.skipped: list[Skip] = []
        self.report: Report | None = None
        self._database = database
        self._thumbnails = thumbnails

    def stop(self) -> None:
        """End it early: what was read still comes in."""
        self.order.stop.set()

    @property
    def at_work(self) -> str:
        """See BackgroundJob."""
        return f"{self.order.collection} is being loaded"

    def _work(self) -> None:
        # A connection of its own: an index build would make every page wait.
        with closing(self._database.again()) as database:
            self.report = load(
                self.order, database, self._thumbnails, self._tell, self.skipped.append
            )

    def _stopped(self, why: str) -> str:
        return (
            f"Loading {self.order.collection} stopped: {why}. "
            "What is in it stays; load it again to go on"
        )

    def _tell(self, progress: Progress) -> None:
        self.progress = progress


class Loader(OneAtATime[Job]):
    """Runs one load at a time."""

    def __init__(self, database: Database, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._database = database
        self._thumbnails = thumbnails

    def start(self, order: Order) -> Job:
        """Start a job.

        Raises:
            ExplorerError: another one is still at work.
        """
        return self._begin(lambda: Job(order, self._database, self._thumbnails))
