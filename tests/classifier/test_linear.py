import numpy as np
import numpy.typing as npt
import pytest

from classifier.linear import Classifier
from db.errors import ExplorerError
from tests.conftest import unit_vectors

Matrix = npt.NDArray[np.float64]


def article_fit(weight: Matrix, X: Matrix, y: Matrix, iters: int = 5) -> Matrix:
    """The article's loop by hand: float64, and the gradient of the mean BCE written out."""
    for _ in range(iters):
        weight = weight / np.sqrt((weight**2).sum())
        probability = 1 / (1 + np.exp(-(X @ weight)))
        weight = weight - 0.1 * (X.T @ (probability - y)) / len(y)
    return weight


def test_fifty_rounds_equal_the_articles_arithmetic() -> None:
    vectors = unit_vectors(450)
    labels = np.random.default_rng(1).integers(0, 2, size=450)
    start = unit_vectors(1, seed=2)[0]
    classifier, expected = Classifier(start), start.astype(np.float64)
    for end in range(9, 459, 9):
        classifier.fit(vectors[:end], labels[:end].tolist())
        expected = article_fit(expected, vectors[:end].astype(np.float64), labels[:end])
        assert np.abs(classifier.weight - expected).max() < 1e-6


def test_a_fit_pulls_towards_the_positives_and_away_from_the_negatives() -> None:
    vectors = unit_vectors(10)
    classifier = Classifier(unit_vectors(1, seed=4)[0])
    before = classifier.score(vectors)
    classifier.fit(vectors, [1] * 5 + [0] * 5, iters=20)
    after = classifier.score(vectors)
    assert (after - before)[:5].mean() > 0 > (after - before)[5:].mean()


def test_a_score_is_the_dot_product_with_the_unit_weight() -> None:
    vectors = unit_vectors(7)
    classifier = Classifier(vectors[0] * 5)
    scores = classifier.score(vectors)
    assert scores.dtype == np.float32
    assert scores == pytest.approx(vectors @ vectors[0], abs=1e-6)


def test_the_weight_is_a_copy_both_ways() -> None:
    start = unit_vectors(1)[0]
    kept = start.copy()
    classifier = Classifier(start)
    classifier.fit(unit_vectors(4, seed=1), [1, 0, 1, 0])
    assert np.array_equal(start, kept), "the caller's vector is not trained"
    weight = classifier.weight
    weight[:] = 0
    assert classifier.weight.any()
    assert weight.dtype == np.float32
    assert weight.shape == (512,)


def test_nothing_to_fit_changes_nothing() -> None:
    start = unit_vectors(1)[0]
    classifier = Classifier(start)
    classifier.fit(np.empty((0, 512), dtype=np.float32), [])
    assert np.array_equal(classifier.weight, start)


@pytest.mark.parametrize("start", [np.zeros(512), np.ones(768), np.full(512, np.nan)])
def test_a_start_without_a_direction_is_refused(start: Matrix) -> None:
    with pytest.raises(ExplorerError, match="starts at 512 finite numbers"):
        Classifier(start)
