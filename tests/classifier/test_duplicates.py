import numpy as np
import pytest

from classifier.duplicates import LIMIT, stacks
from tests.conftest import unit_vectors


def turned(vector: np.ndarray, degrees: float, seed: int) -> np.ndarray:
    """A unit vector at that angle from another one."""
    other = np.random.default_rng(seed).normal(size=len(vector))
    across = other - (other @ vector) * vector
    across /= np.linalg.norm(across)
    angle = np.radians(degrees)
    return (np.cos(angle) * vector + np.sin(angle) * across).astype(np.float32)


def test_what_differs_lies_alone() -> None:
    assert stacks(unit_vectors(9)) == [[place] for place in range(9)]


def test_near_duplicates_lie_on_their_first_one() -> None:
    vectors = unit_vectors(4)
    near = float(np.degrees(np.arccos(LIMIT))) - 0.5
    copies = [turned(vectors[1], near, 1), turned(vectors[3], near, 2), turned(vectors[1], near, 3)]
    assert stacks(np.stack([*vectors, *copies])) == [[0], [1, 4, 6], [2], [3, 5]]


def test_no_chain_of_small_steps_joins_what_differs() -> None:
    first = unit_vectors(1)[0]
    steps = [turned(first, angle, 5) for angle in (0, 8, 16, 24)]
    assert stacks(np.stack(steps), float(np.cos(np.radians(9)))) == [[0, 1], [2, 3]]


@pytest.mark.parametrize("n", [0, 1])
def test_a_round_of_none_or_one(n: int) -> None:
    assert stacks(unit_vectors(1)[:n]) == [[0]] * n
