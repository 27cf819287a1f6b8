"""The tables of labelling sessions: what was asked, shown and answered, each as a row."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np

from db.connection import Connection
from db.dialect import Vector
from db.layout import Table
from db.moments import next_moment
from db.photos import Filter

# UNSURE is an answer too: neither up nor down, and not asked again.
UP, DOWN, NONE, UNSURE = 1, 0, -1, 2

# Why a round showed its photos: they were the nearest, or lay at a classifier's threshold, or were
# drawn by chance to check one, or came in after it was saved, or were chosen on the map.
RANKED, THRESHOLD, SAMPLE, NEW, MAP = "", "threshold", "sample", "new", "map"

SESSIONS = Table(
    "sessions",
    "what was asked",
    "id String, collection String, fingerprint String, prompt String, page_size UInt32, "
    "countries Array(String), photographers Array(String), keywords Array(String), "
    "created DateTime64(3, 'UTC'), method String DEFAULT 'article', name String DEFAULT '', "
    "version UInt32 DEFAULT 0, deleted UInt8 DEFAULT 0, centring Float32 DEFAULT 0",
    "id",
)
ROUNDS = Table(
    "rounds",
    "what was shown",
    "session String, round UInt32, weight Array(Float32), photos Array(String), "
    "made DateTime64(3, 'UTC'), liked String DEFAULT '', "
    "sequence UInt64 DEFAULT toUnixTimestamp64Milli(made) * 1000000, why String DEFAULT ''",
    "(session, round)",
)
LABELS = Table(
    "labels",
    "what was answered: thumbs",
    "session String, sequence UInt64, action UInt64, undoes UInt64, photo String, label Int8, "
    "round UInt32, made DateTime64(3, 'UTC'), click String DEFAULT ''",
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
        name: what it is called where that is not its prompt, or "".
        centring: the share that was taken off the prompt of what all prompts have in common.
    """

    id: str
    collection: str
    fingerprint: str
    prompt: str
    page_size: int
    only: Filter = field(default_factory=Filter)
    method: str = "article"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    name: str = ""
    centring: float = 0.0

    @property
    def title(self) -> str:
        """What to call it."""
        return self.name or self.prompt


@dataclass(frozen=True, eq=False)
class RoundRow:
    """One round.

    Attributes:
        session: the session's id.
        round: 1 for the first.
        weight: float32 (512,), what was searched with.
        photos: the ids of the photos that it showed, in order.
        liked: the id of the photo that it was to resemble, or "".
        why: what brought its photos on screen: RANKED, THRESHOLD, NEW, MAP, or SAMPLE with the
            number of the check sample. The thumbs of a round have its reason, so that those on a
            random sample can be told from the others.
    """

    session: str
    round: int
    weight: Vector
    photos: tuple[str, ...]
    liked: str = ""
    why: str = RANKED


@dataclass(frozen=True)
class LabelRow:
    """A thumb, or its undoing.

    Attributes:
        session: the session's id.
        sequence: later rows have larger numbers.
        action: the sequence of the first row of the same click ("rest are no" writes several).
        undoes: the action that this row takes back, or 0.
        photo: the photo's id.
        label: 1 up, 0 down, 2 unsure, -1 none.
        round: the round that showed the photo.
        click: what the browser calls the click, so that one sent twice counts once, or "".
    """

    session: str
    sequence: int
    action: int
    undoes: int
    photo: str
    label: int
    round: int
    click: str = ""


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


class Sessions:
    """All sessions of a database.

    Rows are only ever added, and one that was sent twice, because no answer came, counts once. Of
    a session's own rows the latest version counts.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, session: SessionRow) -> None:
        """Store a new session."""
        self._write(session, version=0)

    def update(self, session: SessionRow, *, deleted: bool = False) -> None:
        """Store a session anew: under another name, with another filter, or as deleted.

        A deleted one is not listed and not found any more; its thumbs stay, since the classifiers
        that were saved from it tell of them.
        """
        version = self._connection.command(
            "SELECT max(version) + 1 FROM sessions WHERE id = %(id)s", {"id": session.id}
        )
        self._write(session, int(version), deleted)

    def add_round(self, row: RoundRow) -> None:
        """Store a round as it is shown."""
        self._connection.insert(
            "rounds",
            {
                "session": row.session,
                "round": row.round,
                "weight": row.weight.tolist(),
                "photos": list(row.photos),
                "liked": row.liked,
                "why": row.why,
                "made": datetime.now(UTC),
                "sequence": next_moment(self._connection, "rounds", "session", row.session),
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
            "SELECT * FROM sessions WHERE id = %(id)s ORDER BY version DESC LIMIT 1",
            {"id": session},
        )
        return _to_session(rows[0]) if rows and not rows[0]["deleted"] else None

    def rounds(self, session: str) -> list[RoundRow]:
        """The session's rounds, first to last."""
        rows = self._connection.rows(
            "SELECT session, round, weight, photos, liked, why FROM rounds WHERE session = %(id)s "
            "ORDER BY round, sequence DESC LIMIT 1 BY round",
            {"id": session},
        )
        return [
            RoundRow(
                **{
                    **row,
                    "weight": np.asarray(row["weight"], dtype=np.float32),
                    "photos": tuple(row["photos"]),
                }
            )
            for row in rows
        ]

    def labels(self, session: str) -> list[LabelRow]:
        """Every thumb and undoing of the session, in the order they were given."""
        rows = self._connection.rows(
            "SELECT session, sequence, action, undoes, photo, label, round, click FROM labels "
            "WHERE session = %(id)s ORDER BY sequence LIMIT 1 BY sequence, photo",
            {"id": session},
        )
        return [LabelRow(**row) for row in rows]

    def count(self, collection: str) -> int:
        """How many sessions a collection has."""
        return int(
            self._connection.command(f"SELECT count() FROM ({_LATEST})", {"collection": collection})
        )

    def recent(self, collection: str, n: int = 5, after: int = 0) -> list[SessionSummary]:
        """The collection's latest sessions, newest first: n of them, after so many others."""
        rows = self._connection.rows(
            f"{_LATEST} ORDER BY created DESC, id LIMIT %(n)s OFFSET %(after)s",
            {"collection": collection, "n": n, "after": after},
        )
        ids = {"ids": tuple(row["id"] for row in rows)}
        if not rows:
            return []
        rounds = self._by_session(_ROUNDS_SHOWN, ids)
        thumbs = self._by_session(_THUMBS_STANDING, ids)
        none = {"rounds": 0, "ups": 0, "downs": 0}
        return [
            SessionSummary(
                _to_session(row),
                rounds.get(row["id"], none)["rounds"],
                thumbs.get(row["id"], none)["ups"],
                thumbs.get(row["id"], none)["downs"],
            )
            for row in rows
        ]

    def _by_session(self, sql: str, ids: dict[str, Any]) -> dict[str, dict[str, Any]]:
        return {row["session"]: row for row in self._connection.rows(sql, ids)}

    def _write(self, session: SessionRow, version: int, deleted: bool = False) -> None:
        only = {name: list(values) for name, values in asdict(session.only).items()}
        row = {name: getattr(session, name) for name in _SESSION_COLUMNS}
        state = {"version": version, "deleted": int(deleted)}
        self._connection.insert("sessions", {**row, **only, **state})


_SESSION_COLUMNS = (
    "id", "collection", "fingerprint", "prompt", "page_size", "method", "created", "name",
    "centring",
)  # fmt: skip
_LATEST = (
    "SELECT * FROM (SELECT * FROM sessions WHERE collection = %(collection)s "
    "ORDER BY version DESC LIMIT 1 BY id) WHERE NOT deleted"
)
_ROUNDS_SHOWN = (
    "SELECT session, uniqExact(round) AS rounds FROM rounds WHERE session IN %(ids)s "
    "GROUP BY session"
)
# An undoing is a row like any other, with the label that it brings back.
_THUMBS_STANDING = (
    "SELECT session, countIf(last = 1) AS ups, countIf(last = 0) AS downs FROM ("
    "SELECT session, photo, argMax(label, sequence) AS last FROM labels "
    "WHERE session IN %(ids)s GROUP BY session, photo) GROUP BY session"
)


def _to_session(row: dict[str, Any]) -> SessionRow:
    only = Filter(*(tuple(row[name]) for name in ("countries", "photographers", "keywords")))
    return SessionRow(only=only, **{name: row[name] for name in _SESSION_COLUMNS})
