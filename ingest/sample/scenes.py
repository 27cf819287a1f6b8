"""What a scene of the sample collection is: facts and layout, drawn by nobody yet.

A scene is decided by its seed alone. Everything a caption may say, a filter may ask for or the
drawing may need is in the ``Scene``; ``ingest.sample.drawing`` turns it into a picture and
``ingest.sample.captions`` into words.

Seeds are shared out once, here, so that no picture serves two purposes:

===================  =========================  =============================================
name                 seeds                      used for
===================  =========================  =============================================
``SAMPLE_SEEDS``     0 .. 1,999                 the collection a newcomer sees
``VALIDATION_SEEDS`` 100,000 .. 102,999         decisions while the model is being made
``EVALUATION_SEEDS`` 200,000 .. 203,999         the published figures, and nothing else
``TRAINING_SEEDS``   1,000,000 .. 9,999,999     training
===================  =========================  =============================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from random import Random
from typing import Final, TypeVar

SAMPLE_SIZE: Final = 2000
PICTURE_SIDE: Final = 96  # pixels, as the sample's model sees a scene
SAMPLE_SEEDS: Final = range(0, SAMPLE_SIZE)
VALIDATION_SEEDS: Final = range(100_000, 103_000)
EVALUATION_SEEDS: Final = range(200_000, 204_000)
TRAINING_SEEDS: Final = range(1_000_000, 10_000_000)

_T = TypeVar("_T")

# Separates the random stream of scenes from any other use of the same small integers as seeds.
_SALT: Final = 0x5CE7E5
_ID: Final = re.compile(r"scene-(\d{6,})")

# Each choice is drawn with the weight beside it.
SETTINGS: Final[dict[str, int]] = {
    "lake": 13,
    "beach": 12,
    "harbour": 10,
    "forest": 11,
    "mountains": 11,
    "city": 12,
    "desert": 9,
    "meadow": 12,
    "field": 10,
}
TIMES: Final[dict[str, int]] = {"day": 52, "sunset": 22, "night": 26}
WEATHERS: Final[dict[str, int]] = {"clear": 55, "rain": 15, "snow": 17, "fog": 13}
_OBJECT_GROUPS: Final[dict[int, int]] = {0: 5, 1: 35, 2: 40, 3: 20}
_COUNTS: Final[dict[int, int]] = {1: 46, 2: 24, 3: 18, 4: 12}

_PAINTS: Final = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black")
_WATERSIDE: Final = frozenset({"lake", "beach", "harbour"})
_EVERYWHERE: Final = frozenset(SETTINGS)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is true of every object of one kind.

    ``width`` and ``height`` are shares of the picture's side for an object in the foreground.
    ``zone`` is where it is put: ``land``, ``water`` or ``sky``.
    """

    colours: tuple[str, ...]
    settings: frozenset[str]
    zone: str
    width: float
    height: float
    max_count: int = 4
    weight: int = 10


KINDS: Final[dict[str, Kind]] = {
    "house": Kind(
        ("red", "yellow", "blue", "white", "green", "purple"),
        _EVERYWHERE - {"city"},
        "land",
        0.34,
        0.34,
        weight=17,
    ),
    "tent": Kind(_PAINTS[:6], _EVERYWHERE - {"city", "harbour"}, "land", 0.30, 0.22),
    "lighthouse": Kind(("red", "blue", "white", "black"), _WATERSIDE, "land", 0.17, 0.50, 1, 15),
    "windmill": Kind(
        ("white", "red", "blue"), frozenset({"field", "meadow", "lake"}), "land", 0.30, 0.48, 2, 13
    ),
    "boat": Kind(_PAINTS, _WATERSIDE, "water", 0.27, 0.27, weight=36),
    "car": Kind(_PAINTS, _EVERYWHERE - {"lake", "forest"}, "land", 0.33, 0.16, weight=13),
    "bicycle": Kind(_PAINTS[:5], _EVERYWHERE - {"desert"}, "land", 0.25, 0.17),
    "person": Kind(_PAINTS, _EVERYWHERE, "land", 0.11, 0.25, weight=15),
    "umbrella": Kind(
        ("red", "yellow", "blue", "green", "purple", "orange"),
        frozenset({"beach", "city", "meadow", "harbour", "lake"}),
        "land",
        0.25,
        0.25,
        weight=12,
    ),
    "dog": Kind(("brown", "black", "white"), _EVERYWHERE, "land", 0.22, 0.17, weight=12),
    "cat": Kind(
        ("orange", "black", "white"),
        _EVERYWHERE - {"mountains", "desert"},
        "land",
        0.15,
        0.20,
        weight=12,
    ),
    "sheep": Kind(
        ("white", "black"),
        frozenset({"meadow", "field", "mountains", "lake"}),
        "land",
        0.22,
        0.17,
        weight=18,
    ),
    "tree": Kind(
        ("green", "orange", "pink"),
        frozenset({"meadow", "field", "lake", "city", "mountains"}),
        "land",
        0.25,
        0.38,
        weight=12,
    ),
    "bird": Kind(("white", "black"), _EVERYWHERE, "sky", 0.16, 0.10, weight=9),
    "balloon": Kind(_PAINTS[:6], _EVERYWHERE - {"forest"}, "sky", 0.19, 0.26, weight=10),
    "kite": Kind(
        _PAINTS[:6], frozenset({"beach", "meadow", "field", "desert"}), "sky", 0.16, 0.24, weight=13
    ),
}
COLOURS: Final = (*_PAINTS, "pink", "brown")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one object stands.

    ``x`` and ``y`` are the foot of the object (its middle in the sky) as shares of the picture's
    side from the top left, ``scale`` multiplies its kind's size, ``flip`` mirrors it and ``pose``
    in [0, 1) picks among small differences of drawing.
    """

    x: float
    y: float
    scale: float
    flip: bool
    pose: float


@dataclass(frozen=True, slots=True)
class Group:
    """All objects of one kind in a scene: they share a colour, and no other group has the kind."""

    kind: str
    colour: str
    placements: tuple[Placement, ...]

    @property
    def count(self) -> int:
        """How many of them are in the picture, 1 to 4."""
        return len(self.placements)


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture of the sample, in facts and layout.

    ``horizon`` is where the sky ends and ``shore`` where the land of the foreground begins (the
    two are equal where there is no water), as shares of the picture's height from the top.
    ``tint`` (three numbers in [-1, 1]) shifts the palette, ``light`` in [0, 1) places sun or moon.
    """

    seed: int
    setting: str
    time: str
    weather: str
    groups: tuple[Group, ...]
    horizon: float
    shore: float
    light: float
    tint: tuple[float, float, float]

    @property
    def id(self) -> str:
        """The id under which the scene is stored, such as ``scene-000017``."""
        return f"scene-{self.seed:06d}"

    @property
    def has_water(self) -> bool:
        """Whether there is a lake or the sea in the picture."""
        return self.setting in _WATERSIDE

    @property
    def keywords(self) -> tuple[str, ...]:
        """Facts to filter by: setting, time, weather, kinds of objects and their colours."""
        facts = [self.setting, self.time, self.weather]
        for group in self.groups:
            facts += [group.kind, group.colour]
        return tuple(dict.fromkeys(facts))

    def group(self, kind: str) -> Group | None:
        """Return the objects of that kind, or None if there are none."""
        return next((group for group in self.groups if group.kind == kind), None)


def scene_from_id(scene_id: str) -> Scene:
    """Return the scene stored under an id.

    Raises:
        ValueError: if the text is not the id of a scene.
    """
    match = _ID.fullmatch(scene_id)
    scene = compose(int(match[1])) if match else None
    if scene is None or scene.id != scene_id:
        raise ValueError(f"not the id of a scene: {scene_id!r} (expected one like 'scene-000017')")
    return scene


def compose(seed: int) -> Scene:
    """Decide everything about the scene of a seed; the same seed always gives the same scene.

    Raises:
        ValueError: if the seed is negative.
    """
    if seed < 0:
        raise ValueError(f"a scene's seed is 0 or greater, not {seed}")
    rng = Random(_SALT * 1_000_003 + seed)
    setting = _pick(rng, SETTINGS)
    time = _pick(rng, TIMES)
    weather = _pick(rng, _weathers(setting))
    horizon = round(rng.uniform(0.36, 0.50), 4)
    shore = round(horizon + rng.uniform(0.17, 0.24), 4) if setting in _WATERSIDE else horizon
    scene = Scene(
        seed=seed,
        setting=setting,
        time=time,
        weather=weather,
        groups=(),
        horizon=horizon,
        shore=shore,
        light=_share(rng),
        tint=tuple(round(rng.uniform(-1, 1), 4) for _ in range(3)),  # type: ignore[arg-type]
    )
    return replace(scene, groups=_compose_groups(rng, scene))


def close_up(scene: Scene, rng: Random) -> Scene:
    """Return the scene seen from near: one or two of the objects of one group, large.

    A scene without objects is returned as it is.
    """
    if not scene.groups:
        return scene
    group = scene.groups[int(rng.random() * len(scene.groups))]
    kind = KINDS[group.kind]
    places = group.placements[:2]
    # The largest size at which they fit beside and below each other's frame.
    room = (0.9 / len(places) / kind.width, 0.62 / kind.height, 2.2)
    scale = min(room) * rng.uniform(0.8, 1.0)
    near = []
    for index, place in enumerate(places):
        half = kind.width * scale / 2
        left, right = index / len(places) + half, (index + 1) / len(places) - half
        x = left + (right - left) * rng.random() if right > left else (left + right) / 2
        near.append(replace(place, x=x, y=_near_height(scene, kind, scale, rng), scale=scale))
    return replace(scene, groups=(replace(group, placements=tuple(near)),))


def _near_height(scene: Scene, kind: Kind, scale: float, rng: Random) -> float:
    """Return where the foot (in the sky, the middle) of a large object is put."""
    if kind.zone == "sky":
        return kind.height * scale / 2 + 0.02 + 0.1 * rng.random()
    if kind.zone == "water":
        return scene.shore - 0.02
    return rng.uniform(0.84, 0.96)


def vary(scene: Scene, rng: Random) -> Scene:
    """Return a near copy of a scene: the same layout with exactly one fact changed.

    The fact is the colour of one group, the number of its objects, the time or the weather.
    """
    changes = ["time", "weather"]
    if scene.groups:
        changes += ["colour", "colour", "count", "count"]
    change = rng.choice(changes)
    if change == "time":
        return replace(scene, time=_other(rng, TIMES, scene.time))
    if change == "weather":
        return replace(scene, weather=_other(rng, _weathers(scene.setting), scene.weather))
    index = rng.randrange(len(scene.groups))
    groups = list(scene.groups)
    groups[index] = _vary_group(rng, groups[index], change)
    return replace(scene, groups=tuple(groups))


def _vary_group(rng: Random, group: Group, change: str) -> Group:
    if change == "count" and group.count > 1:
        return replace(group, placements=group.placements[:-1])
    colours = dict.fromkeys(KINDS[group.kind].colours, 1)
    return replace(group, colour=_other(rng, colours, group.colour))


def _weathers(setting: str) -> dict[str, int]:
    if setting == "desert":
        return {name: weight for name, weight in WEATHERS.items() if name != "snow"}
    return WEATHERS


def _compose_groups(rng: Random, scene: Scene) -> tuple[Group, ...]:
    """Choose kinds, colours and counts, then find room for every object."""
    weights = {name: kind.weight for name, kind in KINDS.items() if scene.setting in kind.settings}
    taken: list[tuple[float, float, float, float]] = []
    groups: list[Group] = []
    for _ in range(_pick(rng, _OBJECT_GROUPS)):
        name = _pick(rng, weights)
        del weights[name]
        kind = KINDS[name]
        counts = {count: w for count, w in _COUNTS.items() if count <= kind.max_count}
        placements = _place(rng, scene, kind, _pick(rng, counts), taken)
        if placements:
            colour = _pick(rng, dict.fromkeys(kind.colours, 1))
            groups.append(Group(name, colour, placements))
    return tuple(groups)


def _place(
    rng: Random,
    scene: Scene,
    kind: Kind,
    count: int,
    taken: list[tuple[float, float, float, float]],
) -> tuple[Placement, ...]:
    """Find room for up to ``count`` objects; ``taken`` holds and receives the boxes in use."""
    crowd = (1.0, 0.93, 0.87, 0.81)[count - 1]
    placements: list[Placement] = []
    for _ in range(count):
        for _ in range(24):
            placement = _propose(rng, scene, kind, crowd)
            box = _box(placement, kind)
            if not any(_overlap(box, other) > 0.12 for other in taken):
                taken.append(box)
                placements.append(placement)
                break
    return tuple(sorted(placements, key=lambda placement: placement.y))


def _propose(rng: Random, scene: Scene, kind: Kind, crowd: float) -> Placement:
    top, bottom = {
        "land": (scene.shore + 0.06, 0.96),
        "water": (scene.horizon + 0.07, scene.shore - 0.015),
        "sky": (0.13, max(0.2, scene.horizon - 0.10)),
    }[kind.zone]
    depth = rng.random()
    near = {"land": 0.76 + 0.24 * depth, "water": 0.82 + 0.18 * depth, "sky": 1.0 - 0.2 * depth}
    scale = crowd * near[kind.zone] * rng.uniform(1.02, 1.20)
    margin = kind.width * scale / 2 + 0.01
    return Placement(
        x=round(rng.uniform(margin, 1 - margin), 4),
        y=round(top + (bottom - top) * depth, 4),
        scale=round(scale, 4),
        flip=rng.random() < 0.5,
        pose=_share(rng),
    )


def _share(rng: Random) -> float:
    """Return a short number in [0, 1): rounding must not reach 1."""
    return min(0.9999, round(rng.random(), 4))


def _box(placement: Placement, kind: Kind) -> tuple[float, float, float, float]:
    half, height = kind.width * placement.scale / 2, kind.height * placement.scale
    bottom = placement.y + height / 2 if kind.zone == "sky" else placement.y
    return placement.x - half, bottom - height, placement.x + half, bottom


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Return the share of the smaller box that the other one covers."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return width * height / smaller


def _pick(rng: Random, weights: dict[_T, int]) -> _T:
    """Draw one key by its weight (only ``random()``, whose stream Python keeps stable)."""
    point = rng.random() * sum(weights.values())
    for key, weight in weights.items():
        point -= weight
        if point < 0:
            return key
    return key


def _other(rng: Random, weights: dict[_T, int], current: _T) -> _T:
    return _pick(rng, {key: weight for key, weight in weights.items() if key != current})
