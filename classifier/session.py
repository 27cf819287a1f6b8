"""One labelling session: labels, rounds, and what to show next.

prompt -> text vector -> nearest photos -> thumbs -> refit on all thumbs so far -> next photos.
Everything is stored as it happens, so that a session can be reopened as it was left.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from db.classifiers import ARTICLE, SavedClassifier
from db.collections import Collection
from db.database import Database
from db.dialect import Vector
from db.errors import ExplorerError
from db.photos import Filter, Neighbour, Photo
from db.sessions import DOWN, NONE, UP, LabelRow, RoundRow, SessionRow

if TYPE_CHECKING:
    # Both import torch, which takes seconds; a page that only reopens a session needs neither.
    from classifier.clip import Clip
    from classifier.linear import Classifier


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
        self._lock = RLock()
        self._sessions = database.sessions
        self._photos = database.collections.photos(collection)

    @classmethod
    def start(
        cls,
        database: Database,
        collection: Collection,
        clip: "Clip",
        prompt: str,
        page_size: int = 9,
        only: Filter | None = None,
    ) -> "Session":
        """Search with a prompt, and store a new session with its first round.

        Raises:
            ExplorerError: the prompt is blank, the model is not the collection's, or no photo
                passes the filter.
        """
        if clip.fingerprint != collection.fingerprint:
            raise ExplorerError(
                f"{collection.name} can't be searched with {clip.model_id}: its vectors were made "
                f"with another version of {collection.model}. Load its photos again"
            )
        weight = clip.encode_text([prompt])[0]
        row = SessionRow(
            id=secrets.token_urlsafe(9),
            collection=collection.name,
            fingerprint=collection.fingerprint,
            prompt=prompt.strip(),
            page_size=page_size,
            only=only or Filter(),
        )
        session = cls(database, collection, row)
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

    def label(self, photo: str, label: int) -> None:
        """Give a photo a thumb (UP, DOWN) or take it away (NONE), and store that.

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

    def fitted(self) -> "Classifier":
        """The classifier refit on all thumbs so far, starting at the round's weight."""
        from classifier.linear import Classifier

        classifier = Classifier(self.current.weight)
        X, y = self._training_set()
        classifier.fit(X, y)
        return classifier

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
            weight = self.fitted().weight
            found = self._next(weight)
            if not found:
                raise ExplorerError(
                    "Every photo that passes the filter has been shown: save the classifier, "
                    "or start a new search"
                )
            self._show(weight, found)

    def to_save(self, name: str) -> SavedClassifier:
        """The classifier as it stands, ready to be stored under a name."""
        weight = self.fitted().weight
        return SavedClassifier(
            id=secrets.token_urlsafe(9),
            name=name,
            collection=self.collection.name,
            model=self.collection.model,
            fingerprint=self.collection.fingerprint,
            prompt=self.row.prompt,
            session=self.row.id,
            method=ARTICLE,
            rounds=len(self.rounds),
            ups=self.count(UP),
            downs=self.count(DOWN),
            weight=weight / np.linalg.norm(weight),
        )

    def _given(self) -> list[tuple[str, int]]:
        # A copy in one step, since another tab may be adding a thumb.
        return list(self._labels.items())

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
        self._sessions.add_labels(rows)
        for row in rows:
            self._replay(row)

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
