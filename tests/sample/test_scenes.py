"""Scenes: decided by their seed, told apart by their id, and possible."""

# Random captions and layouts are no secrets.
# ruff: noqa: S311
from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from ingest.sample.scenes import (
    EVALUATION_SEEDS,
    KINDS,
    SAMPLE_SEEDS,
    SAMPLE_SIZE,
    SETTINGS,
    TIMES,
    TRAINING_SEEDS,
    VALIDATION_SEEDS,
    WEATHERS,
    compose,
    scene_from_id,
    vary,
)

SCENES = [compose(seed) for seed in range(600)]


def test_a_seed_always_gives_the_same_scene() -> None:
    assert compose(17) == compose(17)
    assert compose(17) != compose(18)


def test_a_seed_gives_the_scene_it_gave_when_the_model_was_trained() -> None:
    scene = compose(0)
    groups = [(group.kind, group.colour, group.count) for group in scene.groups]
    assert (scene.setting, scene.time, scene.weather) == ("forest", "sunset", "clear")
    assert groups == [("cat", "orange", 2), ("person", "orange", 3)]


def test_ids_lead_back_to_their_scenes() -> None:
    assert SCENES[17].id == "scene-000017"
    assert all(scene_from_id(scene.id) == scene for scene in SCENES[:50])
    assert scene_from_id("scene-1000000").seed == 1_000_000


@pytest.mark.parametrize(
    "bad", ["", "17", "scene-17", "scene-0000017", "scene--00001", "scene-000017 ", "photo-000017"]
)
def test_a_bad_id_is_refused_by_name(bad: str) -> None:
    with pytest.raises(ValueError, match="not the id of a scene") as error:
        scene_from_id(bad)
    assert repr(bad) in str(error.value)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="0 or greater"):
        compose(-1)


def test_no_seed_serves_two_purposes() -> None:
    ranges = [SAMPLE_SEEDS, VALIDATION_SEEDS, EVALUATION_SEEDS, TRAINING_SEEDS]
    for before, after in pairwise(ranges):
        assert before.stop <= after.start
    assert len(SAMPLE_SEEDS) == SAMPLE_SIZE


def test_every_setting_time_weather_and_kind_occurs() -> None:
    known = {word for scene in SCENES for word in scene.keywords}
    assert known >= {*SETTINGS, *TIMES, *WEATHERS, *KINDS}


def test_objects_are_possible_where_they_are() -> None:
    for scene in SCENES:
        kinds = [group.kind for group in scene.groups]
        assert len(kinds) == len(set(kinds))
        for group in scene.groups:
            kind = KINDS[group.kind]
            assert scene.setting in kind.settings
            assert group.colour in kind.colours
            assert 1 <= group.count <= kind.max_count
            assert all(0 < place.x < 1 and 0 < place.y < 1 for place in group.placements)


def test_poses_and_light_stay_below_one() -> None:
    scenes = [compose(seed) for seed in EVALUATION_SEEDS]
    poses = [place.pose for s in scenes for group in s.groups for place in group.placements]
    # The rarest case, a number that rounds to 1, does occur among these.
    assert max(poses) == 0.9999
    assert all(0 <= scene.light < 1 for scene in scenes)


def test_a_variation_changes_exactly_one_fact() -> None:
    rng = Random(5)
    for scene in SCENES[:200]:
        other = vary(scene, rng)
        changed = [scene.time != other.time, scene.weather != other.weather]
        for mine, theirs in zip(scene.groups, other.groups, strict=True):
            changed += [mine.colour != theirs.colour, mine.count != theirs.count]
        assert sum(changed) == 1
        assert scene.setting == other.setting
