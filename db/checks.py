"""The tables of check samples: photos drawn by chance from strata of score, and their thumbs.

These thumbs lie apart from those of labelling sessions, whose photos were chosen by a ranking: only
photos that chance chose tell how good a classifier is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from db.connection import Connection
from db.dialect import Vector
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
CHECK_STRATA = Table(
    "check_strata",
    "the strata of score that check samples are drawn from",
    "classifier String, drawn UInt64, weight Array(Float32), lows Array(Float64), "
    "cuts Array(UInt64), sequence UInt64",
    "(classifier, drawn, sequence)",
)


@dataclass(frozen=True, eq=False)
class Strata:
    """What a check sample is drawn from, and how much of it.

    Attributes:
        weight: float32 (512,), of the classifier whose scores divide the photos; a later version
            of it has another one, and the sample is as good for that.
        lows: the score from which on a photo is in each stratum, descending; the last stratum, of
            which there is none here, takes the rest.
        cuts: of each stratum, the number up to which photos are in the sample; each photo has a
            number of its own, which chance gave it.
    """

    weight: Vector
    lows: tuple[float, ...]
    cuts: tuple[int, ...]


@dataclass(frozen=True)
class Check:
    """A classifier's latest check sample.

    Attributes:
        drawn: tells it from earlier ones, and decides the photos' numbers.
        threshold: the score that was the threshold when it was drawn.
        labels: UP, DOWN, UNSURE or NONE by photo id, in the order drawn.
        strata: what it was drawn from; None where an earlier version of the explorer drew it, from
            the photos above the threshold alone.
    """

    drawn: int
    threshold: float
    labels: dict[str, int]
    strata: Strata | None = None


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
        drawn = rows[0]["drawn"]
        return Check(drawn, rows[0]["threshold"], labels, self._strata(classifier, drawn))

    def moment(self, classifier: str) -> int:
        """What the next sample's `drawn` may be."""
        both = "greatest(drawn, sequence)"
        return next_moment(self._connection, "checks", "classifier", classifier, both)

    def draw(
        self,
        classifier: str,
        drawn: int,
        threshold: float,
        photos: Sequence[str],
        strata: Strata,
    ) -> None:
        """Store a new sample, without thumbs.

        Args:
            classifier: its id.
            drawn: a `moment`.
            threshold: a score.
            photos: the ids of those that are in it.
            strata: what they were drawn from.
        """
        self._insert_strata(classifier, drawn, strata, drawn)
        self._insert_photos(classifier, drawn, threshold, photos, 0, drawn)

    def extend(self, classifier: str, check: Check, photos: Sequence[str], strata: Strata) -> None:
        """Store that more photos are in a sample; of its strata only the cuts may be others."""
        now = self.moment(classifier)
        more = [photo for photo in photos if photo not in check.labels]
        self._insert_strata(classifier, check.drawn, strata, now)
        first = len(check.labels)
        self._insert_photos(classifier, check.drawn, check.threshold, more, first, now)

    def label(self, classifier: str, check: Check, photo: str, label: int) -> None:
        """Give a photo of the sample a thumb (UP, DOWN, UNSURE) or take it away (NONE)."""
        self.label_all(classifier, check, [photo], label)

    def label_all(self, classifier: str, check: Check, photos: Sequence[str], label: int) -> None:
        """Give photos of the sample the same thumb, in one block."""
        places = {photo: place for place, photo in enumerate(check.labels)}
        now = self.moment(classifier)
        self._insert(
            [[classifier, check.drawn, check.threshold, places[p], p, label, now] for p in photos]
        )

    def _strata(self, classifier: str, drawn: int) -> Strata | None:
        rows = self._connection.rows(
            "SELECT weight, lows, cuts FROM check_strata WHERE classifier = %(id)s "
            "AND drawn = %(drawn)s ORDER BY sequence DESC LIMIT 1",
            {"id": classifier, "drawn": drawn},
        )
        if not rows:
            return None
        weight = np.asarray(rows[0]["weight"], dtype=np.float32)
        return Strata(weight, tuple(rows[0]["lows"]), tuple(rows[0]["cuts"]))

    def _insert_strata(self, classifier: str, drawn: int, strata: Strata, now: int) -> None:
        row = {
            "classifier": classifier,
            "drawn": drawn,
            "weight": strata.weight.tolist(),
            "lows": list(strata.lows),
            "cuts": list(strata.cuts),
            "sequence": now,
        }
        self._connection.insert("check_strata", row)

    def _insert_photos(
        self,
        classifier: str,
        drawn: int,
        threshold: float,
        photos: Sequence[str],
        first: int,
        now: int,
    ) -> None:
        self._insert(
            [
                [classifier, drawn, threshold, first + place, photo, NONE, now]
                for place, photo in enumerate(photos)
            ]
        )

    def _insert(self, rows: Sequence[Sequence[object]]) -> None:
        columns = ("classifier", "drawn", "threshold", "place", "photo", "label", "sequence")
        if rows:
            self._connection.insert_rows("checks", columns, rows)
