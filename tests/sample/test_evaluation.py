"""The figures: computed as defined, over concepts that are neither rare nor common."""

from __future__ import annotations

import pytest

from ingest.sample.captions import scene_facts
from ingest.sample.concepts import COMMONEST, RAREST, concepts_for
from ingest.sample.evaluate import Result, report, search_ap
from ingest.sample.scenes import VALIDATION_SEEDS, compose

FACTS = [scene_facts(compose(seed)) for seed in VALIDATION_SEEDS[:1000]]


def test_a_perfect_ranking_scores_one() -> None:
    assert search_ap([True] * 12 + [False] * 100) == 1.0
    assert search_ap([True] * 3 + [False] * 100) == 1.0


def test_only_the_first_ten_right_pictures_are_sought() -> None:
    assert search_ap([True] * 10 + [False] * 40 + [True] * 50) == 1.0


def test_search_ap_is_the_mean_precision_where_each_is_found() -> None:
    assert search_ap([False, True, False, True]) == pytest.approx((1 / 2 + 2 / 4) / 2)


def test_what_is_not_among_the_first_sixty_counts_nothing() -> None:
    assert search_ap([True, *[False] * 59, True]) == pytest.approx(1 / 2)
    assert search_ap([True, *[False] * 58, True]) == pytest.approx((1 + 2 / 60) / 2)


def test_nothing_to_find_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one right picture"):
        search_ap([False] * 10)


def test_concepts_are_many_different_and_of_the_right_prevalence() -> None:
    concepts = concepts_for(FACTS, per_kind=18, seed=1)
    assert len(concepts) >= 150
    assert len({concept.prompt for concept in concepts}) == len(concepts)
    for concept in concepts:
        share = sum(concept.facts <= facts for facts in FACTS) / len(FACTS)
        assert RAREST <= share <= COMMONEST


def test_every_fact_of_a_concept_is_one_that_scenes_know() -> None:
    known = frozenset[str]().union(*FACTS)
    assert all(concept.facts <= known for concept in concepts_for(FACTS, 18, 1))


def test_another_seed_asks_for_other_concepts() -> None:
    first, second = (
        {concept.prompt for concept in concepts_for(FACTS, 5, seed)} for seed in (1, 2)
    )
    assert first != second


def test_the_report_names_kinds_means_and_the_hardest() -> None:
    easy, hard = concepts_for(FACTS, 1, 1)[:2]
    text = report([Result(easy, 0.02, 1.0, 1.0), Result(hard, 0.02, 0.2, 0.0)])
    assert "0.600" in text
    assert text.index(hard.prompt) < text.index(easy.prompt)
