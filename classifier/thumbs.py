"""The thumbs of a session: given, taken back, and on their way into the database."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from classifier.marks import Click, Marks
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

    Attributes:
        changes: grows with each.
    """

    def __init__(self, session: str, sessions: Sessions, shown: Mapping[str, int]) -> None:
        self.changes = 0
        self._shown = shown
        self._session = session
        self._sessions = sessions
        self._marks = Marks()
        self._outbox = Outbox(sessions)

    def restore(self) -> None:
        """Go on by all that is stored."""
        self._marks.replay(self._sessions.labels(self._session))

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
    def undoable(self) -> Click | None:
        """The click that an undo takes back, or None."""
        return self._marks.undoable

    @property
    def redoable(self) -> Click | None:
        """The undo that a redo takes back, or None."""
        return self._marks.redoable

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

    def take_back(self, last: Click | None, of: str, click: str) -> Change | None:
        """Put back what stood before a click.

        Args:
            last: the click.
            of: the name of the click that is meant, or "" for whichever it is.
            click: what the browser calls this undo.

        Returns:
            What it did, nothing where the click is known; None where another click is meant.
        """
        if self._marks.knows(click):
            return Change((), ())
        if last is None or (of and of != last.name):
            return None
        self.give(last.before, click, undoes=last.number)
        rounds = sorted({self._shown.get(photo, last.round) for photo in last.before})
        return Change(tuple(last.before), tuple(rounds))

    def give(self, labels: Mapping[str, int], click: str = "", undoes: int = 0) -> None:
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
            )
            for place, (photo, label) in enumerate(labels.items())
        ]
        self._marks.note(click)
        self._marks.replay(rows)
        self.changes += 1
        self._outbox.send(rows)
