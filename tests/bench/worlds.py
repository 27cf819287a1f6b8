"""Collections with concepts to look for: drawn, simulated, stored, or from a file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from classifier.centring import NOUNS
from db.collections import Collection
from db.database import open_database
from db.settings import load_settings
from ingest.models import load_model
from ingest.sample import CHECKPOINT, concepts
from ingest.sample.captions import scene_facts
from ingest.sample.concepts import COMMONEST, RAREST
from ingest.sample.scenes import EVALUATION_SEEDS, PICTURE_SIDE, VALIDATION_SEEDS, compose
from ingest.sample.studio import studio
from ingest.sample.towers import Encoder

Matrix = npt.NDArray[np.float32]
Truth = npt.NDArray[np.bool_]

PER_KIND = 60
SEEDS = {"tuning": VALIDATION_SEEDS, "reporting": EVALUATION_SEEDS}


@dataclass(frozen=True, eq=False)
class World:
    """A collection with concepts to look for.

    Attributes:
        name: for the table's head.
        vectors: float32 (n, 512), unit norm.
        queries: float32 (c, 512), unit norm: each concept's text vector.
        truth: bool (c, n), whether a photo shows a concept.
        prompts: c texts.
        bank: float32 (m, 512), the same model's text vectors of everyday nouns, or None.
    """

    name: str
    vectors: Matrix
    queries: Matrix
    truth: Truth
    prompts: Sequence[str]
    bank: Matrix | None = None


def sample_world(half: str, cache: Path) -> World:
    """The tuning or the reporting half of the sample's concepts, each on scenes of its own."""
    seeds = SEEDS[half]
    facts = [scene_facts(compose(seed)) for seed in seeds]
    # The same list for both, cut in two: what is usual on one half's scenes may not be on the
    # other's, so the cut is by prompt.
    chosen = [
        concept
        for concept in concepts.concepts_for(facts, PER_KIND * 2, seed=2)
        if _in_half(concept.prompt, half)
    ]
    encoder = Encoder(CHECKPOINT)
    vectors = _cached(cache / f"{half}.npy", lambda: _encoded(encoder, seeds))
    return World(
        f"Sample, {half} half",
        vectors,
        encoder.encode_texts([concept.prompt for concept in chosen]),
        np.array([[concept.facts <= known for known in facts] for concept in chosen]),
        [concept.prompt for concept in chosen],
        encoder.encode_texts([f"a {noun}" for noun in NOUNS]),
    )


# Words that no caption uses for these things, whatever the model makes of them.
UNKNOWN_WORDS = {
    "buildings": ("house", "lighthouse", "windmill"),
    "pets": ("dog", "cat"),
    "things that fly": ("balloon", "kite", "bird"),
    "vehicles": ("car", "bicycle", "boat"),
    "wheels": ("car", "bicycle"),
}


def unknown_words_world(half: str, cache: Path) -> World:
    """What a person has a word for and the model has not, as on photographs: half the prompts."""
    known = sample_world(half, cache)
    facts = [scene_facts(compose(seed)) for seed in SEEDS[half]]
    contexts = [*concepts.places(), *concepts.moments()]
    chosen: dict[str, Truth] = {}
    for word, kinds in UNKNOWN_WORDS.items():
        for where, wanted in contexts:
            right = np.array(
                [set(wanted) <= f and any(f"kind:{kind}" in f for kind in kinds) for f in facts]
            )
            prompt = f"{word} {where}"
            if RAREST <= right.mean() <= COMMONEST and _in_half(prompt, half):
                chosen[prompt] = right
    return World(
        f"Sample, words unknown to the model, {half} half",
        known.vectors,
        Encoder(CHECKPOINT).encode_texts(list(chosen)),
        np.array(list(chosen.values())),
        list(chosen),
        known.bank,
    )


def _in_half(prompt: str, half: str) -> bool:
    return (sum(prompt.encode()) % 2 == 0) == (half == "tuning")


def _encoded(encoder: Encoder, seeds: Sequence[int]) -> Matrix:
    assert encoder.image_size == PICTURE_SIDE
    with studio(seeds) as drawn:
        blocks = [seeds[start : start + 250] for start in range(0, len(seeds), 250)]
        return np.concatenate(
            [encoder.encode_images([drawn.picture(seed) for seed in block]) for block in blocks]
        )


def _cached(path: Path, make: Callable[[], Matrix]) -> Matrix:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, make())
    vectors: Matrix = np.load(path)
    return vectors


def simulated_world(seed: int, noise: float, blur: float, common: float) -> World:
    """Vectors like CLIP's: a strong common part, directions of unequal strength, a text tower.

    Args:
        seed: decides all.
        noise: length of what a photo shows beside its attributes.
        blur: how far prompts miss their concepts.
        common: length of the part that all photos share.
    """
    n, d, attributes, count = 4000, 512, 120, 150
    rng = np.random.default_rng(seed)
    directions = _unit(rng.normal(size=(attributes, d)))
    strengths = 1 / np.sqrt(1 + np.arange(d) / 20)
    basis = _unit(rng.normal(size=(d, d)))
    image_mean, text_mean = _unit(rng.normal(size=(2, d)))
    has = rng.random((n, attributes)) < rng.uniform(0.02, 0.3, attributes)
    shows = rng.uniform(0.4, 1.2, (n, attributes)) * has
    beside = (rng.normal(size=(n, d)) * strengths) @ basis / np.linalg.norm(strengths)
    vectors = _unit(common * image_mean + shows @ directions + 1.5 * noise * beside)
    queries, truth = [], []
    while len(queries) < count:
        wanted = rng.choice(attributes, rng.integers(1, 4), replace=False)
        right = has[:, wanted].all(axis=1)
        if not RAREST <= right.mean() <= COMMONEST:
            continue
        astray = blur * rng.uniform(0.2, 2) * _unit(rng.normal(size=d))
        confused = directions[rng.choice(attributes, 2)].sum(axis=0) * 0.6 * rng.random()
        queries.append(2 * text_mean + directions[wanted].sum(axis=0) + astray + confused)
        truth.append(right)
    return World(
        f"Simulated (seed {seed}, noise {noise}, blur {blur}, common {common})",
        vectors.astype(np.float32),
        _unit(np.array(queries)).astype(np.float32),
        np.array(truth),
        [""] * count,
    )


def _unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    unit: npt.NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return unit


def file_world(path: Path) -> World:
    """A labelled collection of real CLIP vectors.

    Args:
        path: an `.npz` with `vectors` (n, 512), `queries` (c, 512), `truth` bool (c, n), and
            perhaps `prompts` (c) and `bank` (m, 512), text vectors of nouns.
    """
    with np.load(path, allow_pickle=False) as file:
        vectors, queries = (_unit(file[key].astype(np.float64)) for key in ("vectors", "queries"))
        truth = file["truth"].astype(bool)
        prompts = file["prompts"].tolist() if "prompts" in file else [""] * len(queries)
        bank = _unit(file["bank"].astype(np.float64)) if "bank" in file else None
    known = truth.any(axis=1)  # what nothing shows can't be found
    return World(
        path.stem,
        vectors.astype(np.float32),
        queries[known].astype(np.float32),
        truth[known],
        [prompt for prompt, there in zip(prompts, known, strict=True) if there],
        None if bank is None else bank.astype(np.float32),
    )


def stored_world(name: str) -> World:
    """A collection of the database, whose keywords are the concepts."""
    database = open_database(load_settings().database_url)
    try:
        collection = database.collections.find(name)
        if collection is None:
            raise SystemExit(f"There is no collection {name!r}: python -m ingest status lists them")
        table = database.collections.photos(collection)
        found = table.get(sorted(table.ids()))
        keywords = [set(neighbour.photo.keywords) for neighbour in found]
        usual = [
            word
            for word in table.common("keyword")
            if RAREST <= np.mean([word in known for known in keywords]) <= COMMONEST
        ]
        if not usual:
            raise SystemExit(f"No keyword of {name} is on .5 to 10 % of its photos")
        return World(
            f"{name}, its keywords",
            np.stack([neighbour.vector for neighbour in found]),
            _text_vectors(collection, usual),
            np.array([[word in known for known in keywords] for word in usual]),
            usual,
            _text_vectors(collection, [f"a {noun}" for noun in NOUNS]),
        )
    finally:
        database.close()


def _text_vectors(collection: Collection, words: list[str]) -> Matrix:
    return load_model(collection.model).encode_text(words)
