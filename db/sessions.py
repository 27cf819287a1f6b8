"""The tables of labelling sessions: what was asked, shown and answered, each as a row."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np

from db.connection import Connection
from db.dialect import Vector
from db.layout import Table
from db.photos import Filter

UP, DOWN, NONE = 1, 0, -1

SESSIONS = Table(
    "sessions",
    "what was asked",
    "id String, collection String, fingerprint String, prompt String, page_size UInt32, "
    "countries Array(String), photographers Array(String), keywords Array(String), "
    "created DateTime64(3, 'UTC')",
    "id",
    # Sessions of the first version have no method: they were refit as in the article.
    added=("method String DEFAULT 'article'",),
)
ROUNDS = Table(
    "rounds",
    "what was shown",
    "session String, round UInt32, weight Array(Float32), photos Array(String), "
    "made DateTime64(3, 'UTC')",
    "(session, round)",
)
LABELS = Table(
    "labels",
    "what was answered: thumbs",
    "session String, sequence UInt64, action UInt64, undoes UInt64, photo String, label Int8, "
    "round UInt32, made DateTime64(3, 'UTC')",
    "(session, sequence)",
)


@dataclass(frozen=True)
class SessionRow:
    """What a session starts with.

    Attributes:
        id: random and unguessable, since it is part of the page's address.
        collection: the photo table's name.
        fingerprint: of the CLIP checkpoint behind the collection's vectors.
        prompt: what was typed.
        page_size: photos a round.
        only: the facts that narrow the search.
        method: how it is refit.
        created: when.
    """

    id: str
    collection: str
    fingerprint: str
    prompt: str
    page_size: int
    only: Filter = field(default_factory=Filter)
    method: str = "article"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, eq=False)
class RoundRow:
    """One round: the weight that searched, float32 (512,), and the photos it showed, in order."""

    session: str
    round: int
    weight: Vector
    photos: tuple[str, ...]


@dataclass(frozen=True)
class LabelRow:
    """A thumb, or its undoing.

    Attributes:
        session: the session's id.
        sequence: later rows have larger numbers.
        action: the sequence of the first row of the same click ("rest are no" writes several).
        undoes: the action that this row takes back, or 0.
        photo: the photo's id.
        label: 1 up, 0 down, -1 none.
        round: the round on screen.
    """

    session: str
    sequence: int
    action: int
    undoes: int
    photo: str
    label: int
    round: int


@dataclass(frozen=True)
class SessionSummary:
    """A session as one line of a list."""

    id: str
    collection: str
    prompt: str
    created: datetime
    rounds: int


class Sessions:
    """All sessions of a database.

    Rows are only ever added, and one that was sent twice, because no answer came, counts once.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        for table in (SESSIONS, ROUNDS, LABELS):
            connection.create(table)

    def add(self, session: SessionRow) -> None:
        """Store a new session."""
        only = {name: list(values) for name, values in asdict(session.only).items()}
        row = {name: getattr(session, name) for name in _SESSION_COLUMNS}
        self._connection.insert("sessions", {**row, **only})

    def add_round(self, row: RoundRow) -> None:
        """Store a round as it is shown."""
        self._connection.insert(
            "rounds",
            {
                "session": row.session,
                "round": row.round,
                "weight": row.weight.tolist(),
                "photos": list(row.photos),
                "made": datetime.now(UTC),
            },
        )

    def add_labels(self, rows: Sequence[LabelRow]) -> None:
        """Store the thumbs of one click, or their undoing, in one block."""
        made = datetime.now(UTC)
        columns = [field.name for field in fields(LabelRow)]
        values = [[*(getattr(row, name) for name in columns), made] for row in rows]
        self._connection.insert_rows("labels", [*columns, "made"], values)

    def find(self, session: str) -> SessionRow | None:
        """The session of that id, if there is one."""
        rows = self._connection.rows(
            "SELECT * FROM sessions WHERE id = %(id)s LIMIT 1", {"id": session}
        )
        return _to_session(rows[0]) if rows else None

    def rounds(self, session: str) -> list[RoundRow]:
        """The session's rounds, first to last."""
        rows = self._connection.rows(
            "SELECT round, weight, photos FROM rounds WHERE session = %(id)s "
            "ORDER BY round, made DESC LIMIT 1 BY round",
            {"id": session},
        )
        return [
            RoundRow(
                session,
                row["round"],
                np.asarray(row["weight"], dtype=np.float32),
                tuple(row["photos"]),
            )
            for row in rows
        ]

    def labels(self, session: str) -> list[LabelRow]:
        """Every thumb and undoing of the session, in the order they were given."""
        rows = self._connection.rows(
            "SELECT session, sequence, action, undoes, photo, label, round FROM labels "
            "WHERE session = %(id)s ORDER BY sequence LIMIT 1 BY sequence, photo",
            {"id": session},
        )
        return [LabelRow(**row) for row in rows]

    def recent(self, collection: str, n: int = 5) -> list[SessionSummary]:
        """The collection's latest sessions, newest first."""
        rows = self._connection.rows(
            "SELECT id, collection, prompt, created, rounds FROM sessions INNER JOIN ("
            "SELECT session, uniqExact(round) AS rounds FROM rounds GROUP BY session) AS shown "
            "ON sessions.id = shown.session WHERE collection = %(collection)s "
            "ORDER BY created DESC LIMIT 1 BY id LIMIT %(n)s",
            {"collection": collection, "n": n},
        )
        return [SessionSummary(**row) for row in rows]


_SESSION_COLUMNS = ("id", "collection", "fingerprint", "prompt", "page_size", "method", "created")


def _to_session(row: dict[str, Any]) -> SessionRow:
    only = Filter(*(tuple(row[name]) for name in ("countries", "photographers", "keywords")))
    return SessionRow(only=only, **{name: row[name] for name in _SESSION_COLUMNS})
