"""Which photos leave, and what is said of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from classifier.ranking import Ranking
from db.photo import Photo
from db.sessions import DOWN, UP

WORDS = {UP: "up", DOWN: "down"}


class Scope(StrEnum):
    """Which photos, in words."""

    KEPT = "Kept photos"
    THUMBS = "Thumbs"


@dataclass(frozen=True)
class Entry:
    """A photo that leaves.

    Attributes:
        photo: with its facts.
        score: under the classifier.
        label: UP or DOWN, its thumb; None where the classifier alone says yes.
    """

    photo: Photo
    score: float
    label: int | None

    @property
    def is_yes(self) -> bool:
        """Whether it is one of those that are looked for."""
        return self.label != DOWN

    @property
    def thumb(self) -> str | None:
        """Its thumb in a word, or None."""
        return None if self.label is None else WORDS[self.label]


def classes(name: str) -> tuple[str, str]:
    """What a yes and a no of a classifier are called."""
    return name, f"not {name}"


@dataclass(frozen=True)
class Selection:
    """What leaves.

    Attributes:
        name: the classifier's.
        threshold: the score from which on photos are kept.
        entries: best score first.
    """

    name: str
    threshold: float
    entries: Sequence[Entry]

    @property
    def classes(self) -> tuple[str, str]:
        """What a yes and a no are called."""
        return classes(self.name)

    def class_of(self, entry: Entry) -> str:
        """What an entry is called."""
        return self.classes[0 if entry.is_yes else 1]


def chosen(ranking: Ranking, threshold: float, scope: Scope) -> list[int]:
    """The places in the ranking of the photos that leave.

    A thumb counts more than the score: of the kept photos those with a thumb down are left out, and
    those with a thumb up below the threshold are added.
    """
    kept = ranking.kept(threshold)
    return [
        place
        for place, photo in enumerate(ranking.ids)
        if _leaves(ranking.labels.get(photo), scope, kept=place < kept)
    ]


def _leaves(label: int | None, scope: Scope, *, kept: bool) -> bool:
    if scope is Scope.THUMBS:
        return label is not None
    return label == UP or (kept and label is None)


def select(
    name: str,
    ranking: Ranking,
    threshold: float,
    places: Sequence[int],
    photos: Mapping[str, Photo],
) -> Selection:
    """The photos at some places of a ranking.

    Args:
        name: the classifier's.
        ranking: of its collection.
        threshold: the score from which on photos are kept.
        places: as of `chosen`.
        photos: by id; one that is not there any more is left out.
    """
    entries = [
        Entry(photos[photo], float(ranking.scores[place]), ranking.labels.get(photo))
        for place in places
        if (photo := ranking.ids[place]) in photos
    ]
    return Selection(name, threshold, entries)
