"""What a server does to a photo table's parts by itself: merges and mutations.

They may take longer than anybody waits for an answer: the client's own limit, a gateway's, as the
minute of MyScale Cloud, or a cluster's `distributed_ddl_task_timeout`. The work goes on all the
same, so it is watched.
"""

from collections.abc import Callable

from db.connection import Connection, Parameters
from db.errors import EngineError

_POLL = 1.0  # seconds between two questions
# As often nothing has to be at work until it is taken to be done: one merge may follow another.
_QUIET = 3


class Merges:
    """The work on one photo table.

    Args:
        connection: to its database.
        name: the photo table's.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._stored = {"table": connection.dialect.layout.stored_as(name)}

    def run(
        self,
        statement: str,
        parameters: Parameters = None,
        report: Callable[[], None] | None = None,
        done: Callable[[], bool] | None = None,
    ) -> bool:
        """Run a statement, and wait for its work where its answer is cut off.

        Args:
            statement: in SQL.
            parameters: what is bound in it.
            report: called each time the server is asked whether it is done.
            done: whether it has done all that was asked for, however much is at work besides:
                while another load inserts, there are always merges.

        Returns:
            Whether it was answered. If not, what it was to do may be left undone.

        Raises:
            ExplorerError: it was refused, or the server can't be asked.
        """
        try:
            self._connection.command(statement, parameters)
        except EngineError as error:
            if not error.unfinished:
                raise
        else:
            return True
        self._wait(report, done)
        return False

    def _wait(self, report: Callable[[], None] | None, done: Callable[[], bool] | None) -> None:
        quiet = 0
        while quiet < _QUIET and not (done is not None and done()):
            if report is not None:
                report()
            self._connection.sleep(_POLL)
            quiet = 0 if self._at_work() else quiet + 1

    def _at_work(self) -> bool:
        layout = self._connection.dialect.layout
        table = f"database = {layout.database} AND table = %(table)s"
        # A mutation that fails would be tried for ever, and is no reason to wait.
        running = self._connection.command(
            f"SELECT (SELECT count() FROM {layout.system('merges')} WHERE {table}) + "
            f"(SELECT count() FROM {layout.system('mutations')} WHERE {table} AND NOT is_done "
            "AND latest_fail_reason = '')",
            self._stored,
        )
        return int(running) > 0
