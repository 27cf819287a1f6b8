"""One database: its connection and all its tables, wired together."""

from collections.abc import Sequence

from db.checks import CHECKS, Checks
from db.classifiers import CLASSIFIERS, Classifiers, SavedClassifier
from db.collections import COLLECTIONS, Collection, Collections
from db.connection import PAGE, Connection, connect
from db.contents import CONTENTS, Contents
from db.failures import FAILURES, Failure, Failures
from db.layout import Synced
from db.rows import Rows
from db.sessions import LABELS, ROUNDS, SESSIONS, Sessions
from db.views import VIEWS, Views

TABLES = (COLLECTIONS, SESSIONS, ROUNDS, LABELS, CLASSIFIERS, CHECKS, VIEWS, FAILURES, CONTENTS)


class Database:
    """The tables behind one connection; they are created if they aren't there."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.collections = Collections(connection)
        self.sessions = Sessions(connection)
        self.classifiers = Classifiers(connection)
        self.checks = Checks(connection)
        self.views = Views(connection)
        self.failures = Failures(connection)
        self.contents = Contents(connection)

    def again(self) -> "Database":
        """The same database through a connection of its own, for work that takes long."""
        return Database(self.connection.again())

    def drop(self, collection: Collection) -> None:
        """Delete a collection with its photos; sessions and classifiers stay, their views don't."""
        for classifier in self.classifiers.all():
            if classifier.collection == collection.name:
                self.views.drop(classifier)
        self.collections.drop(collection)
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

    def delete(self, classifier: SavedClassifier) -> None:
        """Delete a classifier with its view; its session stays."""
        self.views.drop(classifier)
        self.classifiers.delete(classifier)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def open_database(url: str, tries: int = PAGE) -> Database:
    """Open the database that a DSN names.

    Args:
        url: the DSN, as `connect` takes it.
        tries: how often a statement is tried while nothing answers: PAGE or LOAD.

    Raises:
        ExplorerError: it can't be opened; the text says why and what to do.
    """
    database = Database(connect(url, tries))
    _sync_old_tables(database.connection)
    for collection in database.collections.all():
        database.collections.photos(collection).bring_up_to_date()
    return database


def _sync_old_tables(connection: Connection) -> None:
    """Have the tables of an earlier version forced to disk too, where the engine is embedded."""
    layout = connection.dialect.layout
    if not isinstance(layout, Synced):
        return
    old = connection.rows(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND name IN %(names)s "
        "AND NOT position(create_table_query, 'fsync_after_insert')",
        {"names": tuple(table.name for table in TABLES)},
    )
    for row in old:
        connection.command(layout.sync(row["name"]))
