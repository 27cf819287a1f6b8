"""One labelling session: labels, rounds, and what to show next.

prompt -> text vector -> nearest photos -> thumbs -> refit on all thumbs so far -> next photos.
Everything is stored as it happens, so that a session can be reopened as it was left.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np

from classifier.asking import NAME_LIMIT, asked
from classifier.learner import Learner
from classifier.marks import Click
from classifier.prompt import photos_of
from classifier.refit import ARTICLE, DEFAULT_METHOD, Evidence
from classifier.rounds import Round
from classifier.spread import REACH, spread
from classifier.thumbs import Change, Thumbs
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.database import Database
from db.dialect import Vector
from db.errors import ExplorerError, GoneError
from db.photos import Filter, Neighbour
from db.pictures import Picture
from db.sessions import DOWN, NONE, UNSURE, UP, RoundRow, SessionRow

if TYPE_CHECKING:
    # It imports torch, which takes seconds; a page that only reopens a session doesn't need it.
    from classifier.clip import Clip


class Session:
    """A labelling session; safe to share between the tabs that show it."""

    def __init__(self, database: Database, collection: Collection, row: SessionRow) -> None:
        self.row = row
        self.collection = collection
        self.pictures: list[Picture] = []
        self.rounds: list[Round] = []
        self._changes = 0
        self._thumbs = Thumbs(row.id, database.sessions)
        self._lock = RLock()
        self._sessions = database.sessions
        self._photos = database.collections.photos(collection)
        self._learner = Learner(self._photos, row.method)

    @classmethod
    def start(
        cls,
        database: Database,
        collection: Collection,
        clip: "Clip",
        prompt: str,
        page_size: int = 9,
        only: Filter | None = None,
        method: str = DEFAULT_METHOD,
        centring: float | None = None,
        pictures: Sequence[Picture] = (),
    ) -> "Session":
        """Search with a prompt, and store a new session with its first round.

        Args:
            database: where the collection is, and where the session is stored.
            collection: what to search.
            clip: the model behind the collection's vectors.
            prompt: one term or several, as `classifier.prompt` reads them.
            page_size: photos a round.
            only: facts that the photos must have.
            method: how to refit, one of METHODS.
            centring: the share to take off the prompt's texts of what all prompts have in common;
                None for what is usual for the model. The article's method keeps the raw prompt.
            pictures: those that the prompt counts, encoded by that model.

        Raises:
            ExplorerError: the prompt is blank or can't be understood, the model is not the
                collection's, there is no such method, or no photo passes the filter.
        """
        row, first_weight = asked(
            database, collection, clip, prompt, page_size, only, method, centring, pictures
        )
        session = cls(database, collection, row)
        session.pictures = list(pictures)
        weight = first_weight(session._learner)
        found = session._next(weight)
        if not found and session.row.only != Filter():
            raise ExplorerError("No photo passes the filter: take a condition away")
        if not found:
            raise ExplorerError(f"{collection.name} has no photos yet: load some")
        database.pictures.add(row.id, pictures)
        session._sessions.add(row)
        session._show(weight, found)
        return session

    @classmethod
    def reopen(cls, database: Database, session_id: str) -> "Session":
        """Restore a session as it was left.

        Raises:
            GoneError: there is no such session, or its collection is gone or was made anew.
            ExplorerError: the database is away.
        """
        row = database.sessions.find(session_id)
        if row is None:
            raise GoneError(
                f"There is no session {session_id!r} in this database: type a prompt to start one"
            )
        collection = database.collections.find(row.collection)
        if collection is None or collection.fingerprint != row.fingerprint:
            raise GoneError(
                f"The session {row.prompt!r} belongs to a collection that is gone "
                f"or was made anew with another model ({row.collection}): start a new one"
            )
        session = cls(database, collection, row)
        session.pictures = database.pictures.of(row.id)
        session._restore_rounds()
        session._thumbs.restore()
        return session

    @property
    def changes(self) -> int:
        """Grows with each, so that a page can tell which of two states is newer."""
        return self._changes + self._thumbs.changes

    @property
    def labels(self) -> dict[str, int]:
        """The thumbs that stand, UP or DOWN by photo id."""
        return self._thumbs.labels

    @property
    def marks(self) -> dict[str, int]:
        """What stands on the photos, UP, DOWN or UNSURE by photo id."""
        return self._thumbs.marks

    @property
    def current(self) -> Round:
        """The round on screen."""
        return self.rounds[-1]

    def round(self, number: int) -> Round:
        """One of the rounds shown, the first of which is 1.

        Raises:
            ExplorerError: there is no such round.
        """
        if not 1 <= number <= len(self.rounds):
            raise ExplorerError(f"There is no round {number}: there were {len(self.rounds)}")
        return self.rounds[number - 1]

    def count(self, label: int) -> int:
        """How many photos have that label."""
        return list(self.marks.values()).count(label)

    @property
    def undoable(self) -> Click | None:
        """The click that an undo takes back, or None."""
        return self._thumbs.undoable

    @property
    def redoable(self) -> Click | None:
        """The undo that a redo takes back, or None."""
        return self._thumbs.redoable

    @property
    def unstored(self) -> int:
        """How many thumbs (and undoings) the database has not taken yet."""
        return self._thumbs.unstored

    @property
    def trouble(self) -> str:
        """Why there are unstored thumbs, in one line, or ""."""
        return self._thumbs.trouble

    def store(self) -> None:
        """Store what is unstored; where the database doesn't take it, it is kept as it is."""
        with self._lock:
            self._thumbs.store()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Store all that is done inside at once; other threads wait for it."""
        with self._lock, self._thumbs.together():
            yield

    def label(self, photo: str, label: int) -> None:
        """Give one photo a thumb; see `label_all`."""
        self.label_all([photo], label)

    def label_all(self, photos: Sequence[str], label: int, click: str = "") -> None:
        """Mark photos UP, DOWN or UNSURE, or take their marks away (NONE), and store that.

        While the database doesn't take it, it stands all the same: see `unstored`.

        Args:
            photos: ids, of any rounds.
            label: UP, DOWN, UNSURE or NONE.
            click: what the browser calls it; one that is known is not done again.

        Raises:
            ExplorerError: a photo was not shown in this session; nothing is marked then.
        """
        if label not in (UP, DOWN, UNSURE, NONE):
            raise ExplorerError(f"There is no mark {label}: use 1, 0, 2 or -1")
        with self._lock:
            for photo in photos:
                if photo not in self._thumbs.shown:
                    raise ExplorerError(f"The photo {photo!r} was not shown in this session")
            marks = self.marks
            self._thumbs.give({p: label for p in photos if marks.get(p, NONE) != label}, click)

    def rest_are_no(self, number: int | None = None, click: str = "") -> None:
        """Thumb down every photo of a round, the latest by default, that has no mark.

        Raises:
            ExplorerError: there is no such round.
        """
        with self._lock:
            shown, marks = self.round(number or len(self.rounds)), self.marks
            self._thumbs.give({p.id: DOWN for p in shown.photos if p.id not in marks}, click)

    def undo(self, of: str = "", click: str = "") -> Change | None:
        """Take the last click back, whatever round it was in.

        Args:
            of: the name of the click that is meant; where another was the last one, as after a
                click in another tab, nothing is done. "" for whichever is the last.
            click: what the browser calls this undo.

        Returns:
            What it did, nothing where the click is known; None where another click was the last.
        """
        with self._lock:
            return self._thumbs.take_back(self.undoable, of, click)

    def redo(self, of: str = "", click: str = "") -> Change | None:
        """Take the last undo back, if nothing was clicked since; see `undo`."""
        with self._lock:
            return self._thumbs.take_back(self.redoable, of, click)

    def fitted(self) -> Vector:
        """The weight, float32 (512,), refit on all thumbs so far by the session's method."""
        return self._learner.fitted(self.rounds, self.labels)

    def evidence(self) -> Evidence | None:
        """How well the refit tells the thumbs apart; see classifier.learner."""
        return self._learner.evidence(self.rounds, self.labels)

    def warm_up(self) -> None:
        """Measure what the first refinement needs to know of the collection."""
        self._learner.whitening()

    def refine(self, after: int | None = None) -> bool:
        """Refit and show the next photos, none of which was shown before.

        Without thumbs the weight stays, and the next nearest photos come.

        Args:
            after: how many rounds there were when this was asked for; where there are more by
                now, as after a double click, nothing is done.

        Returns:
            Whether it was done.

        Raises:
            ExplorerError: every photo that passes the filter was shown.
        """
        with self._lock:
            if after is not None and len(self.rounds) != after:
                return False
            self._go_on(self.fitted())
            return True

    def like(self, photo: str, after: int | None = None) -> None:
        """Show photos that resemble one of the session's and fit its classifier, as a round.

        All thumbs stay. The next refinement starts from the thumbs again, not from this photo.

        Args:
            photo: its id.
            after: as for `refine`.

        Raises:
            ExplorerError: the photo is not there, or every photo was shown.
        """
        with self._lock:
            if after is None or len(self.rounds) == after:
                self._go_on(self._learner.like(self.fitted(), photo), photo)

    def without(self, fact: str, value: str) -> None:
        """Take one condition of the filter away, from the next round on; thumbs stay.

        Args:
            fact: a field of Filter.
            value: one of the values it asks for; where it is none, nothing is done.
        """
        with self._lock:
            values = getattr(self.row.only, fact)
            kept = tuple(other for other in values if other != value)
            if kept != values:
                row = replace(self.row, only=replace(self.row.only, **{fact: kept}))
                self._update(row)

    def rename(self, name: str) -> None:
        """Call the session something else than its prompt; by "" its prompt again."""
        with self._lock:
            self._update(replace(self.row, name=" ".join(name.split())[:NAME_LIMIT]))

    def to_save(self, name: str) -> SavedClassifier:
        """The classifier as it stands, ready to be stored under a name."""
        weight = self.fitted()
        return SavedClassifier(
            id=secrets.token_urlsafe(9),
            name=name,
            collection=self.collection.name,
            model=self.collection.model,
            fingerprint=self.collection.fingerprint,
            prompt=self.row.prompt,
            session=self.row.id,
            method=self.row.method,
            rounds=len(self.rounds),
            ups=self.count(UP),
            downs=self.count(DOWN),
            weight=weight / np.linalg.norm(weight),
        )

    def _next(self, weight: Vector) -> list[Neighbour]:
        named = [*photos_of(self.row.prompt), *(p.photo for p in self.pictures if p.photo)]
        hidden, k = [*self._thumbs.shown, *named], self.row.page_size
        if not self._lost:
            return self._photos.search(weight, k, hidden, self.row.only)
        return spread(self._photos.search(weight, REACH * k, hidden, self.row.only), k)

    @property
    def _lost(self) -> bool:
        """Whether nothing right was found among all that was looked at."""
        given = self.labels.values()
        return self.row.method != ARTICLE and DOWN in given and UP not in given

    def _go_on(self, weight: Vector, liked: str = "") -> None:
        found = self._next(weight)
        if not found:
            raise ExplorerError(
                "Every photo that passes the filter has been shown: save the classifier, "
                "or start a new search"
            )
        self._show(weight, found, liked)

    def _show(self, weight: Vector, found: list[Neighbour], liked: str = "") -> None:
        number = len(self.rounds) + 1
        ids = tuple(neighbour.photo.id for neighbour in found)
        row = RoundRow(self.row.id, number, weight, ids, liked)
        self._sessions.add_round(row)
        self._append(row, found)

    def _append(self, row: RoundRow, found: list[Neighbour]) -> None:
        self.rounds.append(Round.of(row, found))
        self._changes += 1
        self._thumbs.shown.update((neighbour.photo.id, row.round) for neighbour in found)

    def _restore_rounds(self) -> None:
        rows = self._sessions.rounds(self.row.id)
        found = self._photos.get([photo for row in rows for photo in row.photos])
        by_id = {neighbour.photo.id: neighbour for neighbour in found}
        for row in rows:
            self._append(row, [by_id[photo] for photo in row.photos if photo in by_id])

    def _update(self, row: SessionRow) -> None:
        self._sessions.update(row)
        self.row = row
        self._changes += 1
