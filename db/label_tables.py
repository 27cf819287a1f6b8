"""Several classifiers of one collection as a table of labels, photo by classifier, in SQL.

The statements keep to what ClickHouse 23.3 knows, on which MyScale is built.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from db.classifiers import SavedClassifier
from db.connection import Connection
from db.errors import ExplorerError
from db.layout import Table
from db.moments import next_moment
from db.names import OWN, checked_name, is_name, quoted
from db.views import single, single_number, view_names

LABEL_TABLES = Table(
    "label_tables",
    "tables of labels published as views",
    "name String, collection String, classifiers Array(String), exclusive UInt8, dropped UInt8, "
    "sequence UInt64, numbers Array(UInt32), thresholds Array(Float64), columns Array(String)",
    "(name, sequence)",
)
MOST = 20  # classifiers in one table: each adds seven kilobytes to its statement
_COLUMNS = (
    *("name", "collection", "classifiers", "exclusive", "dropped", "sequence"),
    *("numbers", "thresholds", "columns"),
)
_TAKEN = ("id", "url", "label")


@dataclass(frozen=True, eq=False)
class LabelTable:
    """What a table of labels is made of.

    Attributes:
        collection: the photo table's name.
        classifiers: of that collection, 1 to MOST.
        thresholds: the score from which on each of them keeps a photo.
        exclusive: whether a photo has at most one label: that of the classifier over whose
            threshold it is the furthest, and of the first of several as far.
        called: the columns' names where they have some; else they are made of the classifiers'.
    """

    collection: str
    classifiers: Sequence[SavedClassifier]
    thresholds: Sequence[float]
    exclusive: bool
    called: Sequence[str] = ()

    @property
    def columns(self) -> list[str]:
        """What the labels are called in SQL, in the order of the classifiers.

        Beside each column `name`, 1 or 0, stands `name_score`.
        """
        if self.called:
            return list(self.called)
        taken, found = set(_TAKEN), []
        for classifier in self.classifiers:
            names = view_names(classifier.name)
            free = next(name for name in names if not {name, f"{name}_score"} & taken)
            taken |= {free, f"{free}_score"}
            found.append(free)
        return found


@dataclass(frozen=True)
class PublishedTable:
    """A table of labels that is a view.

    Attributes:
        name: the view's.
        classifiers: the ids of those in it.
        exclusive: whether a photo has at most one label.
        numbers: the version of each that is in it; none where an earlier version of the explorer
            published it, which told neither these nor the next two.
        thresholds: the score from which on each keeps a photo.
        columns: what the labels are called; they stay when a classifier gets another name, since
            people's queries have them.
    """

    name: str
    classifiers: tuple[str, ...]
    exclusive: bool
    numbers: tuple[int, ...] = ()
    thresholds: tuple[float, ...] = ()
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: LabelTable, name: str) -> "PublishedTable":
        """A table under a view's name."""
        ids = tuple(classifier.id for classifier in table.classifiers)
        numbers = tuple(classifier.number for classifier in table.classifiers)
        thresholds, columns = tuple(map(float, table.thresholds)), tuple(table.columns)
        return cls(name, ids, table.exclusive, numbers, thresholds, columns)

    @property
    def follows(self) -> bool:
        """Whether enough is known of it to put other versions in."""
        return bool(self.numbers)

    @property
    def example(self) -> str:
        """A query of how many photos have each label, or of some of its rows."""
        if self.exclusive:
            return f"SELECT label, count() FROM {quoted(self.name)} GROUP BY label"
        return f"SELECT * FROM {quoted(self.name)} LIMIT 10"


class LabelTables:
    """The tables of labels of a database.

    Publishing and dropping each add a row; the latest one of a name counts. A view that somebody
    dropped by hand is not published any more.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, table: LabelTable) -> pa.Table:
        """All photos with their scores and labels, in the columns of the view."""
        return self._connection.arrow(f"{self._select(table)}\nORDER BY id")

    def published(self, collection: str) -> list[PublishedTable]:
        """The views of a collection, by name."""
        rows = self._connection.rows(
            "SELECT name, classifiers, exclusive, numbers, thresholds, columns "
            "FROM (SELECT * FROM label_tables ORDER BY sequence DESC LIMIT 1 BY name) "
            "WHERE NOT dropped AND collection = %(collection)s ORDER BY name",
            {"collection": collection},
        )
        there = self._connection.tables("engine = 'View'")
        return [
            PublishedTable(
                row["name"],
                tuple(row["classifiers"]),
                bool(row["exclusive"]),
                tuple(row["numbers"]),
                tuple(row["thresholds"]),
                tuple(row["columns"]),
            )
            for row in rows
            if row["name"] in there
        ]

    def statement(self, table: LabelTable, name: str) -> str:
        """What `publish` would run now.

        Raises:
            ExplorerError: the name can't be used.
        """
        replaces = self._is_ours(table.collection, _usable(name))
        if not replaces and name.lower() in {other.lower() for other in self._connection.tables()}:
            raise ExplorerError(
                f"There is a table or view {name} already: choose another name for this one"
            )
        return self._connection.dialect.layout.create_view(
            name, self._select(table), replace=replaces is not None
        )

    def publish(self, table: LabelTable, name: str) -> None:
        """Create a view of a table, or put this one in place of the view of that name.

        Raises:
            ExplorerError: the name can't be used, or the database refuses it.
        """
        before = self._is_ours(table.collection, name)
        statement = self.statement(table, name)
        now = PublishedTable.of(table, name)
        # The row first: a view that no row tells of would be nobody's.
        self._write(table.collection, now)
        try:
            self._connection.command(statement)
        except ExplorerError as error:
            if not error.unfinished:  # else it may be there, or come to be, and has to have its row
                self._write(table.collection, before or now, dropped=before is None)
            raise

    def drop(self, collection: str, published: PublishedTable) -> None:
        """Take a view away."""
        name = checked_name(published.name)
        self._connection.command(self._connection.dialect.layout.drop_view(name))
        self._write(collection, published, dropped=True)

    def drop_all(self, collection: str) -> None:
        """Take all views of a collection away."""
        for published in self.published(collection):
            self.drop(collection, published)

    def _is_ours(self, collection: str, name: str) -> PublishedTable | None:
        return next((one for one in self.published(collection) if one.name == name), None)

    def _select(self, table: LabelTable) -> str:
        if not 1 <= len(table.classifiers) <= MOST:
            raise ExplorerError(
                f"A table of labels has 1 to {MOST} classifiers, and this one has "
                f"{len(table.classifiers)}: choose fewer, or some"
            )
        columns = table.columns
        score = self._connection.dialect.score
        scores = "".join(
            f", {score(classifier.weight)} AS {quoted(f'{name}_score')}"
            for name, classifier in zip(columns, table.classifiers, strict=True)
        )
        photos = f"SELECT id, url{scores} FROM {quoted(checked_name(table.collection))}"
        return (_exclusive if table.exclusive else _each)(columns, table.thresholds, photos)

    def _write(self, collection: str, table: PublishedTable, dropped: bool = False) -> None:
        now = next_moment(self._connection, "label_tables", "name", table.name)
        row = [table.name, collection, list(table.classifiers), int(table.exclusive), int(dropped)]
        made = [list(table.numbers), list(table.thresholds), list(table.columns)]
        self._connection.insert_rows("label_tables", _COLUMNS, [[*row, now, *made]])


def _each(columns: Sequence[str], thresholds: Sequence[float], photos: str) -> str:
    labels = "".join(
        f", {quoted(f'{name}_score')}, "
        f"toUInt8({single(quoted(f'{name}_score'))} >= {single_number(threshold)}) "
        f"AS {quoted(name)}"
        for name, threshold in zip(columns, thresholds, strict=True)
    )
    return f"SELECT id, url{labels}\nFROM ({photos})"


def _exclusive(columns: Sequence[str], thresholds: Sequence[float], photos: str) -> str:
    margins = ", ".join(
        f"{single(quoted(f'{name}_score'))} - {single_number(threshold)}"
        for name, threshold in zip(columns, thresholds, strict=True)
    )
    # Names of columns are letters, digits and underscores, so that they may stand in quotes.
    names = ", ".join(f"'{name}'" for name in ("", *columns))
    labels = "".join(
        f", {quoted(f'{name}_score')}, toUInt8(place = {place}) AS {quoted(name)}"
        for place, name in enumerate(columns, 1)
    )
    return (
        f"SELECT id, url, [{names}][place + 1] AS label{labels}\n"
        "FROM (SELECT *, if(arrayMax(margins) >= 0, indexOf(margins, arrayMax(margins)), 0) "
        f"AS place\nFROM (SELECT *, [{margins}] AS margins\nFROM ({photos})))"
    )


def _usable(name: str) -> str:
    if not is_name(name) or name.lower() in OWN:
        raise ExplorerError(
            f"{name!r} can't name a view: use 1 to 64 letters, digits and underscores, not "
            "starting with a digit, and no name of the explorer's own tables"
        )
    return name
