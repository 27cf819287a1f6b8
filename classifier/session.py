"""One labelling session: labels, rounds, and what to show next.

prompt -> text vector -> nearest photos -> thumbs -> refit on all thumbs so far -> next photos.
Everything is stored as it happens, so that a session can be reopened as it was left.
"""

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from classifier.asking import asked, asked_before
from classifier.labelling import Labelling
from classifier.learner import Learner
from classifier.prompt import photos_of
from classifier.refit import ARTICLE, DEFAULT_METHOD, Evidence
from classifier.spread import REACH, spread
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.database import Database
from db.dialect import Vector
from db.errors import ExplorerError
from db.photo import Neighbour
from db.photos import Filter
from db.pictures import Picture
from db.sessions import DOWN, UP, SessionRow

if TYPE_CHECKING:
    # It imports torch, which takes seconds; a page that only reopens a session doesn't need it.
    from classifier.clip import Clip


class Session(Labelling):
    """A labelling session; safe to share between the tabs that show it.

    Attributes:
        collection: what it searches.
        pictures: those that it was started with.
    """

    def __init__(self, database: Database, collection: Collection, row: SessionRow) -> None:
        self._photos = database.collections.photos(collection)
        super().__init__(database, self._photos, row)
        self.collection = collection
        self.pictures: list[Picture] = []
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
        owner: str = "",
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
            owner: the name of who starts it, or "".

        Raises:
            ExplorerError: the prompt is blank or can't be understood, the model is not the
                collection's, there is no such method, or no photo passes the filter.
        """
        row, first_weight = asked(
            database, collection, clip, prompt, page_size, only, method, centring, pictures, owner
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
        session.terms.row = session._sessions.add(row)
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
