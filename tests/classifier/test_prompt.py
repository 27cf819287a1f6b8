import numpy as np
import pytest

from classifier.prompt import Term, combine, parse
from db.errors import ExplorerError

AXES = np.eye(512, dtype=np.float32)
WORDS = {"lake": AXES[0], "cabin": AXES[1], "people": AXES[2]}


def encode(texts: list[str]) -> np.ndarray:
    return np.stack([WORDS[text] for text in texts])


def vector(prompt: str) -> np.ndarray:
    return combine(parse(prompt), encode, lambda photo: AXES[int(photo)])


@pytest.mark.parametrize(
    ("prompt", "terms"),
    [
        ("a lake", [(1, "a lake")]),
        (" lake , cabin -people", [(1, "lake"), (1, "cabin"), (-1, "people")]),
        ("lake, cabin \u2212people", [(1, "lake"), (1, "cabin"), (-1, "people")]),
        ("lake -people, cabin", [(1, "lake"), (-1, "people"), (1, "cabin")]),
        ("lake,-people", [(1, "lake"), (-1, "people")]),
        ("-people, lake", [(-1, "people"), (1, "lake")]),
        ("hot-air balloons", [(1, "hot-air balloons")]),
        ("a lake - in winter", [(1, "a lake - in winter")]),
        ("at -5 degrees", [(1, "at -5 degrees")]),
        ("lake,, ,cabin,", [(1, "lake"), (1, "cabin")]),
        ("lake -red -green", [(1, "lake"), (-1, "red"), (-1, "green")]),
        ("photo:ab_-1, lake", [(1, "photo:ab_-1"), (1, "lake")]),
    ],
)
def test_terms(prompt: str, terms: list[tuple[int, str]]) -> None:
    assert parse(prompt) == [Term(*term) for term in terms]


@pytest.mark.parametrize("prompt", ["", "  ", ",", " , ,"])
def test_no_term_is_an_error(prompt: str) -> None:
    with pytest.raises(
        ExplorerError, match=r"^The prompt is empty: type what the photos should show$"
    ):
        parse(prompt)


def test_only_subtracting_is_an_error() -> None:
    with pytest.raises(ExplorerError, match=r"^'-people' says only what to keep away from: type"):
        parse("-people")


def test_terms_are_added_and_subtracted_and_the_sum_is_of_unit_length() -> None:
    expected = (AXES[0] + AXES[1] - AXES[2]) / np.sqrt(3)
    assert vector("lake, cabin -people") == pytest.approx(expected, abs=1e-6)
    assert vector("lake, photo:7 -photo:9") == pytest.approx(
        (AXES[0] + AXES[7] - AXES[9]) / np.sqrt(3), abs=1e-6
    )
    assert np.array_equal(vector("lake"), AXES[0])


def test_terms_that_cancel_out_are_an_error() -> None:
    with pytest.raises(ExplorerError, match=r"cancel each other out: take one away$"):
        vector("lake -lake")
