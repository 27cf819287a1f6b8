"""Deleting a collection from the command line."""

from db.collections import Collection
from db.database import Database
from db.dependants import Dependants
from db.errors import ExplorerError
from db.words import counted


def delete(database: Database, name: str, *, sure: bool) -> None:
    """Delete a collection.

    Args:
        database: where it is.
        name: the collection's.
        sure: whether to delete it with all that hangs on it.

    Raises:
        ExplorerError: there is none of that name, or something hangs on it and nobody is sure.
    """
    collections = database.collections
    known = [*collections.all(), *collections.lost()]
    nameless = [Collection(each, "", "", "") for each in collections.nameless()]
    found = [each for each in (*known, *nameless) if each.name == name]
    if not found:
        raise ExplorerError(
            f"There is no collection {name}: python -m ingest status lists what is there"
        )
    lost = Dependants.of(database, found[0])
    if lost and not sure:
        raise ExplorerError(f"{name} is not deleted, since {_listed(lost)}: add --yes to delete it")
    database.drop(found[0])


def _listed(lost: Dependants) -> str:
    parts = []
    if lost.views:
        parts.append(
            f"{counted(len(lost.views), 'view')} would go with it ({', '.join(lost.views)})"
        )
    if lost.classifiers:
        names = ", ".join(lost.classifiers)
        parts.append(
            f"{counted(len(lost.classifiers), 'classifier')} would have nothing to rank ({names})"
        )
    if lost.sessions:
        parts.append(f"{counted(lost.sessions, 'session')} could not be gone on with")
    return "; ".join(parts)
