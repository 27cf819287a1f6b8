"""Captions: true, varied, and clear about what they assert."""

# Random captions and layouts are no secrets.
# ruff: noqa: S311
from __future__ import annotations

import re
from random import Random

from ingest.sample.captions import caption, captioned, describe, scene_facts
from ingest.sample.scenes import COLOURS, KINDS, SETTINGS, Scene, compose

SCENES = [compose(seed) for seed in range(400)]
NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4}
NOUNS = {
    "house": "house|cottage|home",
    "boat": "boat|sailboat|sailing boat",
    "bicycle": "bicycle|bike",
    "umbrella": "umbrella|parasol",
    "balloon": "balloon|hot-air balloon",
    "person": "person|people",
}


def _counted(scene: Scene, text: str) -> list[tuple[int, str]]:
    """Return the numbers a text claims, read from its words alone."""
    found = []
    for kind in KINDS:
        nouns = NOUNS.get(kind, kind)
        pattern = rf"\b(one|two|three|four) (?:(?:{'|'.join(COLOURS)}) )?(?:{nouns})s?\b"
        found += [(NUMBERS[number], kind) for number in re.findall(pattern, text)]
    return found


def test_every_caption_fits_its_own_scene() -> None:
    rng = Random(1)
    for scene in SCENES:
        assert all(captioned(scene, rng).fits(scene) for _ in range(20))


def test_no_caption_names_a_colour_a_kind_or_a_number_that_is_not_there() -> None:
    rng = Random(2)
    counted = 0
    for scene in SCENES:
        for text in [describe(scene).lower(), *(caption(scene, rng) for _ in range(20))]:
            words = set(re.findall(r"[a-z]+", text))
            colours = {group.colour for group in scene.groups}
            if "green meadow" not in text:
                assert words & set(COLOURS) <= colours, text
            for kind in KINDS:
                named = re.search(rf"\b(?:{NOUNS.get(kind, kind)})s?\b", text)
                woods = kind == "tree" and scene.setting == "forest"
                assert not named or woods or scene.group(kind), text
            for count, kind in _counted(scene, text):
                group = scene.group(kind)
                counted += 1
                assert group is not None, text
                assert group.count == count, text
    assert counted > 500


def test_a_coloured_noun_has_the_colour_of_its_kind() -> None:
    rng = Random(3)
    pattern = re.compile(rf"\b({'|'.join(COLOURS)}) ({'|'.join(KINDS)})s?\b")
    seen = 0
    for scene in SCENES:
        for text in (caption(scene, rng) for _ in range(10)):
            for colour, kind in pattern.findall(text):
                group = scene.group(kind)
                seen += 1
                assert group is not None, text
                assert group.colour == colour, text
    assert seen > 300


def test_a_caption_does_not_fit_a_scene_that_lacks_a_fact() -> None:
    rng = Random(4)
    lake = next(s for s in SCENES if s.setting == "lake" and s.group("house"))
    said = next(c for c in (captioned(lake, rng) for _ in range(500)) if "setting:lake" in c.facts)
    assert not any(said.fits(s) for s in SCENES if s.setting in SETTINGS and s.setting != "lake")


def test_captions_vary_and_descriptions_do_not() -> None:
    scene = next(scene for scene in SCENES if len(scene.groups) == 2)
    rng = Random(5)
    assert len({caption(scene, rng) for _ in range(100)}) > 50
    assert describe(scene) == describe(compose(scene.seed))


def test_captions_follow_their_generator() -> None:
    assert [caption(s, Random(6)) for s in SCENES[:20]] == [
        caption(s, Random(6)) for s in SCENES[:20]
    ]


def test_the_facts_of_a_scene_cover_everything_in_it() -> None:
    scene = next(s for s in SCENES if s.group("boat") and s.setting == "lake")
    boat = scene.group("boat")
    assert boat is not None
    assert scene_facts(scene) >= {
        "setting:lake",
        "water",
        "kind:boat",
        f"colour:{boat.colour} boat",
        f"count:{boat.count} boat",
    }
