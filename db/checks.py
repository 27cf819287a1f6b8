"""The table of check samples: random photos above a classifier's threshold, and their thumbs."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.connection import Connection
from db.layout import Table
from db.moments import next_moment
from db.sessions import NONE

CHECKS = Table(
    "checks",
    "check samples of classifiers, and their thumbs",
    "classifier String, drawn UInt64, threshold Float64, place UInt32, photo String, label Int8, "
    "sequence UInt64",
    "(classifier, drawn, place, sequence)",
)


@dataclass(frozen=True)
class Check:
    """A classifier's latest check sample.

    Attributes:
        drawn: tells it from earlier ones.
        threshold: the score that its photos were drawn above.
        labels: UP, DOWN or NONE by photo id, in the order drawn.
    """

    drawn: int
    threshold: float
    labels: dict[str, int]


class Checks:
    """All check samples of a database. Rows are only ever added; a photo's latest one counts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def latest(self, classifier: str) -> Check | None:
        """The sample drawn last, or None."""
        rows = self._connection.rows(
            "SELECT drawn, threshold, photo, label FROM checks WHERE classifier = %(id)s "
            "AND drawn = (SELECT max(drawn) FROM checks WHERE classifier = %(id)s) "
            "ORDER BY place, sequence",
            {"id": classifier},
        )
        if not rows:
            return None
        labels = {row["photo"]: row["label"] for row in rows}
        return Check(rows[0]["drawn"], rows[0]["threshold"], labels)

    def draw(self, classifier: str, threshold: float, photos: Sequence[str]) -> None:
        """Store a new sample, without thumbs."""
        now = self._next(classifier)
        self._insert([[classifier, now, threshold, i, p, NONE, now] for i, p in enumerate(photos)])

    def label(self, classifier: str, check: Check, photo: str, label: int) -> None:
        """Give a photo of the sample a thumb (UP, DOWN) or take it away (NONE)."""
        place = list(check.labels).index(photo)
        now = self._next(classifier)
        self._insert([[classifier, check.drawn, check.threshold, place, photo, label, now]])

    def _next(self, classifier: str) -> int:
        both = "greatest(drawn, sequence)"
        return next_moment(self._connection, "checks", "classifier", classifier, both)

    def _insert(self, rows: Sequence[Sequence[object]]) -> None:
        columns = ("classifier", "drawn", "threshold", "place", "photo", "label", "sequence")
        self._connection.insert_rows("checks", columns, rows)
