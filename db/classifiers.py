"""The table of saved classifiers."""

from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from db.connection import Connection
from db.dialect import Vector
from db.errors import ExplorerError
from db.layout import Table

NAME_LIMIT = 80

CLASSIFIERS = Table(
    "classifiers",
    "saved classifiers",
    "id String, name String, collection String, model String, fingerprint String, prompt String, "
    "session String, method String, rounds UInt32, ups UInt32, downs UInt32, "
    "weight Array(Float32), created DateTime64(3, 'UTC'), version UInt32, deleted UInt8",
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
        created: when it was first saved.
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


class Classifiers:
    """All saved classifiers of a database.

    Saving, renaming and deleting each add a row with the next version; the latest one counts.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[SavedClassifier]:
        """Every classifier that was not deleted, newest first."""
        rows = self._connection.rows(
            "SELECT * EXCEPT (version, deleted) FROM (SELECT * FROM classifiers "
            "ORDER BY version DESC LIMIT 1 BY id) WHERE NOT deleted ORDER BY created DESC, id"
        )
        return [
            SavedClassifier(**{**row, "weight": np.asarray(row["weight"], dtype=np.float32)})
            for row in rows
        ]

    def save(self, classifier: SavedClassifier) -> None:
        """Store a new classifier.

        Raises:
            ExplorerError: the name is empty, too long or taken.
        """
        self._write(replace(classifier, name=self._free_name(classifier, classifier.name)))

    def rename(self, classifier: SavedClassifier, name: str) -> None:
        """Give a classifier another name.

        Raises:
            ExplorerError: the name is empty, too long or taken.
        """
        self._write(replace(classifier, name=self._free_name(classifier, name)))

    def delete(self, classifier: SavedClassifier) -> None:
        """Take a classifier off the list."""
        self._write(classifier, deleted=1)

    def _free_name(self, classifier: SavedClassifier, name: str) -> str:
        name = " ".join(name.split())
        if not name or len(name) > NAME_LIMIT:
            raise ExplorerError(f"Give the classifier a name of 1 to {NAME_LIMIT} characters")
        taken = {
            other.name.casefold()
            for other in self.all()
            if other.collection == classifier.collection and other.id != classifier.id
        }
        if name.casefold() in taken:
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
