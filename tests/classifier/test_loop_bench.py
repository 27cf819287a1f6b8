from dataclasses import replace

import numpy as np
import pytest

from classifier.whitening import Whitening
from tests.bench.loop import CONTENDERS, average_precision, interval, label, simulated_world, table


def test_the_table_is_the_same_each_time_and_holds_every_contender() -> None:
    world = simulated_world(seed=5, noise=1, blur=2, common=2)
    few = replace(
        world, queries=world.queries[:4], truth=world.truth[:4], prompts=world.prompts[:4]
    )
    first = table(few)
    assert first == table(few)
    assert [line.split("|")[1].strip() for line in first.splitlines()[4:]] == list(CONTENDERS)


def test_no_photo_is_shown_twice_and_a_concept_found_at_once_scores_one() -> None:
    world = simulated_world(seed=5, noise=1, blur=2, common=2)
    # A prompt that is the concept itself, on photos that are nothing else.
    vectors = np.eye(512, dtype=np.float32)[np.arange(400) % 7]
    right = np.arange(400) % 7 == 3
    easy = replace(
        world, vectors=vectors, queries=vectors[3:4], truth=right[None], prompts=["easy"]
    )
    outcome = label(easy, 0, CONTENDERS["ours (checked)"], Whitening.of(vectors))
    assert outcome.search_ap == 1.0
    assert outcome.ranking_ap == pytest.approx(1.0)
    assert outcome.ups == (1.0,) * 5


def test_average_precision_and_its_interval() -> None:
    ranked = np.array([True, False, True, False])
    assert average_precision(ranked) == pytest.approx((1 + 2 / 3) / 2)
    assert interval(np.zeros(4)) == ""
    assert interval(np.full(9, 0.25)) == "+0.250 (+0.250 to +0.250)"
