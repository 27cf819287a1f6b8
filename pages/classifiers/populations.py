"""The collections under check samples that this process has seen lately.

A mark on a check sample is answered with what all marks tell, which takes every photo's score: they
are read once, and again when photos came or went.
"""

from collections import OrderedDict
from threading import Lock

from classifier.estimates.population import Population
from db.checks import Check
from db.classifiers import SavedClassifier
from db.database import Database
from db.photos import PhotoTable
from db.rows import Rows

_MOST = 4


class Populations:
    """Populations by their classifier, sample and photos; beyond some the oldest go."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[object, ...], Population] = OrderedDict()
        self._lock = Lock()

    def get(
        self, database: Database, classifier: SavedClassifier, check: Check, table: PhotoTable
    ) -> Population:
        """The collection of a classifier, in the strata of its check sample."""
        cuts = check.strata.cuts if check.strata else ()
        state = Rows(database.connection, table).state()
        key = (classifier.id, classifier.weight.tobytes(), check.drawn, cuts, state)
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        ranking = table.scores(classifier.weight)
        found = Population.of(classifier.weight, check, table, ranking)
        with self._lock:
            self._known[key] = found
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return found


populations = Populations()
