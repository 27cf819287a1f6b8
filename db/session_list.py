"""The lists of sessions: which there are, whose, and what came of each."""

from dataclasses import dataclass
from typing import Any

from db.connection import Connection
from db.sessions import NEWEST, SessionRow, to_session
from db.whose import EVERYBODYS, Whose


@dataclass(frozen=True)
class SessionSummary:
    """A session as one line of a list.

    Attributes:
        row: what it started with, and its name.
        rounds: how many were shown.
        ups: how many thumbs up stand.
        downs: how many thumbs down stand.
    """

    row: SessionRow
    rounds: int
    ups: int
    downs: int


class SessionList:
    """The sessions of a database, as lists show them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count(self, collection: str, whose: Whose = EVERYBODYS) -> int:
        """How many sessions a collection has."""
        return int(
            self._connection.command(
                f"SELECT count() FROM ({_LATEST} AND {whose.condition})",
                {"collection": collection, **whose.parameters},
            )
        )

    def recent(
        self, collection: str, n: int = 5, after: int = 0, whose: Whose = EVERYBODYS
    ) -> list[SessionSummary]:
        """The collection's latest sessions, newest first: n of them, after so many others."""
        rows = self._connection.rows(
            f"{_LATEST} AND {whose.condition} "
            "ORDER BY created DESC, id LIMIT %(n)s OFFSET %(after)s",
            {"collection": collection, "n": n, "after": after, **whose.parameters},
        )
        ids = {"ids": tuple(row["id"] for row in rows)}
        if not rows:
            return []
        rounds = self._by_session(_ROUNDS_SHOWN, ids)
        thumbs = self._by_session(_THUMBS_STANDING, ids)
        none = {"rounds": 0, "ups": 0, "downs": 0}
        return [
            SessionSummary(
                to_session(row),
                rounds.get(row["id"], none)["rounds"],
                thumbs.get(row["id"], none)["ups"],
                thumbs.get(row["id"], none)["downs"],
            )
            for row in rows
        ]

    def _by_session(self, sql: str, ids: dict[str, Any]) -> dict[str, dict[str, Any]]:
        return {row["session"]: row for row in self._connection.rows(sql, ids)}


_LATEST = (
    "SELECT * FROM (SELECT * FROM sessions WHERE collection = %(collection)s "
    f"{NEWEST} LIMIT 1 BY id) WHERE NOT deleted"
)
_ROUNDS_SHOWN = (
    "SELECT session, uniqExact(sequence) AS rounds FROM rounds WHERE session IN %(ids)s "
    "GROUP BY session"
)
# Of each person the latest counts, and of several people's the latest that was not taken away: see
# classifier.marks. An undoing is a row like any other, with the label that it brings back.
_THUMBS_STANDING = (
    "SELECT session, countIf(last = 1) AS ups, countIf(last = 0) AS downs FROM ("
    "SELECT session, photo, argMaxIf(vote, given, vote != -1) AS last FROM ("
    "SELECT session, photo, author, argMax(label, sequence) AS vote, max(sequence) AS given "
    "FROM labels WHERE session IN %(ids)s GROUP BY session, photo, author) "
    "GROUP BY session, photo HAVING countIf(vote != -1) > 0) GROUP BY session"
)
