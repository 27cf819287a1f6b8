"""The vector index of a photo table: how far it is, building it, and taking it away."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from db.connection import Connection
from db.dialect import DIMENSION
from db.errors import EngineError, ExplorerError
from db.merges import Merges
from db.names import checked_name, quoted
from db.search import Search, Vector

_LOG = logging.getLogger(__name__)

_STARTS = 3  # another load may take the index away that this one has started
_TRIES = 3  # or start the one that this one takes away
# Photos by which a wrong index is known, most of which a right one finds: it may miss one, and a
# wrong one hits upon one of two that are the same picture.
_ASKED_FOR = 5
_SAME = 1e-4  # how far the numbers of one vector may be apart


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
        self._merges = Merges(connection, name)
        self._refused = False
        self._stored = {"table": connection.dialect.layout.stored_as(name)}

    def state(self) -> IndexState:
        """How far it is."""
        rows = self._connection.rows(self._dialect.index_state(), self._stored)
        return IndexState(**rows[0]) if rows else IndexState("none")

    def build(self, report: Callable[[IndexState], None] | None = None, poll: float = 0.1) -> None:
        """Build it if it isn't there, has failed or finds the wrong photos, and wait for it.

        An engine without such indexes is left as it is: its searches are exact.

        Args:
            report: called with the state each time it is asked for.
            poll: seconds between two questions.

        Raises:
            ExplorerError: the engine says that the build failed, or somebody took the index away.
        """
        if not self._dialect.has_index or self._refused:
            return
        state = self._made_ready(report)
        starts = 0
        while state.state != "built":
            if state.state == "failed":
                raise ExplorerError(
                    f"The vector index of {self._name} could not be built: {state.detail}. "
                    "Searching works without it, slowly; load the collection again to have it "
                    "built anew"
                )
            if state.state == "none":
                if starts == _STARTS:
                    raise ExplorerError(_taken_away(self._name))
                starts += 1
                if not self._start(report, last=starts == _STARTS):
                    return
            else:
                _tell(report, state)
                time.sleep(poll)
            state = self.state()
            # Another load may have dropped doubles while it was built.
            if self._is_wrong(state):
                self._take_wrong_away()
                state = IndexState("none")

    def drop(self) -> None:
        """Take it away before many rows change: each change would build it anew.

        Searches are exact until `build`.
        """
        if self._dialect.has_index and self.state().state != "none":
            self._take_away()

    def drop_if_wrong(self) -> bool:
        """Take it away where it finds other photos than it was asked for; whether it did.

        An engine that hands an index on to a merged part may have mixed up its rows: in a merge
        that somebody asked for, in an earlier version of the explorer, or in one of its faults.
        Photos at the end of the table, whose places are off wherever any are, are looked for by
        their own vectors.
        """
        if not self._dialect.carries_index or not self._is_wrong(self.state()):
            return False
        self._take_wrong_away()
        return True

    def _is_wrong(self, state: IndexState) -> bool:
        carried = state.state == "built" and self._dialect.carries_index
        return carried and not self._finds_itself()

    def _take_wrong_away(self) -> None:
        _LOG.warning(
            "The vector index of %s found the wrong photos and was taken away: searches are exact "
            "until a load has built it anew",
            self._name,
        )
        self._take_away()

    def _take_away(self) -> None:
        for left in reversed(range(_TRIES)):
            try:
                for statement in self._dialect.drop_index(self._name):
                    self._merges.run(statement)
            except EngineError:
                # Another load may have taken it away meanwhile, or started it once more.
                if self.state().state == "none":
                    return
                if not left:
                    raise
            else:
                return

    def _finds_itself(self) -> bool:
        table = quoted(self._name)
        rows = self._connection.arrow(
            f"SELECT vector FROM {table} ORDER BY id DESC LIMIT {_ASKED_FOR}"
        )
        wanted = [np.asarray(row, dtype=np.float32) for row in rows.column("vector").to_pylist()]
        found = sum(self._finds(vector) for vector in wanted)
        return not wanted or 2 * found > len(wanted)

    def _finds(self, vector: Vector) -> bool:
        search = Search(self._name, ("id", "url"), vector, 1, _ASKED_FOR)
        found = self._connection.arrow(self._dialect.searches(search)[0].sql)
        return any(
            np.abs(np.asarray(row, dtype=np.float32) - vector).max() < _SAME
            for row in found.column("vector").to_pylist()
        )

    def is_masked(self) -> bool:
        """Whether rows were deleted behind the index's back: it would go on finding them."""
        sql = self._dialect.masked()
        return bool(sql) and int(self._connection.command(sql, self._stored)) > 0

    def _made_ready(self, report: Callable[[IndexState], None] | None) -> IndexState:
        """Take away what can't be used; returns the state that is left."""
        state = self.state()
        if state.state == "failed":
            self._take_away()
        elif state.state == "built" and self.is_masked():
            self._take_away()
            self._run(self._dialect.merge_anew(self._name), report)
        elif self._is_wrong(state):
            self._take_wrong_away()
        else:
            return state
        return IndexState("none")

    def _start(self, report: Callable[[IndexState], None] | None, *, last: bool) -> bool:
        """Start building it; whether the engine does. `last`: what is refused stays so."""
        statement = ""
        try:
            rows = int(self._connection.command(f"SELECT count() FROM {quoted(self._name)}"))
            for statement in self._dialect.build_index(self._name, self._dimension, rows):
                self._run(statement, report)
        except EngineError as error:
            if error.code in self._dialect.refuses_index:
                _LOG.warning(
                    "This server builds no vector index, so %s is searched exactly (%s)",
                    self._name,
                    error.said,
                )
                self._refused = True
                return False
            state = self.state().state
            # Another load has started it meanwhile, so this one can't, and may have taken it away.
            taken_away = state == "none" and " INDEX " in statement and not last
            if not taken_away and state not in ("building", "built"):
                raise
        return True

    def _run(self, statement: str, report: Callable[[IndexState], None] | None) -> None:
        """Run a statement, or what the engine's dialect has instead of one that is refused."""
        try:
            self._merges.run(statement, report=lambda: _tell(report, IndexState("building")))
        except ExplorerError as error:
            for said, (refused, instead) in self._dialect.substitutes.items():
                if said in str(error):
                    _LOG.warning("This server has no %s: %s gets %s", refused, self._name, instead)
                    self._merges.run(statement.replace(refused, instead))
                    return
            raise


def _tell(report: Callable[[IndexState], None] | None, state: IndexState) -> None:
    if report is not None:
        report(state)


def _taken_away(name: str) -> str:
    return (
        f"The vector index of {name} was taken away each time that it was started: load the "
        "collection again once no other load of it is at work"
    )
