"""A collection under a classifier and its check sample."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from classifier.estimates import drawing
from classifier.estimates.evidence import Evidence, Stratum
from db.checks import Check, Strata
from db.dialect import Vector
from db.photos import PhotoTable
from db.sessions import DOWN, UP

Scores = npt.NDArray[np.float32]

# Above and below the threshold, of a first sample.
ABOVE, BELOW = 30, 50


@dataclass(frozen=True, eq=False)
class Population:
    """All photos of a collection, in the strata of a sample.

    Attributes:
        ids: n photo ids, best first under the classifier that is judged.
        scores: float32 (n,), descending.
        drawn: the sample's, which decides the photos' numbers.
        threshold: the one that the strata were made around.
        strata: what the sample is drawn from.
        places: intp (n,), the photos' strata.
    """

    ids: Sequence[str]
    scores: Scores
    drawn: int
    threshold: float
    strata: Strata
    places: drawing.Places

    @classmethod
    def new(
        cls, weight: Vector, ids: Sequence[str], scores: Scores, drawn: int, threshold: float
    ) -> "Population":
        """A ranking, to draw the first sample from; no photo is in it yet."""
        strata = drawing.strata_of(weight, scores, threshold)
        places = drawing.stratum_of(strata, scores)
        return cls(ids, scores, drawn, threshold, strata, places)

    @classmethod
    def of(
        cls, weight: Vector, check: Check, table: PhotoTable, ranking: tuple[Sequence[str], Scores]
    ) -> "Population":
        """A collection as it is now, in the strata that a sample was drawn from.

        Args:
            weight: float32 (512,), of the classifier that is judged.
            check: the sample, drawn for this or an earlier version of it.
            table: the photos.
            ranking: their ids and scores under the weight, best first.
        """
        ids, scores = ranking
        strata = check.strata or drawing.above_alone(weight, check.threshold)
        before = scores
        if not np.array_equal(strata.weight, weight):
            earlier = dict(zip(*table.scores(strata.weight), strict=True))
            # A photo that came in between the two questions waits for the next one.
            found = [earlier.get(photo, -np.inf) for photo in ids]
            before = np.asarray(found, dtype=np.float32)
        places = drawing.stratum_of(strata, before)
        return cls(ids, scores, check.drawn, check.threshold, strata, places)

    def enlarged(self, above: int, below: int) -> "Population":
        """With a larger sample: so many photos more above and below the threshold, if there are."""
        strata = drawing.enlarged(
            self.strata, self.threshold, self.places, self._numbers, above, below
        )
        return replace(self, strata=strata)

    def left(self) -> tuple[int, int]:
        """How many photos are not in the sample: above the threshold it was made for, and below."""
        outside = ~self._inside
        strata = sum(low >= np.float32(self.threshold) for low in self.strata.lows)
        above = int(np.count_nonzero(self.places[outside] < strata))
        return above, int(np.count_nonzero(outside)) - above

    def there(self, photos: Iterable[str]) -> list[str]:
        """Those photos that are in the collection still, in their order."""
        return [photo for photo in photos if photo in self._place_of]

    def came(self, marked: Container[str]) -> list[str]:
        """The photos that belong in the sample, and that those who drew it have not seen yet.

        Until they are looked at, what is told holds for them only if they are like the others.

        Args:
            marked: the sample as it is stored, with marks or without.
        """
        return [photo for photo in self.sample() if photo not in marked]

    def sample(self) -> list[str]:
        """The ids of the photos that are in the sample: those above the threshold first.

        On either side their order is chance, so that nobody who marks them knows the next score.
        """
        inside = np.flatnonzero(self._inside)
        below = self.scores[inside] < np.float32(self.threshold)
        return [self.ids[place] for place in inside[np.lexsort((self._numbers[inside], below))]]

    def evidence(self, labels: Mapping[str, int]) -> Evidence:
        """What the sample's marks tell.

        Args:
            labels: UP, DOWN or another by photo id; others, and photos that are gone, don't count.
        """
        right, wrong = (self._marked(labels, mark) for mark in (UP, DOWN))
        return Evidence(
            [
                Stratum(
                    scores,
                    self.scores[right[self.places[right] == place]],
                    self.scores[wrong[self.places[wrong] == place]],
                )
                for place, scores in enumerate(self._by_stratum)
            ]
        )

    def _marked(self, labels: Mapping[str, int], mark: int) -> drawing.Places:
        """The places in the ranking of the photos that have a mark."""
        there = self._place_of
        found = [there[p] for p, label in labels.items() if label == mark and p in there]
        return np.asarray(found, dtype=np.intp)

    # A mark is answered at once, so what all marks need is computed once.
    @cached_property
    def _place_of(self) -> dict[str, int]:
        return {photo: place for place, photo in enumerate(self.ids)}

    @cached_property
    def _by_stratum(self) -> list[Scores]:
        """The scores of each stratum, ascending."""
        strata = range(len(self.strata.cuts))
        return [self.scores[self.places == place][::-1] for place in strata]

    @cached_property
    def _inside(self) -> npt.NDArray[np.bool_]:
        return drawing.drawn_from(self.strata, self.places, self._numbers)

    @cached_property
    def _numbers(self) -> drawing.Numbers:
        return drawing.numbers_of(self.ids, self.drawn)
