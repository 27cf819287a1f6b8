"""What hangs on a collection, and is lost or of no use any more once that is deleted."""

from dataclasses import dataclass

from db.collections import Collection
from db.database import Database


@dataclass(frozen=True)
class Dependants:
    """What hangs on one collection.

    Attributes:
        views: the names of published views, which go with it.
        classifiers: the names of saved classifiers, which have nothing left to rank.
        sessions: how many sessions can't be gone on with.
    """

    views: tuple[str, ...]
    classifiers: tuple[str, ...]
    sessions: int

    @classmethod
    def of(cls, database: Database, collection: Collection) -> "Dependants":
        """What hangs on a collection now."""
        saved = [each for each in database.classifiers.all() if each.collection == collection.name]
        views = [view.name for each in saved if (view := database.views.of(each)) is not None]
        views += [table.name for table in database.label_tables.published(collection.name)]
        sessions = database.listed.count(collection.name)
        return cls(tuple(views), tuple(each.name for each in saved), sessions)

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.views or self.classifiers or self.sessions)
