"""A classifier's check sample behind a desk: random photos above its threshold."""

import time
from contextlib import AbstractContextManager, nullcontext

from classifier.precision import wilson
from db.checks import Check
from db.classifiers import SavedClassifier
from db.database import Database
from db.errors import ExplorerError, GoneError
from db.sessions import DOWN, NONE, UNSURE, UP
from pages.desk.board import Act, Answer, Show, State
from pages.desk.photos import facts


class CheckBoard:
    """See pages.desk.board.Board."""

    def __init__(
        self, database: Database, classifier: SavedClassifier, check: Check, threshold: float
    ) -> None:
        self._database = database
        self._classifier = classifier
        self._check = check
        self._threshold = threshold

    @classmethod
    def of(cls, database: Database, key: str) -> "CheckBoard":
        """The board of a `key`.

        Raises:
            GoneError: the classifier was deleted, or another sample was drawn since.
        """
        name, _, rest = key.partition("~")
        drawn, _, threshold = rest.partition("~")
        found = [one for one in database.classifiers.all() if one.id == name]
        check = database.checks.latest(name) if found else None
        if check is None or str(check.drawn) != drawn:
            raise GoneError("This check sample is not the latest any more: reload the page")
        try:
            return cls(database, found[0], check, float(threshold))
        except ValueError as error:
            raise GoneError("There is no such check sample: reload the page") from error

    @property
    def key(self) -> str:
        """What names this board in an address: its classifier, sample and threshold."""
        return f"{self._classifier.id}~{self._check.drawn}~{self._threshold:.6f}"

    def together(self) -> AbstractContextManager[None]:
        """See Board. Each mark is stored by itself."""
        return nullcontext()

    def act(self, act: Act) -> Answer:
        """See Board. A sample has no rounds, and no undo: only marks."""
        if act.do != "mark":
            raise ExplorerError(f"A check sample has no {act.do!r}: reload the page")
        if act.label not in (UP, DOWN, UNSURE, NONE):
            raise ExplorerError(f"There is no mark {act.label}: reload the page")
        for photo in act.photos:
            if photo not in self._check.labels:
                raise ExplorerError(f"The photo {photo!r} is not in this sample: reload the page")
            if self._check.labels[photo] != act.label:
                self._database.checks.label(self._classifier.id, self._check, photo, act.label)
                self._check.labels[photo] = act.label
        return Answer()

    def state(self, _show: Show) -> State:
        """See Board."""
        collection = self._database.collections.find(self._classifier.collection)
        if collection is None:
            raise GoneError(f"The collection {self._classifier.collection} is gone")
        found = self._database.collections.photos(collection).get(list(self._check.labels))
        weight = self._classifier.weight
        scored = [(near.photo, float(near.vector @ weight)) for near in found]
        kept = [(photo, score) for photo, score in scored if score >= self._threshold]
        marks = {p.id: self._check.labels[p.id] for p, _ in kept}
        given = list(marks.values())
        return {
            "can": [],
            "at": time.monotonic_ns() // 1_000_000,
            "title": self._classifier.name,
            "collection": collection.name,
            "filters": [],
            "rounds": 0,
            "round": 0,
            "liked": "",
            "photos": [facts(collection.name, photo, score) for photo, score in kept],
            "stacks": [[place] for place in range(len(kept))],
            "marks": {photo: mark for photo, mark in marks.items() if mark != NONE},
            "ups": given.count(UP),
            "downs": given.count(DOWN),
            "unsure": given.count(UNSURE),
            "shares": [],
            "turns": [],
            "verdict": None,
            "note": verdict(given.count(UP), given.count(DOWN), len(kept)),
            "undo": None,
            "redo": None,
            "unstored": 0,
            "trouble": "",
        }


def verdict(ups: int, downs: int, shown: int) -> str:
    """What the thumbs of a sample tell of the precision, with its interval."""
    n = ups + downs
    if not n:
        return f"Mark these {shown} photos: yes where the classifier is right, no where it is not"
    low, high = wilson(ups, n)
    rest = f", {shown - n} left" if shown > n else ""
    return (
        f"Precision {ups / n:.0%}, with 95 % confidence between {low:.0%} and {high:.0%} "
        f"({ups} of {n} right{rest})"
    )
