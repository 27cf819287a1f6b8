"""One database: its connection and all its tables, wired together."""

import logging
from collections.abc import Sequence

from db.answers import PAGE
from db.audit import AUDIT, Audit
from db.checks import CHECK_STRATA, CHECKS, Checks
from db.classifiers import CLASSIFIERS, Classifiers, SavedClassifier
from db.collections import COLLECTIONS, Collection, Collections
from db.connection import Connection, connect
from db.contents import CONTENTS, Contents
from db.counts import COUNTS
from db.damage import damage
from db.errors import ExplorerError
from db.failures import FAILURES, Failure, Failures
from db.label_tables import LABEL_TABLES, LabelTable, LabelTables, PublishedTable
from db.pictures import PICTURES, Pictures
from db.prompt_means import PROMPT_MEANS, PromptMeans
from db.rows import Rows
from db.session_list import SessionList
from db.sessions import LABELS, ROUNDS, SESSIONS, Sessions
from db.upgrades import DONE, bring_up_to_date
from db.views import VIEWS, Views

_LOG = logging.getLogger(__name__)

TABLES = (
    *(COLLECTIONS, SESSIONS, ROUNDS, LABELS, PICTURES, CLASSIFIERS, CHECKS, CHECK_STRATA, VIEWS),
    *(LABEL_TABLES, FAILURES, CONTENTS, COUNTS, PROMPT_MEANS, AUDIT, DONE),
)


class Database:
    """The tables behind one connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.collections = Collections(connection)
        self.sessions = Sessions(connection)
        self.listed = SessionList(connection)
        self.pictures = Pictures(connection)
        self.classifiers = Classifiers(connection)
        self.checks = Checks(connection)
        self.views = Views(connection)
        self.label_tables = LabelTables(connection)
        self.failures = Failures(connection)
        self.contents = Contents(connection)
        self.prompt_means = PromptMeans(connection)
        self.audit = Audit(connection)

    def again(self) -> "Database":
        """The same database through a connection of its own, for work that takes long."""
        return Database(self.connection.again())

    def damage(self) -> list[str]:
        """What is missing that nobody took out, one line each; empty where all is there."""
        return damage(self.connection, TABLES)

    def drop(self, collection: Collection) -> None:
        """Delete a collection with its photos; sessions and classifiers stay, their views don't."""
        self.collections.drop(collection)
        for classifier in self.classifiers.all():
            if classifier.collection == collection.name:
                self.views.drop(classifier)
        self.label_tables.drop_all(collection.name)
        self.failures.forget(collection.name)
        self.contents.forget(collection.name)

    def remove(self, collection: Collection, ids: Sequence[str], reason: str = "") -> None:
        """Take photos out of a collection; thumbs on them stay, and do no harm.

        Args:
            collection: theirs.
            ids: the photos', any number.
            reason: why no later load is to bring them in again, in words; "" where it may.
        """
        table = self.collections.photos(collection)
        if reason:
            urls = table.urls()
            known = [Failure(photo, urls[photo], reason, True) for photo in ids if photo in urls]
            self.failures.add(collection.name, known)
        Rows(self.connection, table).remove(ids)
        # Where no load follows that would see to it. An index that is written anew for those that
        # are left misses others of them: who opens a page next looks for these.
        table.drop_index_if_wrong()
        self.connection.unreached.pop(collection.name, None)

    def delete(self, classifier: SavedClassifier) -> None:
        """Delete a classifier with its view and the tables of it alone; its session stays."""
        self.views.drop(classifier)
        for table in self.left_alone(self.tables_with(classifier), classifier):
            self.label_tables.drop(classifier.collection, table)
        self.classifiers.delete(classifier)

    def tables_with(self, classifier: SavedClassifier) -> list[PublishedTable]:
        """The published tables of labels that a classifier is in."""
        published = self.label_tables.published(classifier.collection)
        return [table for table in published if classifier.id in table.classifiers]

    def left_alone(
        self, tables: Sequence[PublishedTable], classifier: SavedClassifier
    ) -> list[PublishedTable]:
        """Those whose classifiers but this one are all deleted: nobody could take them away."""
        if not tables:
            return []
        others = {one.id for one in self.classifiers.all()} - {classifier.id}
        return [table for table in tables if not others & set(table.classifiers)]

    def use_in_tables(self, version: SavedClassifier, threshold: float) -> None:
        """Put a version in place of another one in the published tables of its classifier.

        Args:
            version: to be used.
            threshold: the score from which on it keeps photos.

        Raises:
            ExplorerError: the database refuses it; the text names the table.
        """
        for table in self.tables_with(version):
            try:
                self._use_in(table, version, threshold)
            except ExplorerError as error:
                raise ExplorerError(
                    f"The table of labels {table.name} goes on with another version of "
                    f"{version.name}: {error}"
                ) from error

    def _use_in(self, table: PublishedTable, version: SavedClassifier, threshold: float) -> None:
        if not table.follows:
            return
        place = table.classifiers.index(version.id)
        pairs = zip(table.classifiers, table.numbers, strict=True)
        found = [self.classifiers.version(*pair) for pair in pairs]
        found[place] = version
        thresholds = list(table.thresholds)
        thresholds[place] = threshold
        classifiers = [one for one in found if one is not None]  # rows are never deleted
        self.label_tables.publish(
            LabelTable(version.collection, classifiers, thresholds, table.exclusive, table.columns),
            table.name,
        )

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def open_database(url: str, tries: int = PAGE) -> Database:
    """Open the database that a DSN names, and bring it up to date.

    Args:
        url: the DSN, as `connect` takes it.
        tries: how often a statement is tried while nothing answers: PAGE or LOAD.

    Raises:
        ExplorerError: it can't be opened; the text says why and what to do.
    """
    database = Database(connect(url, tries))
    bring_up_to_date(database.connection, TABLES)
    for collection in database.collections.all():
        try:
            database.collections.photos(collection).bring_up_to_date()
        except ExplorerError as error:
            # One that can't be changed keeps nobody from the others; its page tells why.
            _LOG.warning("%s is left as it is: %s", collection.name, error)
    return database
