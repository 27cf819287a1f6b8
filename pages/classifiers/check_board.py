"""A classifier's check sample behind a desk: photos that chance chose, without their scores."""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from classifier.estimates.population import Population
from db.checks import Check
from db.classifiers import SavedClassifier
from db.database import Database
from db.errors import ExplorerError, GoneError
from db.photos import PhotoTable
from db.sessions import DOWN, NONE, UNSURE, UP
from pages.classifiers.populations import populations
from pages.classifiers.verdict import verdict
from pages.desk.board import Act, Answer, Show, State, allowed, require_act
from pages.desk.photos import facts
from pages.people.person import Person, require_own

PAGE = 60  # photos on one desk


class CheckBoard:
    """See pages.desk.board.Board.

    Args:
        database: theirs.
        classifier: the one that is judged.
        check: its latest sample.
        threshold: the score that what is kept has at least.
        person: who marks it.
        page: 1 for the first PAGE photos of the sample.
    """

    def __init__(
        self,
        database: Database,
        classifier: SavedClassifier,
        check: Check,
        threshold: float,
        person: Person,
        page: int = 1,
    ) -> None:
        self._database = database
        self._classifier = classifier
        self._check = check
        self._threshold = threshold
        self._person = person
        self._page = page

    @classmethod
    def of(cls, database: Database, key: str, person: Person) -> "CheckBoard":
        """The board of a `key`, for a person.

        Raises:
            GoneError: the classifier was deleted, or another sample was drawn since.
        """
        name, drawn, threshold, page = (*key.split("~"), "", "", "", "")[:4]
        found = [one for one in database.classifiers.all() if one.id == name]
        check = database.checks.latest(name) if found else None
        if check is None or str(check.drawn) != drawn:
            raise GoneError("This check sample is not the latest any more: reload the page")
        try:
            return cls(database, found[0], check, float(threshold), person, max(1, int(page)))
        except ValueError as error:
            raise GoneError("There is no such check sample: reload the page") from error

    @property
    def key(self) -> str:
        """What names this board in an address: its classifier, sample, threshold and page."""
        parts = (self._classifier.id, self._check.drawn, f"{self._threshold:.9f}", self._page)
        return "~".join(map(str, parts))

    def together(self) -> AbstractContextManager[None]:
        """See Board. Each mark is stored by itself."""
        return nullcontext()

    @property
    def at(self) -> int:
        """See Board. A sample counts nothing: whatever is told last is the newest."""
        return time.monotonic_ns() // 1_000_000

    def crossed(self) -> Mapping[str, str]:
        """See Board. Whoever marks a sample last is right."""
        return {}

    def act(self, act: Act) -> Answer:
        """See Board. A sample has no rounds, and no undo: only marks."""
        require_act(self._person, act)
        require_own(self._person, self._classifier.owner, f"“{self._classifier.name}”")
        if act.do == "rest":
            page = self._on_page(self._population(self._table()))
            self._label([p for p in page if self._check.labels[p] == NONE], DOWN)
            return Answer()
        if act.do != "mark":
            raise ExplorerError(f"A check sample has no {act.do!r}: reload the page")
        if act.label not in (UP, DOWN, UNSURE, NONE):
            raise ExplorerError(f"There is no mark {act.label}: reload the page")
        for photo in act.photos:
            if photo not in self._check.labels:
                raise ExplorerError(f"The photo {photo!r} is not in this sample: reload the page")
        self._label([p for p in act.photos if self._check.labels[p] != act.label], act.label)
        return Answer()

    def state(self, _show: Show) -> State:
        """See Board."""
        table = self._table()
        population = self._population(table)
        photos = [near.photo for near in table.get(self._on_page(population))]
        marks = {photo.id: self._check.labels[photo.id] for photo in photos}
        given = list(marks.values())
        collection = self._classifier.collection
        return {
            "can": self._can(),
            "at": self.at,
            "live": False,
            "title": self._classifier.name,
            "collection": collection,
            "filters": [],
            "rounds": 0,
            "round": 0,
            "key": "",
            "liked": "",
            "photos": [facts(collection, photo) for photo in photos],
            "stacks": [[place] for place in range(len(photos))],
            "marks": {photo: mark for photo, mark in marks.items() if mark != NONE},
            "by": {},
            "also": {},
            "ups": given.count(UP),
            "downs": given.count(DOWN),
            "unsure": given.count(UNSURE),
            "shares": [],
            "turns": [],
            "verdict": None,
            "note": verdict(
                population.evidence(self._check.labels),
                self._threshold,
                len(population.there(self._check.labels)),
                len(population.came(self._check.labels)),
            ),
            "undo": None,
            "redo": None,
            "unstored": 0,
            "trouble": "",
        }

    def _can(self) -> list[str]:
        own = self._person.may_change(self._classifier.owner)
        return allowed(self._person, ("mark", "rest")) if own else []

    def _table(self) -> PhotoTable:
        collection = self._database.collections.find(self._classifier.collection)
        if collection is None:
            raise GoneError(f"The collection {self._classifier.collection} is gone")
        return self._database.collections.photos(collection)

    def _population(self, table: PhotoTable) -> Population:
        return populations.get(self._database, self._classifier, self._check, table)

    def _on_page(self, population: Population) -> list[str]:
        there = population.there(self._check.labels)
        return there[(self._page - 1) * PAGE : self._page * PAGE]

    def _label(self, photos: list[str], label: int) -> None:
        if photos:
            self._database.checks.label_all(self._classifier.id, self._check, photos, label)
            self._check.labels.update(dict.fromkeys(photos, label))
