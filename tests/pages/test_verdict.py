import numpy as np
import pytest

from classifier.estimates.evidence import Evidence, Stratum
from pages.classifiers.verdict import verdict


def evidence(*strata: tuple[int, int, int]) -> Evidence:
    """Strata, one below the other: how many photos each has, and how many marked yes and no."""
    found = []
    for place, (size, right, wrong) in enumerate(strata):
        scores = np.linspace(-place - 0.9, -place, size, dtype=np.float32)
        found.append(Stratum(scores, scores[:right], scores[size - wrong : size]))
    return Evidence(found)


@pytest.mark.parametrize(
    ("strata", "words"),
    [
        (((50, 0, 0), (50, 0, 0)), "Mark these 60 photos: yes where it is what you look for, no"),
        (
            ((160, 38, 2), (840, 4, 300)),
            "Precision 95%, with 95 % confidence between 86% and 99% (38 of 40 right). It keeps "
            "about 152 of an estimated 163 (148 to 176) in the collection: recall 93%, between "
            "87% and 97%",
        ),
        (
            ((160, 38, 2), (24_840, 1, 39)),
            "Precision 95%, with 95 % confidence between 86% and 99% (38 of 40 right). Too few "
            "marks to tell how many right ones are missed: there are between",
        ),
        (
            ((160, 2, 1), (840, 0, 0)),
            "Too few marks above the threshold to tell the precision: between 14% and 98%. Too "
            "few marks to tell how many right ones are missed: there are between 22 and 997 in all."
            " 57 still to be marked",
        ),
        (((0, 0, 0), (90, 5, 55)), "No photo is above this threshold. "),
        (
            ((40, 39, 1), (20, 1, 19)),
            "Precision 98%: all that is kept is marked. It keeps 39 of the 40 in the collection",
        ),
    ],
)
def test_what_marks_tell(strata: tuple[tuple[int, int, int], ...], words: str) -> None:
    said = verdict(evidence(*strata), -0.95, 60)
    assert said.startswith(words)


def test_how_many_more_it_takes_is_told_to_one_digit() -> None:
    said = verdict(evidence((160, 38, 2), (24_840, 0, 40)), -0.95, 80)
    assert said.endswith("about 700 more below the threshold would tell")


def test_no_more_photos_are_asked_for_than_there_are() -> None:
    said = verdict(evidence((7, 1, 6), (1_993, 0, 50)), -0.95, 57)
    assert said.endswith("about 1,943 more below the threshold would tell")
