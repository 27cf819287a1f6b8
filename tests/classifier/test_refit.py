import gc
import os
import subprocess
import sys
from pathlib import Path
from weakref import ref

import numpy as np
import pytest

from classifier.linear import Classifier
from classifier.refit import (
    METHOD_NAMES,
    METHODS,
    OURS,
    known_method,
    refit_article,
    refit_whitened,
    step_together,
)
from classifier.whitening import Whitening, measured
from db.sessions import DOWN, UP
from tests.bench.contenders import CONTENDERS
from tests.bench.loop import Outcome, average_precision, label
from tests.bench.worlds import World, simulated_world
from tests.conftest import unit_vectors

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def world() -> World:
    """Vectors like CLIP's, with concepts that the benchmark never saw."""
    return simulated_world(seed=21, noise=2, blur=2, common=2)


@pytest.fixture(scope="module")
def whitening(world: World) -> Whitening:
    return Whitening.of(world.vectors)


def outcomes(world: World, whitening: Whitening, name: str, concepts: range) -> list[Outcome]:
    return [label(world, concept, CONTENDERS[name], whitening) for concept in concepts]


def prompt_round(world: World, concept: int, n: int = 54) -> tuple[np.ndarray, np.ndarray]:
    """The n photos nearest to a prompt, and whether each is right."""
    nearest = np.argsort(-(world.vectors @ world.queries[concept]))[:n]
    return world.vectors[nearest], world.truth[concept][nearest]


def test_the_articles_method_is_the_articles_classifier() -> None:
    X, start = unit_vectors(20), unit_vectors(1, seed=5)[0]
    y = [UP, DOWN] * 10
    expected = Classifier(start)
    expected.fit(X, y)
    assert np.array_equal(refit_article(start, X, y), expected.weight)


def test_refining_beats_the_prompt_and_the_articles_update(
    world: World, whitening: Whitening
) -> None:
    concepts = range(30)
    prompt, article, ours = (
        outcomes(world, whitening, name, concepts)
        for name in ("raw prompt", "article", "ours, raw")
    )
    found = np.array([[o.search_ap for o in method] for method in (prompt, article, ours)])
    ranked = np.array([[o.ranking_ap for o in method] for method in (prompt, article, ours)])
    assert found.mean(axis=1)[2] > found.mean(axis=1)[:2].max()
    assert ranked.mean(axis=1)[2] > ranked.mean(axis=1)[0] + 0.1
    assert np.mean(found[2] < found[0] - 0.01) <= np.mean(found[1] < found[0] - 0.01) / 2


def test_rounds_of_nearly_all_downs_do_not_drive_the_classifier_away(
    world: World, whitening: Whitening
) -> None:
    rights = [prompt_round(world, concept)[1].mean() for concept in range(150)]
    hardest = np.argsort(rights)[:10]
    assert max(rights[concept] for concept in hardest) < 0.15
    for concept in hardest:
        X, right = prompt_round(world, int(concept))
        text = world.queries[concept]
        weight = refit_whitened(text, X, right.astype(int).tolist(), whitening).weight
        truth = world.truth[concept]
        before, after = (
            average_precision(truth[np.argsort(-(world.vectors @ w))]) for w in (text, weight)
        )
        assert after > before - 0.02


def test_thumbs_given_at_random_move_little(world: World, whitening: Whitening) -> None:
    rng = np.random.default_rng(1)
    X, _ = prompt_round(world, 0)
    steps = [
        refit_whitened(world.queries[0], X, (rng.random(54) < 0.5).astype(int).tolist(), whitening)
        for _ in range(20)
    ]
    assert np.mean([refit.steps <= OURS.steps for refit in steps]) > 0.5


def test_sessions_of_one_collection_share_what_was_measured_of_it() -> None:
    vectors = unit_vectors(30)
    kept = measured(vectors)
    assert measured(vectors.copy()) is kept
    assert measured(unit_vectors(30, seed=1)) is not kept
    gone = ref(measured(vectors[:20]))
    gc.collect()
    assert gone() is None, "nobody needs it any more"


def test_without_an_up_the_prompt_stays(world: World, whitening: Whitening) -> None:
    text = world.queries[0]
    refit = refit_whitened(text, world.vectors[:9], [DOWN] * 9, whitening)
    assert np.array_equal(refit.weight, text)
    assert (refit.steps, refit.evidence) == (0, None)
    none = refit_whitened(text, np.empty((0, 512), dtype=np.float32), [], whitening)
    assert np.array_equal(none.weight, text)


def by_hand(
    text: np.ndarray, X: np.ndarray, y: np.ndarray, whitening: Whitening, steps: int
) -> np.ndarray:
    """The fit in whitened coordinates with its gradient written out, in float64."""
    photos = (X - whitening.mean).astype(np.float64) @ whitening.whiten
    weight = whitening.colour.astype(np.float64) @ text
    pool = whitening.pool.astype(np.float64)

    def probability(of: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(of @ weight)))

    for _ in range(steps):
        weight = weight / np.linalg.norm(weight)
        up = ((probability(photos) - 1)[y, None] * photos[y]).mean(axis=0) / 2
        down = (probability(photos)[~y, None] * photos[~y]).mean(axis=0) * OURS.downs
        of_pool = (probability(pool)[:, None] * pool).mean(axis=0) * OURS.pool
        weight = weight - OURS.learning_rate * (up + down + of_pool)
    back = whitening.whiten @ weight
    return back / np.linalg.norm(back)


def half_right(world: World) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The concept of which the prompt's photos show about half."""
    concept = int(
        np.argmin([abs(prompt_round(world, place, 90)[1].mean() - 0.5) for place in range(60)])
    )
    return world.queries[concept], *prompt_round(world, concept, 90)


def test_the_fit_is_normalised_weight_sgd_in_whitened_coordinates(
    world: World, whitening: Whitening
) -> None:
    text, X, y = half_right(world)
    found = refit_whitened(text, X, y.astype(int).tolist(), whitening)
    assert found.steps in OURS.choices
    assert found.weight == pytest.approx(by_hand(text, X, y, whitening, found.steps), abs=1e-5)


def test_a_step_of_several_fits_is_the_articles_for_each_on_its_share() -> None:
    vectors, starts = unit_vectors(20), unit_vectors(3, seed=2)
    y = np.random.default_rng(1).integers(0, 2, size=20)
    # A share is how often an example is there: one fit has all of them once, one some twice.
    times = np.random.default_rng(2).integers(0, 3, size=(20, 3))
    times[:, 0] = 1
    shares = (times / times.sum(axis=0)).astype(np.float32)
    weights = starts
    for _ in range(7):
        weights = step_together(weights, vectors, y[:, None].astype(np.float32), shares, 0.8)
    for weight, start, often in zip(weights, starts, times.T, strict=True):
        alone = Classifier(start, 0.8)
        alone.fit(np.repeat(vectors, often, axis=0), np.repeat(y, often).tolist(), 7)
        assert weight == pytest.approx(alone.weight, abs=1e-6)


def test_a_step_of_photos_far_out_is_finite() -> None:
    start = unit_vectors(1)
    far = (1e4 * np.concatenate([start, -start])).astype(np.float32)
    one = np.ones((2, 1), dtype=np.float32)
    assert np.isfinite(step_together(start, far, np.array([[0], [1]], np.float32), one, 0.8)).all()


def test_the_evidence_comes_from_fits_that_do_not_know_the_thumbs(
    world: World, whitening: Whitening
) -> None:
    text, X, y = half_right(world)
    found = refit_whitened(text, X, y.astype(int).tolist(), whitening)
    fold = np.empty(len(y), dtype=int)
    for kind in (True, False):
        fold[y == kind] = np.arange((y == kind).sum()) % 5
    scores = np.empty(len(y))
    for left_out in range(5):
        known = fold != left_out
        weight = by_hand(text, X[known], y[known], whitening, found.steps)
        # As in whitened coordinates, where fits of one length are compared.
        weight = weight / np.linalg.norm(whitening.colour @ weight)
        scores[~known] = (X[~known] - whitening.mean) @ weight
    assert found.evidence is not None
    pairs = scores[y][:, None] > scores[~y]
    assert found.evidence.refit == pytest.approx(pairs.mean(), abs=0.002)
    by_prompt = (X[y] @ text)[:, None] > X[~y] @ text
    assert found.evidence.prompt == pytest.approx(by_prompt.mean(), abs=0.002)
    assert found.evidence.refit > found.evidence.prompt


def test_sessions_of_an_earlier_version_are_refit_as_today() -> None:
    assert [known_method(name) for name in ("checked", *METHODS)] == [METHODS[0], *METHODS]
    assert {"checked", *METHODS} == set(METHOD_NAMES)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_tiny_collections_can_be_refit(n: int) -> None:
    vectors = unit_vectors(n) if n else np.empty((0, 512), dtype=np.float32)
    text = unit_vectors(1, seed=7)[0]
    labels = [UP, DOWN, UP][:n]
    refit = refit_whitened(text, vectors, labels, Whitening.of(vectors))
    assert np.isfinite(refit.weight).all()
    assert np.linalg.norm(refit.weight) == pytest.approx(1, abs=1e-5)


def test_equal_photos_are_no_trouble() -> None:
    vectors = np.repeat(unit_vectors(1), 8, axis=0)
    refit = refit_whitened(vectors[0], vectors, [UP, DOWN] * 4, Whitening.of(vectors))
    assert np.isfinite(refit.weight).all()


SCRIPT = """
import hashlib, numpy as np, torch
torch.set_num_threads(int({threads!r}))
from classifier.refit import refit_article, refit_whitened
from classifier.whitening import Whitening
rng = np.random.default_rng(0)
V = rng.normal(size=(3000, 512)).astype("f4")
V /= np.linalg.norm(V, axis=1, keepdims=True)
y = (rng.random(900) < .3).astype(int).tolist()
ours = refit_whitened(V[0], V[:900], y, Whitening.of(V)).weight
article = refit_article(V[0], V[:900], y)
print(hashlib.sha256(ours.tobytes() + article.tobytes()).hexdigest())
"""


def test_the_weight_is_the_same_bit_for_bit_for_any_number_of_threads() -> None:
    hashes = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT.format(threads=threads)],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "4")
    }
    assert len(hashes) == 1
