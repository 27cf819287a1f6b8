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

from classifier.asking import NAME_LIMIT, asked, asked_before
from classifier.learner import Learner
from classifier.prompt import photos_of
from classifier.refit import ARTICLE, DEFAULT_METHOD, Evidence
from classifier.rounds import Round
from classifier.showing import Showing
from classifier.spread import REACH, spread
from classifier.thumbs import Change, Thumbs
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.database import Database
from db.dialect import Vector
from db.errors import ExplorerError
from db.photos import Filter, Neighbour
from db.pictures import Picture
from db.sessions import DOWN, NONE, UNSURE, UP, SessionRow

if TYPE_CHECKING:
    # It imports torch, which takes seconds; a page that only reopens a session doesn't need it.
    from classifier.clip import Clip


class Session:
    """A labelling session; safe to share between the tabs that show it."""

    def __init__(self, database: Database, collection: Collection, row: SessionRow) -> None:
        self.row = row
        self.collection = collection
        self.pictures: list[Picture] = []
        self._changes = 0
        self._lock = RLock()
        self._sessions = database.sessions
        self._photos = database.collections.photos(collection)
        self._learner = Learner(self._photos, row.method)
        self._showing = Showing(row.id, database.sessions, self._photos)
        self.thumbs = Thumbs(row.id, database.sessions, self._showing.latest)

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
        session._showing.add(weight, found)
        return session

    @classmethod
    def reopen(cls, database: Database, session_id: str) -> "Session":
        """Restore a session as it was left.

        Raises:
            GoneError: there is no such session, or its collection is gone or was made anew.
            ExplorerError: the database is away.
        """
        row, collection = asked_before(database, session_id)
        session = cls(database, collection, row)
        session.pictures = database.pictures.of(row.id)
        session._showing.restore()
        session.thumbs.restore()
        return session

    @property
    def rounds(self) -> list[Round]:
        """All that were shown, the first one first."""
        return self._showing.rounds

    @property
    def changes(self) -> int:
        """Grows with each, so that a page can tell which of two states is newer."""
        return self._changes + self.thumbs.changes + len(self.rounds)

    @property
    def labels(self) -> dict[str, int]:
        """The thumbs that stand, UP or DOWN by photo id."""
        return self.thumbs.labels

    @property
    def marks(self) -> dict[str, int]:
        """What stands on the photos, UP, DOWN or UNSURE by photo id."""
        return self.thumbs.marks

    @property
    def current(self) -> Round:
        """The round on screen."""
        return self.rounds[-1]

    def round(self, number: int) -> Round:
        """One of the rounds shown, the first of which is 1.

        Raises:
            ExplorerError: there is no such round.
        """
        return self._showing.round(number)

    def count(self, label: int) -> int:
        """How many photos have that label."""
        return list(self.marks.values()).count(label)

    def store(self) -> None:
        """Store what is unstored; where the database doesn't take it, it is kept as it is."""
        with self._lock:
            self.thumbs.store()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Store all that is done inside at once; other threads wait for it."""
        with self._lock, self.thumbs.together():
            yield

    def label(self, photo: str, label: int) -> None:
        """Give one photo a thumb; see `label_all`."""
        self.label_all([photo], label)

    def label_all(self, photos: Sequence[str], label: int, click: str = "") -> None:
        """Mark photos UP, DOWN or UNSURE, or take their marks away (NONE), and store that.

        While the database doesn't take it, it stands all the same: see `thumbs.unstored`.

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
                if photo not in self._showing.latest:
                    raise ExplorerError(f"The photo {photo!r} was not shown in this session")
            marks = self.marks
            self.thumbs.give({p: label for p in photos if marks.get(p, NONE) != label}, click)

    def rest_are_no(self, number: int | None = None, click: str = "") -> None:
        """Thumb down every photo of a round, the latest by default, that has no mark.

        Raises:
            ExplorerError: there is no such round.
        """
        with self._lock:
            shown, marks = self.round(number or len(self.rounds)), self.marks
            self.thumbs.give({p.id: DOWN for p in shown.photos if p.id not in marks}, click)

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
            return self.thumbs.take_back(self.thumbs.undoable, of, click)

    def redo(self, of: str = "", click: str = "") -> Change | None:
        """Take the last undo back, if nothing was clicked since; see `undo`."""
        with self._lock:
            return self.thumbs.take_back(self.thumbs.redoable, of, click)

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

    def show(self, photos: Sequence[str], weight: Vector, why: str) -> None:
        """Show photos that no search has found, as a round.

        Args:
            photos: their ids; those that the latest round shows for the same reason, and all of
                which are unmarked still, are not shown again.
            weight: float32 (512,), of the classifier that chose them.
            why: as in db.sessions.RoundRow.

        Raises:
            ExplorerError: none of them is there any more.
        """
        with self._lock:
            latest, marks = self.current, self.marks
            if latest.why == why and {p.id for p in latest.photos} == set(photos) - marks.keys():
                return
            found = self._photos.get(photos)
            if not found:
                raise ExplorerError(
                    f"None of these photos is in {self.collection.name} any more: reload the page"
                )
            self._showing.add(weight, found, why=why)

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
        hidden, k = [*self._showing.latest, *named], self.row.page_size
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
        self._showing.add(weight, found, liked)

    def _update(self, row: SessionRow) -> None:
        self._sessions.update(row)
        self.row = row
        self._changes += 1
