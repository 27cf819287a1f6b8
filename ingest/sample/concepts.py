"""Concepts to measure a search with: a prompt each, and the facts that make a picture right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Final

from ingest.sample.scenes import KINDS, SETTINGS, TIMES, WEATHERS

RAREST: Final = 0.005
COMMONEST: Final = 0.10

_WHERE: Final[dict[str, str]] = {
    "lake": "by a lake",
    "beach": "on a beach",
    "harbour": "in a harbour",
    "forest": "in a forest",
    "mountains": "in the mountains",
    "city": "in a city",
    "desert": "in the desert",
    "meadow": "in a meadow",
    "field": "in a field",
}
_PLACES: Final[dict[str, str]] = {
    name: name if name == "mountains" else f"a {name}" for name in SETTINGS
}
_WHEN: Final[dict[str, str]] = {"day": "by day", "sunset": "at sunset", "night": "at night"}
_IN_WEATHER: Final[dict[str, str]] = {
    "clear": "under a clear sky",
    "rain": "in the rain",
    "snow": "in the snow",
    "fog": "in the fog",
}
_NUMBERS: Final[dict[int, str]] = {2: "two", 3: "three", 4: "four"}
_PLURALS: Final[dict[str, str]] = {"person": "people", "sheep": "sheep"}


@dataclass(frozen=True, slots=True)
class Concept:
    """Something to look for: what kind of concept, how to ask, and the facts that must hold."""

    kind: str
    prompt: str
    facts: frozenset[str]


def concepts_for(scenes: Sequence[frozenset[str]], per_kind: int, seed: int) -> list[Concept]:
    """Return concepts that are neither too rare nor too common among scenes.

    Args:
        scenes: the facts of every scene of the collection.
        per_kind: at most how many concepts of each kind, taken at random.
        seed: decides which.
    """
    rng = Random(seed)
    chosen: list[Concept] = []
    for kind, candidates in _CANDIDATES.items():
        usual = [
            Concept(kind, prompt, frozenset(facts))
            for prompt, facts in candidates()
            if RAREST <= _share(frozenset(facts), scenes) <= COMMONEST
        ]
        rng.shuffle(usual)
        chosen += usual[:per_kind]
    return chosen


def _share(facts: frozenset[str], scenes: Sequence[frozenset[str]]) -> float:
    return sum(facts <= scene for scene in scenes) / len(scenes)


_Candidates = list[tuple[str, tuple[str, ...]]]


def _things() -> list[tuple[str, tuple[str, ...]]]:
    return [(_phrase(kind), (f"kind:{kind}",)) for kind in KINDS]


def _coloured() -> _Candidates:
    return [
        (_phrase(kind, colour), (f"kind:{kind}", f"colour:{colour} {kind}"))
        for kind, facts in KINDS.items()
        for colour in facts.colours
    ]


def _counted() -> _Candidates:
    return [
        (f"{word} {_plural(kind)}", (f"kind:{kind}", f"count:{count} {kind}"))
        for kind, facts in KINDS.items()
        for count, word in _NUMBERS.items()
        if count <= facts.max_count
    ]


def _coloured_and_counted() -> _Candidates:
    return [
        (
            f"{word} {_plural(kind, colour)}",
            (f"kind:{kind}", f"colour:{colour} {kind}", f"count:{count} {kind}"),
        )
        for kind, facts in KINDS.items()
        for colour in facts.colours
        for count, word in _NUMBERS.items()
        if count <= facts.max_count
    ]


def _settings() -> _Candidates:
    return [(_PLACES[name], (f"setting:{name}",)) for name in SETTINGS]


def _settings_in_time() -> _Candidates:
    return [
        (f"{_PLACES[place]} {_WHEN[time]}", (f"setting:{place}", f"time:{time}"))
        for place, time in product(SETTINGS, TIMES)
    ]


def _settings_in_weather() -> _Candidates:
    return [
        (f"{_PLACES[place]} {_IN_WEATHER[weather]}", (f"setting:{place}", f"weather:{weather}"))
        for place, weather in product(SETTINGS, WEATHERS)
    ]


def _times_and_weathers() -> _Candidates:
    words = {"rain": "rainy", "snow": "snowy", "fog": "foggy"}
    return [
        (f"a {words[weather]} {time}", (f"time:{time}", f"weather:{weather}"))
        for time, weather in product(TIMES, words)
    ]


def _with(things: _Candidates, contexts: _Candidates) -> _Candidates:
    return [
        (f"{thing} {context}", (*facts, *more))
        for (thing, facts), (context, more) in product(things, contexts)
    ]


def places() -> _Candidates:
    """Where things may be: words and facts."""
    return [(where, (f"setting:{name}",)) for name, where in _WHERE.items()]


def moments() -> _Candidates:
    """When, and in what weather: words and facts."""
    times: _Candidates = [(when, (f"time:{name}",)) for name, when in _WHEN.items()]
    return times + [(words, (f"weather:{name}",)) for name, words in _IN_WEATHER.items()]


def _two_things() -> _Candidates:
    return [
        (f"{first} and {second}", (*facts, *more))
        for (first, facts), (second, more) in product(_things(), _things())
        if first < second
    ]


def _phrase(kind: str, colour: str = "") -> str:
    words = f"{kind} in {colour}" if colour and kind == "person" else f"{colour} {kind}".strip()
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _plural(kind: str, colour: str = "") -> str:
    plural = _PLURALS.get(kind, f"{kind}s")
    return f"{plural} in {colour}" if colour and kind == "person" else f"{colour} {plural}".strip()


_CANDIDATES: Final[dict[str, Callable[[], _Candidates]]] = {
    "setting": _settings,
    "time and weather": _times_and_weathers,
    "setting and time": _settings_in_time,
    "setting and weather": _settings_in_weather,
    "object": _things,
    "colour and object": _coloured,
    "count and object": _counted,
    "count, colour and object": _coloured_and_counted,
    "object and setting": lambda: _with(_things(), places()),
    "object and time or weather": lambda: _with(_things(), moments()),
    "two objects": _two_things,
    "colour, object and time or weather": lambda: _with(_coloured(), moments()),
}
