"""The vector index of a photo table: how far it is, building it, and taking it away."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from db.connection import Connection
from db.dialect import DIMENSION
from db.errors import ExplorerError
from db.names import checked_name

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class IndexState:
    """The vector index of a table.

    Attributes:
        state: `none`, `building`, `built` or `failed`.
        detail: why it failed, or the kind of index where the engine has several, or "".
        progress: 0 to 1 while it is built, or None where the engine doesn't tell.
    """

    state: str
    detail: str = ""
    progress: float | None = None


class VectorIndex:
    """One photo table's index.

    Args:
        connection: to the table's database.
        name: of the photo table.
        dimension: numbers a vector.
    """

    def __init__(self, connection: Connection, name: str, dimension: int = DIMENSION) -> None:
        self._name = checked_name(name)
        self._dimension = dimension
        self._connection = connection
        self._dialect = connection.dialect
        self._stored = {"table": connection.dialect.layout.stored_as(name)}

    def state(self) -> IndexState:
        """How far it is."""
        rows = self._connection.rows(self._dialect.index_state(), self._stored)
        return IndexState(**rows[0]) if rows else IndexState("none")

    def build(self, report: Callable[[IndexState], None] | None = None, poll: float = 0.1) -> None:
        """Build it if it isn't there or has failed, and wait for it.

        An engine without such indexes is left as it is: its searches are exact.

        Args:
            report: called with the state each time it is asked for.
            poll: seconds between two questions.

        Raises:
            ExplorerError: the engine says that the build failed.
        """
        if not self._dialect.has_index:
            return
        state = self.state()
        statements = self._dialect.build_index(self._name, self._dimension)
        if state.state == "failed":
            statements = [*self._dialect.drop_index(self._name), *statements]
        if state.state in ("none", "failed") or (state.state == "built" and self.is_masked()):
            state = self._start(statements)
        while state.state != "built":
            if state.state == "failed":
                raise ExplorerError(
                    f"The vector index of {self._name} could not be built: {state.detail}. "
                    "Searching works without it, slowly; load the collection again to have it "
                    "built anew"
                )
            if report is not None:
                report(state)
            time.sleep(poll)
            state = self.state()

    def drop(self) -> None:
        """Take it away before many rows change: each change would build it anew.

        Searches are exact until `build`.
        """
        if self._dialect.has_index and self.state().state != "none":
            for statement in self._dialect.drop_index(self._name):
                self._connection.command(statement)

    def is_masked(self) -> bool:
        """Whether rows were deleted behind the index's back: it would go on finding them."""
        sql = self._dialect.masked()
        return bool(sql) and int(self._connection.command(sql, self._stored)) > 0

    def _start(self, statements: Sequence[str]) -> IndexState:
        try:
            for statement in statements:
                self._run(statement)
        except ExplorerError:
            state = self.state()
            if state.state not in ("building", "built"):
                raise
            # Another load has started it meanwhile, so this one can't.
            return state
        return self.state()

    def _run(self, statement: str) -> None:
        """Run a statement, or what the engine's dialect has instead of one that is refused."""
        try:
            self._connection.command(statement)
        except ExplorerError as error:
            for said, (refused, instead) in self._dialect.substitutes.items():
                if said in str(error):
                    _LOG.warning("This server has no %s: %s gets %s", refused, self._name, instead)
                    self._connection.command(statement.replace(refused, instead))
                    return
            raise
