"""One database: its connection and all its tables, wired together."""

from db.checks import Checks
from db.classifiers import Classifiers
from db.collections import Collection, Collections
from db.connection import Connection, connect
from db.failures import Failures
from db.sessions import Sessions


class Database:
    """The tables behind one connection; they are created if they aren't there."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.collections = Collections(connection)
        self.sessions = Sessions(connection)
        self.classifiers = Classifiers(connection)
        self.checks = Checks(connection)
        self.failures = Failures(connection)

    def again(self) -> "Database":
        """The same database through a connection of its own, for work that takes long."""
        return Database(self.connection.again())

    def drop(self, collection: Collection) -> None:
        """Delete a collection with its photos; sessions and classifiers stay."""
        self.collections.drop(collection)
        self.failures.forget(collection.name)

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def open_database(url: str) -> Database:
    """Open the database that a DSN names.

    Raises:
        ExplorerError: it can't be opened; the text says why and what to do.
    """
    return Database(connect(url))
