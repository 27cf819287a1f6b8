"""Saved classifiers published as views, for people who never open the app."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from db.classifiers import SavedClassifier
from db.connection import Connection
from db.errors import ExplorerError
from db.layout import Table
from db.moments import next_moment
from db.names import checked_name, quoted

VIEWS = Table(
    "views",
    "classifiers published as views",
    "classifier String, name String, threshold Float64, dropped UInt8, sequence UInt64, "
    "number UInt32 DEFAULT 1",
    "(classifier, sequence)",
)
_NAME_LIMIT = 50  # letters; a number may follow
_COLUMNS = ("classifier", "name", "threshold", "dropped", "number", "sequence")


@dataclass(frozen=True)
class View:
    """A classifier as a view.

    Attributes:
        name: of the view; it stays when the classifier's changes, since people's queries have it.
        threshold: the score from which on photos are in it.
        number: the classifier's version that it is.
    """

    name: str
    threshold: float
    number: int = 1

    @property
    def example(self) -> str:
        """A query of its best photos."""
        return f"SELECT id, url, score FROM {quoted(self.name)} ORDER BY score DESC LIMIT 10"


class Views:
    """The views of all classifiers of a database.

    Publishing and dropping each add a row; the latest one counts. A view that somebody dropped by
    hand is not published any more.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of(self, classifier: SavedClassifier) -> View | None:
        """The classifier's view, or None where it is not published."""
        rows = self._connection.rows(
            "SELECT name, threshold, dropped, number FROM views WHERE classifier = %(id)s "
            "ORDER BY sequence DESC LIMIT 1",
            {"id": classifier.id},
        )
        if not rows or rows[0]["dropped"]:
            return None
        if rows[0]["name"] not in self._connection.tables("engine = 'View'"):
            return None
        return View(rows[0]["name"], rows[0]["threshold"], rows[0]["number"])

    def statement(self, classifier: SavedClassifier, threshold: float) -> str:
        """What `publish` would run now."""
        published = self.of(classifier)
        name = published.name if published else self._free_name(classifier)
        return self._statement(name, classifier, threshold, replace=published is not None)

    def publish(self, classifier: SavedClassifier, threshold: float) -> View:
        """Create the classifier's view, or give it another threshold or version.

        Its columns are `id`, `url` and `score`, of the photos that score at least the threshold;
        photos that come in later are in it too.

        Args:
            classifier: a saved one, whose collection is there.
            threshold: a score.

        Raises:
            ExplorerError: the database refuses it, as to a user who may not create views.
        """
        before = self.of(classifier)
        view = View(
            before.name if before else self._free_name(classifier), threshold, classifier.number
        )
        # The row first: a view that no row tells of would be nobody's.
        self._write(classifier, view)
        try:
            self._connection.command(
                self._statement(view.name, classifier, threshold, replace=before is not None)
            )
        except ExplorerError as error:
            if not error.unfinished:  # else it may be there, or come to be, and has to have its row
                self._write(classifier, before or view, dropped=before is None)
            raise
        return view

    def drop(self, classifier: SavedClassifier) -> None:
        """Take the classifier's view away, if it has one."""
        view = self.of(classifier)
        if view is not None:
            self._connection.command(self._connection.dialect.layout.drop_view(view.name))
            self._write(classifier, view, dropped=True)

    def query(self, classifier: SavedClassifier, threshold: float) -> str:
        """What is in the view: a statement that needs no right but to read, and no view."""
        dialect = self._connection.dialect
        return (
            "SELECT id, url, score\n"
            f"FROM (SELECT id, url, {dialect.score(classifier.weight)} AS score "
            f"FROM {quoted(checked_name(classifier.collection))})\n"
            f"WHERE {single('score')} >= {single_number(threshold)}"
        )

    def _statement(
        self, name: str, classifier: SavedClassifier, threshold: float, replace: bool
    ) -> str:
        query = self.query(classifier, threshold)
        return self._connection.dialect.layout.create_view(
            checked_name(name), query, replace=replace
        )

    def _free_name(self, classifier: SavedClassifier) -> str:
        taken = {name.lower() for name in self._connection.tables()}
        return next(name for name in view_names(classifier.name) if name not in taken)

    def _write(self, classifier: SavedClassifier, view: View, dropped: bool = False) -> None:
        now = next_moment(self._connection, "views", "classifier", classifier.id)
        row = [classifier.id, view.name, view.threshold, int(dropped), view.number, now]
        self._connection.insert_rows("views", _COLUMNS, [row])


def single(score: str) -> str:
    """A score in SQL, rounded as those that the explorer ranks by.

    An engine may compute in double precision, and a photo that lies at the threshold be below it.
    """
    return f"toFloat32({score})"


def single_number(threshold: float) -> str:
    """A threshold in SQL, to be compared with such scores."""
    return single(f"{float(threshold):.12f}")


def view_name(words: str) -> str:
    """A name for a view, of what a classifier is called: lower case, letters, digits and `_`."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain)[:_NAME_LIMIT].strip("_")
    if not name or name[0].isdigit():
        name = f"classifier_{name}".rstrip("_")
    return name


def view_names(words: str) -> Iterator[str]:
    """The same name, and then ones with a number, for where it is taken."""
    base = view_name(words)
    return (base if n == 1 else f"{base}_{n}" for n in count(1))
