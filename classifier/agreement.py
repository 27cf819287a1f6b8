"""How far people agree who labelled the same photos of a session."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

import numpy as np

from classifier.thumbs import Thumbs
from db.sessions import DOWN, UP

Answers = Mapping[str, Mapping[str, int]]  # UP or DOWN, by photo, by person


@dataclass(frozen=True)
class Agreement:
    """What several people's thumbs on the same photos say of one another.

    Attributes:
        people: the names of those who share photos, in order.
        photos: how many photos two or more of them gave a thumb.
        disputed: the ids of those on which they differ, in the order in which they were marked.
        measure: Cohen's kappa of two people, Krippendorff's alpha (nominal) of more.
        value: 1 where they agree on all, 0 where as often as by chance; None where that can't be
            told, since all their thumbs are the same.
    """

    people: tuple[str, ...]
    photos: int
    disputed: tuple[str, ...]
    measure: str
    value: float | None


def answers_of(thumbs: Thumbs) -> Answers:
    """The yes and no of each person who signed in, on the photos that two or more gave one.

    Unsure is no answer, and what was given before people signed in is nobody's.
    """
    found = {}
    for photo in thumbs.authors:
        given = {by: vote.label for by, vote in thumbs.votes(photo).items()}
        said = {by: label for by, label in given.items() if by and label in (UP, DOWN)}
        if len(said) > 1:
            found[photo] = said
    return found


def disputed(answers: Answers) -> tuple[str, ...]:
    """The photos on which people differ, in the order in which they were marked."""
    return tuple(photo for photo, said in answers.items() if len(set(said.values())) > 1)


def agreement_of(answers: Answers) -> Agreement | None:
    """How far people agree; None where no two of them labelled a photo."""
    if not answers:
        return None
    people = tuple(sorted(set(chain.from_iterable(answers.values()))))
    if len(people) == 2:
        measure, value = "Cohen's kappa", _kappa(people, answers)
    else:
        measure, value = "Krippendorff's alpha", _alpha(people, answers)
    return Agreement(people, len(answers), disputed(answers), measure, value)


def _kappa(people: tuple[str, ...], answers: Answers) -> float | None:
    # Its import takes a second or two, which only those wait for who label together.
    from sklearn.metrics import cohen_kappa_score

    first, second = ([said[name] for said in answers.values()] for name in people)
    if len({*first, *second}) < 2:
        return None
    return float(cohen_kappa_score(first, second, labels=[UP, DOWN]))


def _alpha(people: tuple[str, ...], answers: Answers) -> float | None:
    import krippendorff

    table = np.asarray([[said.get(name, np.nan) for said in answers.values()] for name in people])
    if len(np.unique(table[~np.isnan(table)])) < 2:
        return None
    return float(krippendorff.alpha(reliability_data=table, level_of_measurement="nominal"))
