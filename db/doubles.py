"""Rows of a photo table that came twice."""

import logging
from collections.abc import Callable

from db.connection import Connection
from db.merges import Merges
from db.names import quoted
from db.vector_index import VectorIndex

_LOG = logging.getLogger(__name__)

_TRIES = 3  # while another load goes on, rows may come twice again


class Doubles:
    """One photo table's.

    Args:
        connection: to its database.
        name: the table's.
        index: its vector index.
    """

    def __init__(self, connection: Connection, name: str, index: VectorIndex) -> None:
        self._connection = connection
        self._name = name
        self._index = index

    def count(self) -> int:
        """How many rows are too many."""
        sql = f"SELECT count() - uniqExact(id) FROM {quoted(self._name)}"
        return int(self._connection.command(sql))

    def drop(self, report: Callable[[], None] | None = None) -> None:
        """Leave each photo once, and the table without its index if there were doubles.

        Args:
            report: called now and then, where it takes long.
        """
        statement = self._connection.dialect.deduplicate(self._name)
        for _ in range(_TRIES):
            if not self.count():
                return
            self._index.drop()  # it would go on as if no row had gone
            merges = Merges(self._connection, self._name)
            merges.run(statement, report=report, done=lambda: not self.count())
        if left := self.count():
            _LOG.warning(
                "%s rows of %s are there twice: load it again once no other load is at work",
                f"{left:,}",
                self._name,
            )
