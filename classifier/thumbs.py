"""The thumbs of a session: given, taken back, and on their way into the database."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from classifier.marks import SILENT, Click, Marks, Vote
from classifier.outbox import Outbox
from db.sessions import NONE, UNSURE, LabelRow, Sessions


@dataclass(frozen=True)
class Change:
    """What an undo or a redo did: to which photos, and the rounds that showed them."""

    photos: tuple[str, ...]
    rounds: tuple[int, ...]


class Thumbs:
    """What stands on the photos of one session; its owner sees to it that one thread acts at once.

    Args:
        session: its id.
        sessions: where they are stored.
        shown: the latest round that showed each photo, by its id.
    """

    def __init__(self, session: str, sessions: Sessions, shown: Mapping[str, int]) -> None:
        self._shown = shown
        self._session = session
        self._sessions = sessions
        self._rows: dict[tuple[int, str], LabelRow] = {}  # in order, by sequence and photo
        self._marks = Marks()
        self._outbox = Outbox(sessions)

    def restore(self) -> list[LabelRow]:
        """Go on by all that is stored, whichever process stored it; returns what was news."""
        stored = {(row.sequence, row.photo): row for row in self._sessions.labels(self._session)}
        news = [row for key, row in stored.items() if key not in self._rows]
        if news:
            # What was given elsewhere may come between what was given here: all is told anew.
            self._rows = dict(sorted({**stored, **self._rows}.items()))
            marks = Marks()
            marks.replay(self._rows.values())
            marks.like(self._marks)
            self._marks = marks
        return news

    @property
    def rows(self) -> Sequence[LabelRow]:
        """All that was given and taken back, in order."""
        return list(self._rows.values())

    @property
    def changes(self) -> int:
        """How many rows there are: it grows with each change."""
        return len(self._rows)

    @property
    def stored(self) -> int:
        """How many rows are known to be stored."""
        return len(self._rows) - self._outbox.waiting

    @property
    def labels(self) -> dict[str, int]:
        """The thumbs that stand, UP or DOWN by photo id."""
        return {photo: mark for photo, mark in self.marks.items() if mark != UNSURE}

    @property
    def marks(self) -> dict[str, int]:
        """What stands on the photos, UP, DOWN or UNSURE by photo id."""
        # A copy in one step, since another tab may be adding a thumb.
        given = list(self._marks.given.items())
        return {photo: mark for photo, mark in given if mark != NONE}

    @property
    def authors(self) -> dict[str, str]:
        """Who gave what stands on a photo, by photo id; "" where nobody had signed in."""
        return dict(list(self._marks.authors.items()))

    def votes(self, photo: str) -> Mapping[str, Vote]:
        """What each person says of a photo, by their name; see Marks."""
        return self._marks.votes(photo)

    def standing(self, photo: str) -> tuple[str, Vote]:
        """Whose vote stands on a photo, and the vote."""
        return self._marks.standing(photo)

    def is_news(self, photo: str, label: int, by: str) -> bool:
        """Whether a person's mark changes anything: what they said before, or what stands."""
        said = self.votes(photo).get(by, SILENT).label
        return label != said or (label != NONE and label != self.standing(photo)[1].label)

    def knows(self, click: str) -> bool:
        """Whether a click was done already."""
        return self._marks.knows(click)

    def undoable(self, by: str = "") -> Click | None:
        """The click of a person's that an undo takes back, or None."""
        return self._marks.undoable(by)

    def redoable(self, by: str = "") -> Click | None:
        """The undo of a person's that a redo takes back, or None."""
        return self._marks.redoable(by)

    @property
    def unstored(self) -> int:
        """How many thumbs (and undoings) the database has not taken yet."""
        return len(self._outbox)

    @property
    def trouble(self) -> str:
        """Why there are unstored thumbs, in one line, or ""."""
        return self._outbox.trouble

    def store(self) -> None:
        """Store what is unstored; where the database doesn't take it, it is kept as it is."""
        self._outbox.send(())

    @contextmanager
    def together(self) -> Iterator[None]:
        """Store all that is done inside at once."""
        with self._outbox.together():
            yield

    def take_back(self, last: Click | None, of: str, click: str, by: str = "") -> Change | None:
        """Put back what stood before a click.

        Args:
            last: the click.
            of: the name of the click that is meant, or "" for whichever it is.
            click: what the browser calls this undo.
            by: whose click it was, and who takes it back.

        Returns:
            What it did, nothing where the click is known; None where another click is meant.
        """
        if self._marks.knows(click):
            return Change((), ())
        if last is None or (of and of != last.name):
            return None
        self.give(last.labels, click, undoes=last.number, by=by)
        rounds = sorted({self._shown.get(photo, last.round) for photo in last.before})
        return Change(tuple(last.before), tuple(rounds))

    def retract(self, number: int, by: str) -> None:
        """Take a person's click back that should not have been done."""
        self.give(self._marks.click(number).labels, undoes=number, by=by)

    def give(
        self, labels: Mapping[str, int], click: str = "", undoes: int = 0, by: str = ""
    ) -> None:
        """Mark photos, and store that; a click that is known is not done again."""
        if self._marks.knows(click):
            return
        # The clock keeps two processes apart that label one session; the maximum keeps the order
        # even where the clock is set back.
        action = max(self._marks.sequence + 1, time.time_ns())
        latest = max(self._shown.values(), default=0)
        rows = [
            LabelRow(
                session=self._session,
                sequence=action + place,
                action=action,
                undoes=undoes,
                photo=photo,
                label=label,
                round=self._shown.get(photo, latest),  # it may be gone by now
                click=click,
                author=by,
            )
            for place, (photo, label) in enumerate(labels.items())
        ]
        self._marks.note(click)
        self._marks.replay(rows)
        self._rows |= {(row.sequence, row.photo): row for row in rows}
        self._outbox.send(rows)
