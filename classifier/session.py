"""One labelling session: labels, rounds, and what to show next.

prompt -> text vector -> nearest photos -> thumbs -> refit on all thumbs so far -> next photos.
Everything is stored as it happens, so that a session can be reopened as it was left.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from classifier.prompt import combine, parse
from classifier.refit import (
    ARTICLE,
    DEFAULT_METHOD,
    METHODS,
    Evidence,
    refit_article,
    refit_checked,
)
from classifier.whitening import Whitening
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.database import Database
from db.dialect import Vector
from db.errors import ExplorerError
from db.photos import Filter, Neighbour, Photo
from db.sessions import DOWN, NONE, UP, LabelRow, RoundRow, SessionRow

if TYPE_CHECKING:
    # It imports torch, which takes seconds; a page that only reopens a session doesn't need it.
    from classifier.clip import Clip

# Photos that tell what a collection's vectors have in common.
SAMPLED = 5000
# Thumbs below which no verdict is given.
EVIDENT = 10


@dataclass(frozen=True, eq=False)
class Round:
    """What one search showed.

    Attributes:
        number: 1 for the prompt alone, one more with each refinement.
        weight: float32 (512,), what was searched with.
        photos: n photos, nearest first.
        vectors: float32 (n, 512), unit norm.
        scores: float32 (n,), the photos' scores under the weight.
    """

    number: int
    weight: Vector
    photos: tuple[Photo, ...]
    vectors: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Action:
    """One click that can be undone: the labels before it, by photo."""

    number: int
    before: Mapping[str, int]


class Session:
    """A labelling session; safe to share between the tabs that show it."""

    def __init__(self, database: Database, collection: Collection, row: SessionRow) -> None:
        self.row = row
        self.collection = collection
        self.rounds: list[Round] = []
        self._labels: dict[str, int] = {}
        self._actions: list[_Action] = []
        self._sequence = 0
        self._unstored: list[LabelRow] = []
        self._trouble = ""
        self._lock = RLock()
        self._sessions = database.sessions
        self._photos = database.collections.photos(collection)
        self._whitening: Whitening | None = None

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

        Raises:
            ExplorerError: the prompt is blank or can't be understood, the model is not the
                collection's, there is no such method, or no photo passes the filter.
        """
        if method not in METHODS:
            raise ExplorerError(f"There is no method {method!r}: use {' or '.join(METHODS)}")
        if clip.fingerprint != collection.fingerprint:
            raise ExplorerError(
                f"{collection.name} can't be searched with {clip.model_id}: its vectors were made "
                f"with another version of {collection.model}. Delete it on the Collection page, "
                "and load its photos again"
            )
        row = SessionRow(
            id=secrets.token_urlsafe(9),
            collection=collection.name,
            fingerprint=collection.fingerprint,
            prompt=prompt.strip(),
            page_size=page_size,
            only=only or Filter(),
            method=method,
        )
        session = cls(database, collection, row)
        weight = combine(parse(prompt), clip.encode_text, session._photo_term)
        found = session._next(weight)
        if not found and session.row.only != Filter():
            raise ExplorerError("No photo passes the filter: take a condition away")
        if not found:
            raise ExplorerError(f"{collection.name} has no photos yet: load some")
        session._sessions.add(row)
        session._show(weight, found)
        return session

    @classmethod
    def reopen(cls, database: Database, session_id: str) -> "Session":
        """Restore a session as it was left.

        Raises:
            ExplorerError: there is no such session, or its collection is gone or was made anew.
        """
        row = database.sessions.find(session_id)
        if row is None:
            raise ExplorerError(
                f"There is no session {session_id!r} in this database: type a prompt to start one"
            )
        collection = database.collections.find(row.collection)
        if collection is None or collection.fingerprint != row.fingerprint:
            raise ExplorerError(
                f"The session {row.prompt!r} belongs to a collection that is gone "
                f"or was made anew with another model ({row.collection}): start a new one"
            )
        session = cls(database, collection, row)
        session._restore_rounds()
        for label in session._sessions.labels(row.id):
            session._replay(label)
        return session

    @property
    def labels(self) -> dict[str, int]:
        """The thumbs that stand, UP or DOWN by photo id."""
        return {photo: label for photo, label in self._given() if label != NONE}

    @property
    def current(self) -> Round:
        """The round on screen."""
        return self.rounds[-1]

    def count(self, label: int) -> int:
        """How many photos have that label."""
        return sum(1 for _, given in self._given() if given == label)

    def share_of_ups(self) -> list[float | None]:
        """The ups among the thumbs of each round; None for a round without thumbs."""
        shares: list[float | None] = []
        labels = self.labels
        for shown in self.rounds:
            given = [labels[p.id] for p in shown.photos if p.id in labels]
            shares.append(given.count(UP) / len(given) if given else None)
        return shares

    def can_undo(self) -> bool:
        """Whether there is a thumb to take back."""
        return bool(self._actions)

    @property
    def unstored(self) -> int:
        """How many thumbs (and undoings) the database has not taken yet."""
        return len(self._unstored)

    @property
    def trouble(self) -> str:
        """Why there are unstored thumbs, in one line, or ""."""
        return self._trouble

    def store(self) -> None:
        """Store what is unstored; where the database doesn't take it, it is kept as it is.

        A row that was stored although no answer came is sent again: it counts once.
        """
        with self._lock:
            if not self._unstored:
                return
            try:
                self._sessions.add_labels(self._unstored)
            except ExplorerError as error:
                self._trouble = str(error)
            else:
                self._unstored, self._trouble = [], ""

    def label(self, photo: str, label: int) -> None:
        """Give a photo a thumb (UP, DOWN) or take it away (NONE), and store that.

        While the database doesn't take it, it stands all the same: see `unstored`.

        Raises:
            ExplorerError: the photo was not shown in this session.
        """
        with self._lock:
            if not any(photo == shown.id for r in self.rounds for shown in r.photos):
                raise ExplorerError(f"The photo {photo!r} was not shown in this session")
            if self._labels.get(photo, NONE) != label:
                self._act({photo: label})

    def rest_are_no(self) -> None:
        """Thumb down every photo of the latest round that has no thumb."""
        with self._lock:
            rest = {p.id: DOWN for p in self.current.photos if p.id not in self.labels}
            if rest:
                self._act(rest)

    def undo(self) -> None:
        """Take the last click back, whatever round it was in."""
        with self._lock:
            if self._actions:
                last = self._actions[-1]
                self._act(last.before, undoes=last.number)

    def fitted(self) -> Vector:
        """The weight, float32 (512,), refit on all thumbs so far by the session's method."""
        X, y = self._training_set()
        if self.row.method == ARTICLE:
            return refit_article(self.current.weight, X, y)
        return refit_checked(self.rounds[0].weight, X, y, self.whitening()).weight

    def evidence(self) -> Evidence | None:
        """How well the refit tells the thumbs apart, beside the prompt alone.

        None where nothing honest can be said: with fewer than EVIDENT thumbs, fewer than two of
        either kind, before the third round, or for a method that doesn't leave thumbs out.
        """
        X, y = self._training_set()
        if self.row.method == ARTICLE or len(y) < EVIDENT or len(self.rounds) < 3:
            return None
        return refit_checked(self.rounds[0].weight, X, y, self.whitening()).evidence

    def turns(self) -> list[float]:
        """By how many degrees each round's weight is turned from that of the round before."""
        units = [r.weight / np.linalg.norm(r.weight) for r in self.rounds]
        cosines = [float(a @ b) for a, b in pairwise(units)]
        return [float(np.degrees(np.arccos(min(1.0, cosine)))) for cosine in cosines]

    def whitening(self) -> Whitening:
        """What the collection's vectors have in common, measured once a session."""
        with self._lock:
            if self._whitening is None:
                self._whitening = Whitening.of(self._photos.sample(SAMPLED))
            return self._whitening

    def refine(self, after: int | None = None) -> None:
        """Refit and show the next photos, none of which was shown before.

        Without thumbs the weight stays, and the next nearest photos come.

        Args:
            after: how many rounds there were when this was asked for; where there are more by
                now, as after a double click, nothing is done.

        Raises:
            ExplorerError: every photo that passes the filter was shown.
        """
        with self._lock:
            if after is not None and len(self.rounds) > after:
                return
            weight = self.fitted()
            found = self._next(weight)
            if not found:
                raise ExplorerError(
                    "Every photo that passes the filter has been shown: save the classifier, "
                    "or start a new search"
                )
            self._show(weight, found)

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

    def _given(self) -> list[tuple[str, int]]:
        # A copy in one step, since another tab may be adding a thumb.
        return list(self._labels.items())

    def _photo_term(self, photo: str) -> Vector:
        """What sets a photo apart from the others of its collection, float32 (512,), unit norm."""
        found = self._photos.get([photo])
        if not found:
            raise ExplorerError(f"{self.collection.name} has no photo {photo!r}: take it away")
        apart = found[0].vector - self.whitening().mean
        length = np.linalg.norm(apart)
        vector: Vector = apart / length if length > 0 else found[0].vector
        return vector

    def _next(self, weight: Vector) -> list[Neighbour]:
        shown = [photo.id for r in self.rounds for photo in r.photos]
        return self._photos.search(weight, self.row.page_size, shown, self.row.only)

    def _show(self, weight: Vector, found: list[Neighbour]) -> None:
        number = len(self.rounds) + 1
        ids = tuple(neighbour.photo.id for neighbour in found)
        self._sessions.add_round(RoundRow(self.row.id, number, weight, ids))
        self.rounds.append(_to_round(number, weight, found))

    def _restore_rounds(self) -> None:
        rows = self._sessions.rounds(self.row.id)
        found = self._photos.get([photo for row in rows for photo in row.photos])
        by_id = {neighbour.photo.id: neighbour for neighbour in found}
        for row in rows:
            photos = [by_id[photo] for photo in row.photos if photo in by_id]
            self.rounds.append(_to_round(row.round, row.weight, photos))

    def _training_set(self) -> tuple[npt.NDArray[np.float32], list[int]]:
        """Vectors float32 (n, 512) and labels of the n photos with thumbs, in order of showing."""
        labels = self.labels
        pairs = [
            (vector, labels[photo.id])
            for shown in self.rounds
            for photo, vector in zip(shown.photos, shown.vectors, strict=True)
            if photo.id in labels
        ]
        if not pairs:
            return np.empty((0, len(self.current.weight)), dtype=np.float32), []
        return np.stack([vector for vector, _ in pairs]), [label for _, label in pairs]

    def _act(self, labels: Mapping[str, int], undoes: int = 0) -> None:
        # The clock keeps two processes apart that label one session; the maximum keeps the order
        # even where the clock is set back.
        action = max(self._sequence + 1, time.time_ns())
        rows = [
            LabelRow(self.row.id, action + i, action, undoes, photo, label, len(self.rounds))
            for i, (photo, label) in enumerate(labels.items())
        ]
        for row in rows:
            self._replay(row)
        self._unstored += rows
        self.store()

    def _replay(self, row: LabelRow) -> None:
        self._sequence = row.sequence
        before = self._labels.get(row.photo, NONE)
        self._labels[row.photo] = row.label
        if row.undoes:
            self._actions = [action for action in self._actions if action.number != row.undoes]
        elif self._actions and self._actions[-1].number == row.action:
            last = self._actions[-1]
            self._actions[-1] = _Action(last.number, {**last.before, row.photo: before})
        else:
            self._actions.append(_Action(row.action, {row.photo: before}))


def _to_round(number: int, weight: Vector, found: list[Neighbour]) -> Round:
    vectors = np.stack([n.vector for n in found]) if found else np.empty((0, len(weight)), "f4")
    scores = vectors @ (weight / np.linalg.norm(weight))
    return Round(number, weight, tuple(n.photo for n in found), vectors, scores)
