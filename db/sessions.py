"""The tables of labelling sessions: what was asked, shown and answered, each as a row."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
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

# Whom a session is shared with: with nobody, or with all who have its address, to look at or to
# label in too.
NOBODY, READING, LABELLING = "", "reading", "labelling"

SESSIONS = Table(
    "sessions",
    "what was asked",
    "id String, collection String, fingerprint String, prompt String, page_size UInt32, "
    "countries Array(String), photographers Array(String), keywords Array(String), "
    "created DateTime64(3, 'UTC'), method String DEFAULT 'article', name String DEFAULT '', "
    "version UInt32 DEFAULT 0, deleted UInt8 DEFAULT 0, centring Float32 DEFAULT 0, "
    "owner String DEFAULT '', shared String DEFAULT '', sequence UInt64 DEFAULT version",
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
    "round UInt32, made DateTime64(3, 'UTC'), click String DEFAULT '', author String DEFAULT ''",
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
        owner: the name of who started it, or "" where nobody had signed in.
        shared: NOBODY, READING or LABELLING.
        version: how often it was changed.
        sequence: of this state of it; later ones have larger numbers, also of one version.
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
    owner: str = ""
    shared: str = NOBODY
    version: int = 0
    sequence: int = 0

    @property
    def title(self) -> str:
        """What to call it."""
        return self.name or self.prompt


@dataclass(frozen=True, eq=False)
class RoundRow:
    """One round.

    Attributes:
        session: the session's id.
        round: 1 for the first, one more for each: their place in the order of their sequences.
        weight: float32 (512,), what was searched with.
        photos: the ids of the photos that it showed, in order.
        liked: the id of the photo that it was to resemble, or "".
        why: what brought its photos on screen: RANKED, THRESHOLD, NEW, MAP, or SAMPLE with the
            number of the check sample. The thumbs of a round have its reason, so that those on a
            random sample can be told from the others.
        sequence: later rounds have larger numbers, also where two processes show one at once.
    """

    session: str
    round: int
    weight: Vector
    photos: tuple[str, ...]
    liked: str = ""
    why: str = RANKED
    sequence: int = 0


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
        author: the name of who gave it, or "" where nobody had signed in.
    """

    session: str
    sequence: int
    action: int
    undoes: int
    photo: str
    label: int
    round: int
    click: str = ""
    author: str = ""


@dataclass(frozen=True)
class Stored:
    """How much of a session is stored: it only grows, so two that are equal are of one state.

    Attributes:
        labels: rows of thumbs and undoings.
        rounds: rounds shown.
        sequence: of the session's own latest row.
        deleted: whether that says that it is gone.
    """

    labels: int
    rounds: int
    sequence: int
    deleted: bool


class Sessions:
    """All sessions of a database.

    Rows are only ever added, and one that was sent twice, because no answer came, counts once. Of
    a session's own rows the latest version counts.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, session: SessionRow) -> SessionRow:
        """Store a new session; returns it with its sequence."""
        return self._write(session)

    def update(self, session: str, *, deleted: bool = False, **changes: Any) -> SessionRow | None:
        """Store a session anew: under another name, with another filter, shared, or as deleted.

        A deleted one is not listed and not found any more; its thumbs stay, since the classifiers
        that were saved from it tell of them.

        Args:
            session: its id. What others have changed of it in the meantime stays as they left it.
            deleted: whether it is gone from now on.
            changes: fields of SessionRow.

        Returns:
            As it is now; None where it is gone already.
        """
        found = self.find(session)
        if found is None:
            return None
        version = self._connection.command(
            "SELECT max(version) + 1 FROM sessions WHERE id = %(id)s", {"id": session}
        )
        return self._write(replace(found, **changes, version=int(version)), deleted=deleted)

    def add_round(self, row: RoundRow) -> RoundRow:
        """Store a round as it is shown; returns it with its sequence, a new one where it has 0."""
        numbered = row
        if not row.sequence:
            moment = next_moment(self._connection, "rounds", "session", row.session)
            numbered = replace(row, sequence=moment)
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
                "sequence": numbered.sequence,
            },
        )
        return numbered

    def add_labels(self, rows: Sequence[LabelRow]) -> None:
        """Store the thumbs of one click, or their undoing, in one block."""
        made = datetime.now(UTC)
        columns = [field.name for field in fields(LabelRow)]
        values = [[*(getattr(row, name) for name in columns), made] for row in rows]
        self._connection.insert_rows("labels", [*columns, "made"], values)

    def find(self, session: str) -> SessionRow | None:
        """The session of that id, if there is one."""
        rows = self._connection.rows(
            f"SELECT * FROM sessions WHERE id = %(id)s {NEWEST} LIMIT 1", {"id": session}
        )
        return to_session(rows[0]) if rows and not rows[0]["deleted"] else None

    def stored(self, session: str) -> Stored:
        """How much of a session is stored, in one small query that reads no thumb's photo."""
        (row,) = self._connection.rows(_STORED, {"id": session})
        return Stored(**{**row, "deleted": bool(row["deleted"])})

    def rounds(self, session: str) -> list[RoundRow]:
        """The session's rounds, first to last.

        Of two that two processes stored under one number none is lost: the later one comes second.
        """
        rows = self._connection.rows(
            "SELECT session, weight, photos, liked, why, sequence FROM rounds "
            "WHERE session = %(id)s ORDER BY sequence LIMIT 1 BY sequence",
            {"id": session},
        )
        return [
            RoundRow(
                **{
                    **row,
                    "round": number,
                    "weight": np.asarray(row["weight"], dtype=np.float32),
                    "photos": tuple(row["photos"]),
                }
            )
            for number, row in enumerate(rows, 1)
        ]

    def reasons(self, session: str) -> list[str]:
        """Why each of the session's rounds showed its photos, first to last; deleted or not."""
        rows = self._connection.rows(
            "SELECT why FROM rounds WHERE session = %(id)s ORDER BY sequence LIMIT 1 BY sequence",
            {"id": session},
        )
        return [row["why"] for row in rows]

    def labels(self, session: str) -> list[LabelRow]:
        """Every thumb and undoing of the session, in the order they were given."""
        rows = self._connection.rows(
            "SELECT session, sequence, action, undoes, photo, label, round, click, author "
            "FROM labels WHERE session = %(id)s ORDER BY sequence LIMIT 1 BY sequence, photo",
            {"id": session},
        )
        return [LabelRow(**row) for row in rows]

    def _write(self, session: SessionRow, *, deleted: bool = False) -> SessionRow:
        moment = next_moment(self._connection, "sessions", "id", session.id)
        written = replace(session, sequence=moment)
        only = {name: list(values) for name, values in asdict(session.only).items()}
        row = {name: getattr(written, name) for name in _SESSION_COLUMNS}
        self._connection.insert("sessions", {**row, **only, "deleted": int(deleted)})
        return written


_SESSION_COLUMNS = (
    "id", "collection", "fingerprint", "prompt", "page_size", "method", "created", "name",
    "centring", "owner", "shared", "version", "sequence",
)  # fmt: skip
# Of two that two processes wrote at once, under one version, the later one counts.
NEWEST = "ORDER BY sequence DESC, version DESC"
_STORED = (
    "SELECT (SELECT uniqExact(sequence, photo) FROM labels WHERE session = %(id)s) AS labels, "
    "(SELECT uniqExact(sequence) FROM rounds WHERE session = %(id)s) AS rounds, "
    "max(s.sequence) AS sequence, argMax(s.deleted, s.sequence) AS deleted "
    "FROM sessions AS s WHERE id = %(id)s"
)


def to_session(row: dict[str, Any]) -> SessionRow:
    """A session from a row of its table."""
    only = Filter(*(tuple(row[name]) for name in ("countries", "photographers", "keywords")))
    return SessionRow(only=only, **{name: row[name] for name in _SESSION_COLUMNS})
