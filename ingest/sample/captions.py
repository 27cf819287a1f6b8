"""Words for a scene: one plain description, and any number of varied, true captions.

Every caption carries the facts it asserts, so that it can be decided exactly which other scenes
it fits as well. A fact is a short text such as ``setting:lake`` or ``count:2 boat``; the facts
of a scene are all that are true of it, and a caption fits a scene that has all of the caption's.

A singular such as "a red boat" asserts at least one red boat; "one", "two", "three" and "four" are
exact; a plural without a number asserts two or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

from ingest.sample.scenes import Group, Scene

_T = TypeVar("_T")

EXAMPLE_PROMPTS: Final[tuple[str, ...]] = (
    "a house by a lake",
    "snow in the mountains",
    "hot-air balloons over the mountains",
    "a tent at night",
    "buildings in the desert",
)

_NUMBERS: Final = ("no", "one", "two", "three", "four")
# The first word of each is the one `describe` uses.
_NOUNS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "house": (("house", "houses"), ("cottage", "cottages"), ("home", "homes")),
    "tent": (("tent", "tents"),),
    "lighthouse": (("lighthouse", "lighthouses"),),
    "windmill": (("windmill", "windmills"),),
    "boat": (("boat", "boats"), ("sailboat", "sailboats"), ("sailing boat", "sailing boats")),
    "car": (("car", "cars"),),
    "bicycle": (("bicycle", "bicycles"), ("bike", "bikes")),
    "person": (("person", "people"),),
    "umbrella": (("umbrella", "umbrellas"), ("parasol", "parasols")),
    "dog": (("dog", "dogs"),),
    "cat": (("cat", "cats"),),
    "sheep": (("sheep", "sheep"),),
    "tree": (("tree", "trees"),),
    "bird": (("bird", "birds"),),
    "balloon": (("balloon", "balloons"), ("hot-air balloon", "hot-air balloons")),
    "kite": (("kite", "kites"),),
}
_ANIMALS: Final = frozenset({"dog", "cat", "sheep", "bird"})
# Where something is, and the place itself, by setting.
_WHERE: Final[dict[str, tuple[str, ...]]] = {
    "lake": ("by a lake", "by the lake", "at a lake", "near a lake", "on a lake"),
    "beach": ("on a beach", "on the beach", "at the beach", "at the seaside"),
    "harbour": ("in a harbour", "in the harbour", "in a harbor", "at the port", "at a harbour"),
    "forest": ("in a forest", "in the forest", "in the woods", "among trees in a forest"),
    "mountains": ("in the mountains", "by the mountains", "below the mountains"),
    "city": ("in a city", "in the city", "on a city street", "on a street", "in town"),
    "desert": ("in a desert", "in the desert"),
    "meadow": ("in a meadow", "in the meadow", "on a green meadow"),
    "field": ("in a field", "in the field", "in a wheat field"),
}
_PLACES: Final[dict[str, tuple[str, ...]]] = {
    "lake": ("a lake", "lake", "the lake"),
    "beach": ("a beach", "beach", "the beach", "a sandy beach"),
    "harbour": ("a harbour", "harbour", "a harbor", "a port"),
    "forest": ("a forest", "forest", "the woods", "woods"),
    "mountains": ("mountains", "the mountains", "a mountain landscape"),
    "city": ("a city", "city", "a city street", "a street", "city buildings"),
    "desert": ("a desert", "desert", "sand dunes in the desert"),
    "meadow": ("a meadow", "meadow", "a green meadow"),
    "field": ("a field", "field", "a wheat field"),
}
_WHEN: Final[dict[str, tuple[str, ...]]] = {
    "day": ("by day", "during the day", "in daylight", "in the daytime"),
    "sunset": ("at sunset", "at dusk", "in the evening", "in the evening light"),
    "night": ("at night", "in the night", "at nighttime", "in the dark"),
}
_TIMES: Final[dict[str, tuple[str, ...]]] = {
    "day": ("day", "daytime", "daylight"),
    "sunset": ("sunset", "a sunset", "dusk", "evening"),
    "night": ("night", "a night scene", "darkness", "the night sky"),
}
_IN_WEATHER: Final[dict[str, tuple[str, ...]]] = {
    "clear": ("in clear weather", "under a clear sky", "in fine weather"),
    "rain": ("in the rain", "in rain", "in rainy weather"),
    "snow": ("in the snow", "in snow", "in winter", "in snowy weather"),
    "fog": ("in the fog", "in fog", "in the mist", "in foggy weather"),
}
_WEATHERS: Final[dict[str, tuple[str, ...]]] = {
    "clear": ("clear weather", "a clear sky", "fine weather"),
    "rain": ("rain", "rainy weather", "falling rain"),
    "snow": ("snow", "winter", "falling snow", "a snowy landscape"),
    "fog": ("fog", "mist", "foggy weather"),
}
_WEATHER_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "clear": ("clear",),
    "rain": ("rainy",),
    "snow": ("snowy", "snow-covered"),
    "fog": ("foggy", "misty"),
}
_PREFIXES: Final = (
    "",
    "",
    "",
    "",
    "",
    "a photo of ",
    "a photo of ",
    "a picture of ",
    "an image of ",
)
_AT_SEA: Final = frozenset({"beach", "harbour"})


@dataclass(frozen=True, slots=True)
class Caption:
    """A text and the facts it asserts of a picture."""

    text: str
    facts: frozenset[str]

    def fits(self, scene: Scene) -> bool:
        """Whether everything the caption says is true of the scene."""
        return self.facts <= scene_facts(scene)


def describe(scene: Scene) -> str:
    """Return the one plain, full description of a scene, as a sentence."""
    things = [_noun_phrase(group, counted=True, coloured=True) for group in scene.groups]
    where, when = _WHERE[scene.setting][0], _WHEN[scene.time][0]
    text = f"{_join(things)} {where} {when}" if things else f"{_PLACES[scene.setting][0]} {when}"
    if scene.weather != "clear":
        text += f" {_IN_WEATHER[scene.weather][0]}"
    return text[0].upper() + text[1:] + "."


def caption(scene: Scene, rng: Random) -> str:
    """Return the text of one true caption of the scene, chosen by ``rng``."""
    return captioned(scene, rng).text


def captioned(scene: Scene, rng: Random) -> Caption:
    """Return one true caption of the scene with the facts it asserts, chosen by ``rng``."""
    writers = (_surroundings, _single_words) if not scene.groups else _WRITERS
    written = _one(rng, writers)(scene, rng)
    return Caption(_one(rng, _PREFIXES) + written.text, written.facts)


def scene_facts(scene: Scene) -> frozenset[str]:
    """Return every fact that is true of a scene."""
    facts = {f"setting:{scene.setting}", f"time:{scene.time}", f"weather:{scene.weather}"}
    if scene.has_water:
        facts.add("water")
    if scene.setting in _AT_SEA:
        facts.add("sea")
    if not scene.groups:
        facts.add("empty")
    for group in scene.groups:
        facts |= _group_facts(group)
    return frozenset(facts)


def _group_facts(group: Group) -> set[str]:
    facts = {
        f"kind:{group.kind}",
        f"colour:{group.colour} {group.kind}",
        f"count:{group.count} {group.kind}",
        f"any:{group.colour}",
    }
    if group.count > 1:
        facts.add(f"several:{group.kind}")
    if group.kind in _ANIMALS:
        facts.add("animal")
    return facts


def _full(scene: Scene, rng: Random) -> Caption:
    """Everything there is to say."""
    captions = [_thing(group, rng, counted=True, coloured=True) for group in scene.groups]
    rng.shuffle(captions)
    return _with_context(captions, scene, rng, (1.0, 1.0, 1.0))


def _one_thing(scene: Scene, rng: Random) -> Caption:
    """One kind of object and some of what surrounds it."""
    thing = _some_thing(_one(rng, scene.groups), rng)
    return _with_context([thing], scene, rng, (0.45, 0.25, 0.25))


def _only_thing(scene: Scene, rng: Random) -> Caption:
    """One kind of object, with its colour, its number or both, and nothing else."""
    return _some_thing(_one(rng, scene.groups), rng)


def _two_things(scene: Scene, rng: Random) -> Caption:
    """Two kinds of objects, if there are two, and a little of what surrounds them."""
    groups = list(scene.groups)
    rng.shuffle(groups)
    things = [_some_thing(group, rng) for group in groups[:2]]
    return _with_context(things, scene, rng, (0.3, 0.15, 0.15))


def _surroundings(scene: Scene, rng: Random) -> Caption:
    """The place, with or without time and weather, and no object."""
    facts = {f"setting:{scene.setting}"}
    text = _one(rng, _PLACES[scene.setting])
    if scene.groups == () and rng.random() < 0.2:
        text, facts = f"an empty {_PLACES[scene.setting][1]}", facts | {"empty"}
        if scene.setting == "mountains":
            text = "empty mountains"
    elif rng.random() < 0.35:
        text = f"{_one(rng, _WEATHER_WORDS[scene.weather])} {_PLACES[scene.setting][1]}"
        facts.add(f"weather:{scene.weather}")
        text = text if scene.setting == "mountains" else f"a {text}"
    return _with_context([Caption(text, frozenset(facts))], scene, rng, (0.0, 0.45, 0.3))


def _time_and_weather(scene: Scene, rng: Random) -> Caption:
    """Such as "a rainy night"."""
    text = f"{_one(rng, _WEATHER_WORDS[scene.weather])} {_TIMES[scene.time][0]}"
    text = _one(rng, (text, f"a {text}"))
    return Caption(text, frozenset({f"time:{scene.time}", f"weather:{scene.weather}"}))


def _single_words(scene: Scene, rng: Random) -> Caption:
    """One fact in one or two words."""
    choices = [
        Caption(_one(rng, _PLACES[scene.setting]), frozenset({f"setting:{scene.setting}"})),
        Caption(_one(rng, _TIMES[scene.time]), frozenset({f"time:{scene.time}"})),
        Caption(_one(rng, _WEATHERS[scene.weather]), frozenset({f"weather:{scene.weather}"})),
        _time_and_weather(scene, rng),
    ]
    if scene.has_water:
        choices.append(Caption(_one(rng, ("water", "by the water")), frozenset({"water"})))
    if scene.setting in _AT_SEA:
        choices.append(Caption(_one(rng, ("the sea", "sea", "by the sea")), frozenset({"sea"})))
    for group in scene.groups:
        choices += _words_for(group, rng)
    return _one(rng, choices)


def _words_for(group: Group, rng: Random) -> list[Caption]:
    singular, plural = _one(rng, _NOUNS[group.kind])
    kind, colour = frozenset({f"kind:{group.kind}"}), f"colour:{group.colour} {group.kind}"
    captions = [Caption(singular, kind), Caption(f"{group.colour} {singular}", kind | {colour})]
    if group.count > 1:
        captions.append(Caption(plural, kind | {f"several:{group.kind}"}))
    something = f"something {group.colour}"
    captions.append(Caption(something, frozenset({f"any:{group.colour}"})))
    if group.kind in _ANIMALS:
        captions.append(Caption(_one(rng, ("an animal", "animal")), frozenset({"animal"})))
    return captions


def _some_thing(group: Group, rng: Random) -> Caption:
    return _thing(group, rng, counted=rng.random() < 0.5, coloured=rng.random() < 0.6)


def _thing(group: Group, rng: Random, *, counted: bool, coloured: bool) -> Caption:
    """One kind of object as a noun phrase; not counted, it is "a boat" or, if several, "boats"."""
    noun = _one(rng, _NOUNS[group.kind])
    plural = not counted and group.count > 1 and rng.random() < 0.5
    facts = {f"kind:{group.kind}"}
    if coloured:
        facts.add(f"colour:{group.colour} {group.kind}")
    if counted:
        facts.add(f"count:{group.count} {group.kind}")
    elif plural:
        facts.add(f"several:{group.kind}")
    text = _noun_phrase(group, counted=counted, coloured=coloured, noun=noun, plural=plural)
    if counted and group.count == 1:
        article = text.split(" ", 1)[0]
        text = "one" + text.removeprefix(article)
    return Caption(text, frozenset(facts))


def _noun_phrase(
    group: Group,
    *,
    counted: bool,
    coloured: bool,
    noun: tuple[str, str] | None = None,
    plural: bool = False,
) -> str:
    """Return such as "a red boat", "two red boats", "red boats" or "two people in red"."""
    singular, several = noun or _NOUNS[group.kind][0]
    many = plural or (counted and group.count > 1)
    word = several if many else singular
    if coloured:
        word = f"{word} in {group.colour}" if group.kind == "person" else f"{group.colour} {word}"
    if not many:
        return f"{_article(word)} {word}"
    return f"{_NUMBERS[group.count]} {word}" if counted else word


def _with_context(
    captions: Sequence[Caption],
    scene: Scene,
    rng: Random,
    chances: tuple[float, float, float],
) -> Caption:
    """Join captions and add setting, time and weather, each with its chance."""
    facts = frozenset[str]().union(*(caption.facts for caption in captions))
    parts: list[Caption] = []
    if rng.random() < chances[0]:
        parts.append(_place(scene, rng))
    if rng.random() < chances[1]:
        when = _one(rng, _WHEN[scene.time])
        parts.append(Caption(when, frozenset({f"time:{scene.time}"})))
    if rng.random() < chances[2] and f"weather:{scene.weather}" not in facts:
        weather = _one(rng, _IN_WEATHER[scene.weather])
        parts.append(Caption(weather, frozenset({f"weather:{scene.weather}"})))
    # The place mostly comes first, as people write; sometimes time or weather does.
    if rng.random() < 0.2:
        rng.shuffle(parts)
    text = " ".join([_join([caption.text for caption in captions]), *(p.text for p in parts)])
    return Caption(text, facts.union(*(part.facts for part in parts)))


def _place(scene: Scene, rng: Random) -> Caption:
    if scene.has_water and rng.random() < 0.1:
        return Caption(_one(rng, ("by the water", "near the water")), frozenset({"water"}))
    if scene.setting in _AT_SEA and rng.random() < 0.1:
        return Caption(_one(rng, ("by the sea", "at the sea", "by the ocean")), frozenset({"sea"}))
    return Caption(_one(rng, _WHERE[scene.setting]), frozenset({f"setting:{scene.setting}"}))


def _join(texts: Sequence[str]) -> str:
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _one(rng: Random, choices: Sequence[_T]) -> _T:
    return choices[int(rng.random() * len(choices))]


# Each writer as often as its share of the captions.
_WRITERS: Final = (
    *(_full,) * 2,
    *(_one_thing,) * 8,
    *(_only_thing,) * 4,
    *(_two_things,) * 2,
    *(_surroundings,) * 3,
    *(_single_words,) * 3,
)
