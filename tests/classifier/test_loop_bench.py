from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.whitening import Whitening
from tests.bench.contenders import CONTENDERS
from tests.bench.loop import (
    Measured,
    average_precision,
    interval,
    label,
    last_line,
    mean_table,
    measure,
    summary,
    table,
)
from tests.bench.worlds import World, file_world, simulated_world
from tests.conftest import unit_vectors


@pytest.fixture(scope="module")
def few() -> World:
    world = simulated_world(seed=5, noise=1, blur=2, common=2)
    return replace(
        world,
        vectors=world.vectors[:1000],
        queries=world.queries[:2],
        truth=world.truth[:2, :1000],
        prompts=world.prompts[:2],
    )


@pytest.fixture(scope="module")
def first(few: World) -> dict[str, Measured]:
    return measure(few)


def test_the_table_is_the_same_each_time_and_holds_every_contender(
    few: World, first: dict[str, Measured]
) -> None:
    again = measure(few)
    assert table(few, first) == table(few, again)
    rows = table(few, first).splitlines()[4:]
    assert [line.split("|")[1].strip() for line in rows] == list(CONTENDERS)
    rows = mean_table([first, first]).splitlines()[4:]
    assert [line.split("|")[1].strip() for line in rows] == list(CONTENDERS)
    one = summary([first], "ours")
    assert last_line([first, first]) == (
        f"mean: zero {summary([first], 'raw prompt').search:.3f} ours {one.search:.3f} "
        f"rocchio {summary([first], 'Rocchio').search:.3f} worse {one.worse:.1%} "
        f"hard {one.hard:+.3f} all {one.everything:.3f}"
    )


def test_a_world_without_nouns_keeps_its_prompts(first: dict[str, Measured]) -> None:
    for raw, centred in (("raw prompt", "centred prompt"), ("ours, raw", "ours")):
        assert np.array_equal(first[raw].search_ap, first[centred].search_ap)


def test_a_world_is_read_from_a_file(tmp_path: Path) -> None:
    vectors, queries = unit_vectors(30), unit_vectors(3, seed=1)
    truth = np.zeros((3, 30), dtype=bool)
    truth[[0, 2], 4] = True  # nothing shows the second
    path = tmp_path / "birds.npz"
    np.savez(path, vectors=vectors.astype("f2"), queries=queries.astype("f2"), truth=truth)
    world = file_world(path)
    assert (world.name, world.bank, list(world.prompts)) == ("birds", None, ["", ""])
    assert world.truth.shape == (2, 30)
    assert np.linalg.norm(world.vectors, axis=1) == pytest.approx(np.ones(30), abs=1e-6)
    np.savez(
        path, vectors=vectors, queries=queries, truth=truth, prompts=["a", "b", "c"], bank=queries
    )
    world = file_world(path)
    assert list(world.prompts) == ["a", "c"]
    assert world.bank is not None
    assert world.bank == pytest.approx(queries, abs=1e-6)


def test_no_photo_is_shown_twice_and_a_concept_found_at_once_scores_one() -> None:
    world = simulated_world(seed=5, noise=1, blur=2, common=2)
    # A prompt that is the concept itself, on photos that are nothing else.
    vectors = np.eye(512, dtype=np.float32)[np.arange(400) % 7]
    right = np.arange(400) % 7 == 3
    easy = replace(
        world, vectors=vectors, queries=vectors[3:4], truth=right[None], prompts=["easy"]
    )
    outcome = label(easy, 0, CONTENDERS["ours"], Whitening.of(vectors))
    assert outcome.search_ap == 1.0
    assert outcome.ranking_ap == pytest.approx(1.0)
    assert outcome.ups == (1.0,) * 5
    assert outcome.unlabelled_ap == pytest.approx(1.0)


def test_average_precision_and_its_interval() -> None:
    ranked = np.array([True, False, True, False])
    assert average_precision(ranked) == pytest.approx((1 + 2 / 3) / 2)
    assert interval(np.zeros(4)) == ""
    assert interval(np.full(9, 0.25)) == "+0.250 (+0.250 to +0.250)"
