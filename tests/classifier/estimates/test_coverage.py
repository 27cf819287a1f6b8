"""Whether 95 % intervals hold what is true in 95 % of samples, by simulation."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pytest

from classifier.estimates.amounts import Amount, Cell, how_many, share_of_both
from classifier.estimates.drawing import DEEP, split, stratum_of
from classifier.estimates.evidence import Quality, threshold_for
from classifier.estimates.population import ABOVE, BELOW, Population
from db.sessions import DOWN, UP
from tests.conftest import unit_vectors

DRAWS = 1000
COLLECTIONS = 50  # each is drawn from 20 times


@dataclass(frozen=True)
class World:
    """Scores of right and wrong photos: two normal distributions, and some that are missed.

    Attributes:
        photos: how many there are.
        right: how many of them are right.
        apart: the means of the two, in standard deviations of the wrong ones' scores.
        spread: of the right ones' scores.
        missed: the share of the right ones that score as wrong ones do.
    """

    photos: int
    right: int
    apart: float
    spread: float = 1.0
    missed: float = 0.0

    def scores(self, rng: np.random.Generator) -> npt.NDArray[np.float32]:
        """Of all photos, the right ones first."""
        scores = rng.normal(size=self.photos)
        found = rng.random(self.right) >= self.missed
        scores[: self.right][found] *= self.spread
        scores[: self.right][found] += self.apart
        return scores.astype(np.float32)

    def collection(self, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
        """Whether each photo is right, best score first."""
        right: npt.NDArray[np.bool_] = np.argsort(-self.scores(rng)) < self.right
        return right


@dataclass
class Tally:
    """How often an interval was below, around and above what is true."""

    low: int = 0
    held: int = 0
    high: int = 0

    def add(self, amount: Amount, truth: float) -> None:
        if amount.high < truth - 1e-9:
            self.low += 1
        elif amount.low > truth + 1e-9:
            self.high += 1
        else:
            self.held += 1

    @property
    def share(self) -> float:
        return self.held / (self.low + self.held + self.high)


def strata_ends(kept: int, photos: int) -> list[int]:
    ends = [0, kept // 2, kept, 2 * kept, 5 * kept, 20 * kept, photos]
    return sorted({min(end, photos) for end in ends})


def simulated(world: World, above: int, near: int, deep: int) -> dict[str, Tally]:
    """Draws samples with so many marks a stratum; the threshold keeps as many as are right."""
    rng = np.random.default_rng(20)
    ends = strata_ends(world.right, world.photos)
    sizes = np.diff(ends)
    kept = np.asarray(ends[1:]) <= world.right
    marked = np.where(kept, above, near)
    marked[-1] = deep
    tallies = {name: Tally() for name in ("precision", "total", "recall", "told")}
    for _ in range(COLLECTIONS):
        right = np.add.reduceat(world.collection(rng).astype(int), ends[:-1])
        truth = right[kept].sum()
        draws = rng.hypergeometric(right, sizes - right, marked, (DRAWS // COLLECTIONS, len(sizes)))
        for counts in draws.tolist():
            cells = [
                Cell(*one) for one in zip(sizes.tolist(), marked.tolist(), counts, strict=True)
            ]
            quality = quality_of(cells, kept)
            tallies["precision"].add(quality.precision, truth / world.right)
            tallies["total"].add(quality.total, world.right)
            tallies["recall"].add(quality.recall, truth / world.right)
            if quality.tells_total:
                tallies["told"].add(quality.total, world.right)
    return tallies


ENOUGH = {
    "rare-good": (World(25_000, 160, 4, 0.8), 40, 66, 1500),
    "rare-missed": (World(25_000, 160, 4, 0.8, missed=0.1), 40, 60, 1500),
    "rare-heavy": (World(25_000, 160, 3.5, 1.3), 40, 66, 2500),
    "common": (World(25_000, 2500, 2), 20, 20, 60),
    "common-many": (World(25_000, 2500, 2), 50, 50, 200),
    "small-good": (World(2000, 60, 3, 0.8), 15, 30, 400),
    "small-bad": (World(2000, 100, 1.5), 25, 50, 200),
}


@pytest.mark.parametrize("name", ENOUGH)
def test_with_enough_marks_intervals_hold_the_truth_in_95_of_100_samples(name: str) -> None:
    tallies = simulated(*ENOUGH[name])
    shares = {what: tallies[what].share for what in ("precision", "total", "recall")}
    assert all(0.93 <= share <= 0.97 for share in shares.values()), shares


UNTIL_TOLD = {
    "rare": World(2000, 60, 3, 0.8),
    "missed": World(2000, 100, 2.5, missed=0.15),
    "bad": World(2000, 150, 2),
    "told-at-times": World(1200, 150, 1.8),
    "common": World(2000, 400, 2),
}


def told_at_last(world: World) -> dict[str, Tally]:
    """First samples as on the page, enlarged below the threshold until a total is told.

    "at once" is of those whose first sample told one.
    """
    rng = np.random.default_rng(21)
    ends = strata_ends(world.right, world.photos)
    sizes = np.diff(ends)
    kept = np.asarray(ends[1:]) <= world.right
    first = np.concatenate(
        [split(ABOVE, int(kept.sum()), 0.0), split(BELOW, int((~kept).sum()), DEEP)]
    )
    more = np.where(kept, 0, np.r_[np.zeros(kept.sum(), int), split(60, int((~kept).sum()), DEEP)])
    tallies = {name: Tally() for name in ("total", "recall", "at once")}
    for _ in range(COLLECTIONS):
        strata = np.split(world.collection(rng), ends[1:-1])
        truth = sum(int(one.sum()) for one, inside in zip(strata, kept, strict=True) if inside)
        for _ in range(DRAWS // COLLECTIONS):
            orders = [np.cumsum(rng.permutation(one)) for one in strata]
            for steps in range(1000):
                marked = np.minimum(first + steps * more, sizes).tolist()
                counts = [int(order[n - 1]) for order, n in zip(orders, marked, strict=True)]
                parts = zip(sizes.tolist(), marked, counts, strict=True)
                quality = quality_of([Cell(*part) for part in parts], kept)
                if quality.tells_total:
                    break
            tallies["total"].add(quality.total, world.right)
            tallies["recall"].add(quality.recall, truth / world.right)
            if not steps:
                tallies["at once"].add(quality.total, world.right)
    return tallies


def quality_of(cells: list[Cell], kept: npt.NDArray[np.bool_]) -> Quality:
    up = [cell for cell, inside in zip(cells, kept, strict=True) if inside]
    down = [cell for cell, inside in zip(cells, kept, strict=True) if not inside]
    size, marked = (sum(getattr(c, name) for c in up) for name in ("size", "marked"))
    found, missed, total = how_many(up), how_many(down), how_many(cells)
    recall = share_of_both(found, missed)
    return Quality(size, found.over(size), found, total, recall, marked, 0, marked)


@pytest.mark.parametrize("name", UNTIL_TOLD)
def test_who_enlarges_a_sample_until_a_total_is_told_is_told_the_truth_as_often(name: str) -> None:
    tallies = told_at_last(UNTIL_TOLD[name])
    assert all(tallies[what].share >= 0.93 for what in ("total", "recall")), tallies
    # Where only samples that come out high would be told of at once, hardly any is.
    told = tallies["at once"].low + tallies["at once"].held + tallies["at once"].high
    assert told <= DRAWS // 100 or tallies["at once"].share >= 0.93, tallies


FEW = {
    "rare-good": (World(25_000, 160, 4, 0.8), 20, 13, 60),
    "rare-bad": (World(25_000, 160, 2), 20, 13, 60),
    "rare-heavy": (World(25_000, 160, 3.5, 1.3), 20, 13, 60),
    "rare-hopeless": (World(25_000, 160, 0.8), 20, 13, 60),
    "rare-nearly-perfect": (World(25_000, 160, 5, 0.5), 20, 13, 60),
}


@pytest.mark.parametrize("name", FEW)
def test_with_few_marks_on_a_rare_concept_no_total_is_told(name: str) -> None:
    tallies = simulated(*FEW[name])
    told = tallies["told"]
    assert told.low + told.held + told.high <= DRAWS // 100
    # What hardly can be missed is never missed: intervals that end at none or all hold more often.
    shares = {what: tallies[what].share for what in ("precision", "total", "recall")}
    assert all(share >= 0.93 for share in shares.values()), shares


class Drawn:
    """A small collection, whose samples are drawn and marked as on the page."""

    def __init__(self, world: World, seed: int, keep: int) -> None:
        self.rng = np.random.default_rng(seed)
        scores = world.scores(self.rng)
        order = np.argsort(-scores)
        self.scores = scores[order]
        self.right = order < world.right
        self.ids = [f"photo {place}" for place in range(world.photos)]
        self.threshold = float(self.scores[keep])

    def population(self, photos: int) -> Population:
        """Of the first so many that come in, with a first sample of them."""
        self.there = np.sort(self.rng.permutation(len(self.ids))[:photos])
        drawn = int(self.rng.integers(1 << 62))
        weight = unit_vectors(1)[0]
        ids = [self.ids[place] for place in self.there]
        return Population.new(weight, ids, self.scores[self.there], drawn, self.threshold)

    def labels(self, population: Population) -> dict[str, int]:
        """The truth of all photos of the sample."""
        places = [int(photo.split()[1]) for photo in population.sample()]
        return {self.ids[place]: UP if self.right[place] else DOWN for place in places}


def all_in(drawn: Drawn, population: Population) -> Population:
    """The rest of the collection comes in: the photos keep their numbers and strata theirs cuts."""
    places = stratum_of(population.strata, drawn.scores)
    return replace(population, ids=drawn.ids, scores=drawn.scores, places=places)


def test_a_sample_holds_at_another_threshold_made_larger_and_with_photos_that_came_in() -> None:
    tallies = {"precision": Tally(), "total": Tally(), "recall": Tally()}
    drawn = Drawn(World(1200, 120, 2), seed=3, keep=120)
    moved = float(drawn.scores[90])
    truth = int(drawn.right[drawn.scores >= moved].sum())
    for _ in range(DRAWS):
        population = drawn.population(900).enlarged(20, 40).enlarged(20, 0).enlarged(0, 60)
        population = all_in(drawn, population)
        quality = population.evidence(drawn.labels(population)).at(moved)
        assert quality.kept == 91
        tallies["precision"].add(quality.precision, truth / 91)
        tallies["total"].add(quality.total, 120)
        tallies["recall"].add(quality.recall, truth / 120)
    shares = {what: tally.share for what, tally in tallies.items()}
    assert all(0.93 <= share <= 0.97 for share in shares.values()), shares


def test_a_threshold_that_is_surely_so_precise_is_in_95_of_100_samples() -> None:
    drawn = Drawn(World(2000, 150, 3), seed=4, keep=100)
    found, good = 0, 0
    for _ in range(60):
        population = drawn.population(2000).enlarged(60, 20)
        curve = population.evidence(drawn.labels(population)).curve()
        threshold = threshold_for(curve, 0.8, surely=True)
        if threshold is not None:
            found += 1
            good += drawn.right[drawn.scores >= np.float32(threshold)].mean() >= 0.8
    assert found > 50
    assert good >= 0.95 * found
