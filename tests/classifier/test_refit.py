import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from classifier.linear import Classifier
from classifier.refit import USUAL_STEP, refit_article, refit_checked
from classifier.whitening import Whitening
from db.sessions import DOWN, UP
from tests.bench.loop import (
    CONTENDERS,
    Outcome,
    World,
    average_precision,
    label,
    simulated_world,
)
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
    concepts = range(60)
    prompt, article, ours = (
        outcomes(world, whitening, name, concepts)
        for name in ("no feedback", "article", "ours (checked)")
    )
    found = np.array([[o.search_ap for o in method] for method in (prompt, article, ours)])
    ranked = np.array([[o.ranking_ap for o in method] for method in (prompt, article, ours)])
    assert found.mean(axis=1)[2] > found.mean(axis=1)[:2].max()
    assert ranked.mean(axis=1)[2] > ranked.mean(axis=1)[0] + 0.1
    assert np.mean(found[2] < found[0] - 0.01) < np.mean(found[1] < found[0] - 0.01) / 2


def test_rounds_of_nearly_all_downs_do_not_drive_the_classifier_away(
    world: World, whitening: Whitening
) -> None:
    rights = [prompt_round(world, concept)[1].mean() for concept in range(150)]
    hardest = np.argsort(rights)[:10]
    assert max(rights[concept] for concept in hardest) < 0.15
    for concept in hardest:
        X, right = prompt_round(world, int(concept))
        text = world.queries[concept]
        weight = refit_checked(text, X, right.astype(int).tolist(), whitening).weight
        truth = world.truth[concept]
        before, after = (
            average_precision(truth[np.argsort(-(world.vectors @ w))]) for w in (text, weight)
        )
        assert after > before - 0.02


def test_thumbs_given_at_random_move_little(world: World, whitening: Whitening) -> None:
    rng = np.random.default_rng(1)
    X, _ = prompt_round(world, 0)
    steps = [
        refit_checked(world.queries[0], X, (rng.random(54) < 0.5).astype(int).tolist(), whitening)
        for _ in range(20)
    ]
    assert np.mean([refit.step <= USUAL_STEP for refit in steps]) > 0.6


def test_without_an_up_the_prompt_stays(world: World, whitening: Whitening) -> None:
    text = world.queries[0]
    refit = refit_checked(text * 3, world.vectors[:9], [DOWN] * 9, whitening)
    assert refit.weight == pytest.approx(text, abs=1e-6)
    assert (refit.step, refit.evidence) == (0.0, None)
    none = refit_checked(text, np.empty((0, 512), dtype=np.float32), [], whitening)
    assert none.weight == pytest.approx(text, abs=1e-6)


def test_leaving_a_pair_out_is_what_fitting_without_it_gives(
    world: World, whitening: Whitening
) -> None:
    # The concept that the prompt's photos show best in half of the cases.
    concept = int(
        np.argmin([abs(prompt_round(world, place, 90)[1].mean() - 0.5) for place in range(60)])
    )
    X, y = prompt_round(world, concept, 90)
    text = world.queries[concept]
    found = refit_checked(text, X, y.astype(int).tolist(), whitening)
    ups, downs = X[y] - whitening.mean, X[~y] - whitening.mean
    start = text / np.sqrt(text @ whitening.covariance @ text)
    wanted = ups.mean(0) - downs.mean(0) / 2
    length = np.sqrt(wanted @ whitening.precision @ wanted)
    right = []
    for i in range(len(ups)):
        for j in range(len(downs)):
            without = np.delete(ups, i, 0).mean(0) - np.delete(downs, j, 0).mean(0) / 2
            weight = start + found.step * (whitening.precision @ without) / length
            right.append(weight @ ups[i] > weight @ downs[j])
    assert found.step > 0
    assert found.evidence is not None
    assert found.evidence.refit == pytest.approx(np.mean(right), abs=0.01)
    assert found.evidence.prompt == pytest.approx(
        np.mean((ups @ start)[:, None] > (downs @ start)[None, :]), abs=1e-6
    )
    assert found.evidence.refit > found.evidence.prompt


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_tiny_collections_can_be_refit(n: int) -> None:
    vectors = unit_vectors(n) if n else np.empty((0, 512), dtype=np.float32)
    text = unit_vectors(1, seed=7)[0]
    labels = [UP, DOWN, UP][:n]
    refit = refit_checked(text, vectors, labels, Whitening.of(vectors))
    assert np.isfinite(refit.weight).all()
    assert np.linalg.norm(refit.weight) == pytest.approx(1, abs=1e-5)


def test_equal_photos_are_no_trouble() -> None:
    vectors = np.repeat(unit_vectors(1), 8, axis=0)
    refit = refit_checked(vectors[0], vectors, [UP, DOWN] * 4, Whitening.of(vectors))
    assert np.isfinite(refit.weight).all()


SCRIPT = """
import hashlib, numpy as np, torch
torch.set_num_threads(int({threads!r}))
from classifier.refit import refit_article, refit_checked
from classifier.whitening import Whitening
rng = np.random.default_rng(0)
V = rng.normal(size=(3000, 512)).astype("f4")
V /= np.linalg.norm(V, axis=1, keepdims=True)
y = (rng.random(900) < .3).astype(int).tolist()
ours = refit_checked(V[0], V[:900], y, Whitening.of(V)).weight
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
        for threads in ("1", "2", "4")
    }
    assert len(hashes) == 1
