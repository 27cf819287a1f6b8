"""Putting photos into a folder inside the app's own process, in the background."""

from threading import Event

from classifier.background import BackgroundJob, OneAtATime
from classifier.exports.folder import Export, Fetch, Order, Report


class FolderJob(BackgroundJob):
    """One export; what was written stays, whatever ends it.

    Attributes:
        order: what goes where.
        report: what it did, once it is done.
    """

    def __init__(self, order: Order, fetch: Fetch, by: str = "") -> None:
        super().__init__(f"the export to {order.folder}", by)
        self.order = order
        self.report: Report | None = None
        self._stop = Event()
        self._export = Export(order, fetch, self._stop)

    @property
    def done(self) -> int:
        """How many photos were dealt with."""
        return self._export.done

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End it early: what was begun is still written."""
        self._stop.set()

    @property
    def at_work(self) -> str:
        """See BackgroundJob."""
        return f"Photos are being written to {self.order.folder}"

    def _work(self) -> None:
        self.report = self._export.run()

    def _stopped(self, why: str) -> str:
        return (
            f"Writing to {self.order.folder} stopped: {why}. What is there stays; start it again "
            "to go on"
        )


class Exporter(OneAtATime[FolderJob]):
    """Runs one export at a time."""

    def start(self, order: Order, fetch: Fetch, by: str = "") -> FolderJob:
        """Start a job, which somebody ordered.

        Raises:
            ExplorerError: another one is still at work.
        """
        return self._begin(lambda: FolderJob(order, fetch, by))
