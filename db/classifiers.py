"""The table of saved classifiers, with all their versions."""

from collections import defaultdict
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from threading import Lock
from typing import Any

import numpy as np

from db.arrivals import latest_arrival
from db.connection import Connection
from db.dialect import Vector
from db.errors import ExplorerError
from db.layout import Table
from db.words import one_line

NAME_LIMIT = 80

CLASSIFIERS = Table(
    "classifiers",
    "saved classifiers",
    "id String, name String, collection String, model String, fingerprint String, prompt String, "
    "session String, method String, rounds UInt32, ups UInt32, downs UInt32, "
    "weight Array(Float32), created DateTime64(3, 'UTC'), version UInt32, deleted UInt8, "
    "number UInt32 DEFAULT 1, saved DateTime64(3, 'UTC') DEFAULT created, "
    "threshold Nullable(Float64), seen UInt64 DEFAULT 0, owner String DEFAULT ''",
    "(id, version)",
)


@dataclass(frozen=True, eq=False)
class SavedClassifier:
    """A classifier that was given a name.

    Attributes:
        id: stays when the name changes.
        name: unique in its collection.
        collection: the photo table it was trained on.
        model: the CLIP checkpoint behind the collection's vectors.
        fingerprint: of that checkpoint's weights.
        prompt: what it started from.
        session: the session that trained it.
        method: how it was refit.
        rounds: how many rounds were shown.
        ups: thumbs up it was fit on.
        downs: thumbs down it was fit on.
        weight: float32 (512,), unit norm.
        created: when its first version was saved.
        number: of this version of it, from 1 on.
        saved: when this version was.
        threshold: the score from which on this version keeps photos, or None where nobody chose.
        seen: the latest arrival in the collection by then; see db.arrivals.
        owner: who made it; "" where nobody signed in: it is anybody's.
    """

    id: str
    name: str
    collection: str
    model: str
    fingerprint: str
    prompt: str
    session: str
    method: str
    rounds: int
    ups: int
    downs: int
    weight: Vector
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    number: int = 1
    saved: datetime = field(default_factory=lambda: datetime.now(UTC))
    threshold: float | None = None
    seen: int = 0
    owner: str = ""

    @property
    def title(self) -> str:
        """What tells it from those of other collections, too."""
        return f"{self.name} · {self.collection}"


# Between asking which version is the latest and writing the next one.
_WRITING = Lock()


class Classifiers:
    """All saved classifiers of a database.

    Saving, renaming, going to another version and deleting each add a row; the latest row of a
    classifier counts, and of a version of it the latest row of that version. (The column `version`
    numbers the rows, `number` the versions that a person sees.)
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[SavedClassifier]:
        """Every classifier that was not deleted, in its current version, newest first."""
        return self._read(
            "SELECT * EXCEPT (version, deleted) FROM (SELECT * FROM classifiers "
            "ORDER BY version DESC LIMIT 1 BY id) WHERE NOT deleted ORDER BY created DESC, id"
        )

    def find(self, classifier: str) -> SavedClassifier | None:
        """The classifier of that id, if there is one."""
        return next((found for found in self.all() if found.id == classifier), None)

    def named(self, collection: str, name: str) -> SavedClassifier | None:
        """The classifier of that name in a collection, in capitals or not, if there is one."""
        wanted = one_line(name).casefold()
        return next((c for c in self._of(collection) if c.name.casefold() == wanted), None)

    def unused(self, collection: str, name: str) -> str:
        """A name like this one that no classifier of the collection has."""
        taken = {classifier.name.casefold() for classifier in self._of(collection)}
        ends = (f" {n}" for n in count(2))
        names = (f"{one_line(name)[: NAME_LIMIT - len(end)]}{end}" for end in ends)
        return next(free for free in names if free.casefold() not in taken)

    def versions(self, classifier: SavedClassifier) -> list[SavedClassifier]:
        """Every version of a classifier, the latest first, under its current name."""
        found = self._read(
            "SELECT * EXCEPT (version, deleted) FROM classifiers WHERE id = %(id)s "
            "ORDER BY number DESC, version DESC LIMIT 1 BY number",
            {"id": classifier.id},
        )
        return [replace(version, name=classifier.name) for version in found]

    def version(self, classifier: str, number: int) -> SavedClassifier | None:
        """A version of a classifier, which may have been deleted since; None where there is none.

        Args:
            classifier: its id.
            number: the version's.
        """
        found = self._read(
            "SELECT * EXCEPT (version, deleted) FROM classifiers "
            "WHERE id = %(id)s AND number = %(number)s ORDER BY version DESC LIMIT 1",
            {"id": classifier, "number": number},
        )
        return found[0] if found else None

    def by_session(self) -> dict[str, list[tuple[SavedClassifier, int]]]:
        """By session, the classifiers that it made some version of, newest first.

        Each is there in its current version, beside the number of the session's own latest one.
        """
        rows = self._connection.rows(
            "SELECT session, id, max(number) AS own FROM classifiers GROUP BY session, id"
        )
        made: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for row in rows:
            made[row["id"]][row["session"]] = row["own"]
        found: defaultdict[str, list[tuple[SavedClassifier, int]]] = defaultdict(list)
        for one in self.all():
            for session, own in made[one.id].items():
                found[session].append((one, own))
        return dict(found)

    def save(self, classifier: SavedClassifier) -> None:
        """Store a new classifier.

        Raises:
            ExplorerError: the name is empty, too long or taken.
        """
        name = self._free_name(classifier, classifier.name)
        self._write(self._seeing(replace(classifier, name=name)))

    def add_version(self, of: SavedClassifier, fit: SavedClassifier) -> SavedClassifier:
        """Store a fit as the next version of a classifier, whose current one it is from now on.

        Args:
            of: the classifier; that of its versions which counted so far is kept.
            fit: what to store, under the name and id of `of`.

        Returns:
            The version as it is stored.

        Raises:
            ExplorerError: the classifier was deleted, as it may be while a version is being fit.
        """
        with _WRITING:
            self._require(of)
            number = 1 + max((v.number for v in self.versions(of)), default=0)
            version = replace(fit, id=of.id, name=of.name, created=of.created, owner=of.owner)
            version = self._seeing(replace(version, number=number))
            self._write(version)
        return version

    def use(self, version: SavedClassifier) -> None:
        """Have a version, as it is here, be the classifier's current one.

        Raises:
            ExplorerError: the classifier was deleted.
        """
        with _WRITING:
            self._require(version)
            self._write(version)

    def rename(self, classifier: SavedClassifier, name: str) -> None:
        """Give a classifier another name.

        Raises:
            ExplorerError: the name is empty, too long or taken, or the classifier was deleted.
        """
        with _WRITING:
            current = self._require(classifier)
            self._write(replace(current, name=self._free_name(current, name)))

    def delete(self, classifier: SavedClassifier) -> None:
        """Take a classifier off the list."""
        with _WRITING:
            self._write(classifier, deleted=1)

    def _require(self, classifier: SavedClassifier) -> SavedClassifier:
        """A classifier as it is now; a row more would bring one back that was deleted."""
        current = self.find(classifier.id)
        if current is None:
            raise ExplorerError(
                f"{classifier.name} was deleted meanwhile: save its session again on the Label page"
            )
        return current

    def _of(self, collection: str) -> list[SavedClassifier]:
        return [classifier for classifier in self.all() if classifier.collection == collection]

    def _read(self, sql: str, bound: dict[str, Any] | None = None) -> list[SavedClassifier]:
        return [
            SavedClassifier(**{**row, "weight": np.asarray(row["weight"], dtype=np.float32)})
            for row in self._connection.rows(sql, bound)
        ]

    def _seeing(self, classifier: SavedClassifier) -> SavedClassifier:
        return replace(classifier, seen=latest_arrival(self._connection, classifier.collection))

    def _free_name(self, classifier: SavedClassifier, name: str) -> str:
        name = one_line(name)
        if not name or len(name) > NAME_LIMIT:
            raise ExplorerError(f"Give the classifier a name of 1 to {NAME_LIMIT} characters")
        there = self.named(classifier.collection, name)
        if there is not None and there.id != classifier.id:
            raise ExplorerError(
                f"A classifier named {name!r} is there already: choose another name"
            )
        return name

    def _write(self, classifier: SavedClassifier, deleted: int = 0) -> None:
        version = self._connection.command(
            "SELECT max(version) + 1 FROM classifiers WHERE id = %(id)s", {"id": classifier.id}
        )
        row = asdict(classifier) | {"weight": classifier.weight.tolist()}
        self._connection.insert("classifiers", row | {"version": int(version), "deleted": deleted})
