"""Whether refining pays: `python -m tests.bench.loop`, with tables in Markdown.

SeeSaw's protocol (SIGMOD 2023): a concept with a prompt and known positives is shown in rounds of
nine, no photo twice; its truth answers as the person, and the classifier is refit after each round,
until ten positives are found or sixty photos shown. Search AP is the mean, over the first min(10,
positives) right photos, of the precision where each was found; one that was not found counts 0.
Separately, after five rounds, the average precision of the classifier's ranking of everything.

Concepts are those of the sample, in two halves that share neither concepts nor scenes: the tuning
half chose everything there was to choose, the reporting half was looked at last. Simulated
worlds, made like CLIP's vectors but knowing nothing of the sample, guard against its peculiarities.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from classifier.refit import refit_article, refit_checked
from classifier.whitening import Whitening
from db.collections import Collection
from db.database import open_database
from db.settings import load_settings
from ingest.models import load_model
from ingest.sample import CHECKPOINT, concepts
from ingest.sample.captions import scene_facts
from ingest.sample.concepts import COMMONEST, RAREST
from ingest.sample.evaluate import SHOWN, search_ap
from ingest.sample.scenes import EVALUATION_SEEDS, PICTURE_SIDE, VALIDATION_SEEDS, compose
from ingest.sample.studio import studio
from ingest.sample.towers import Encoder

Vector = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float32]
Truth = npt.NDArray[np.bool_]

PAGE = 9
SOUGHT = 10
ROUNDS = 5  # before the ranking of everything is looked at
PER_KIND = 60
HARD = 0.5  # zero-shot search AP below which a concept is hard
WORSE = 0.01
DRAWS = 2000  # of the bootstrap
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
    """

    name: str
    vectors: Matrix
    queries: Matrix
    truth: Truth
    prompts: Sequence[str]


@dataclass(frozen=True, eq=False)
class Thumbs:
    """What a refit has to go on: the prompt, the weight on screen, and (n,) labelled photos."""

    text: Vector
    weight: Vector
    X: Matrix
    y: npt.NDArray[np.int64]
    whitening: Whitening


Refit = Callable[[Thumbs], Vector]
# Vectors, scores with shown photos at -inf, the weight and all thumbs -> the places to show.
Select = Callable[[Matrix, Vector, Vector, Thumbs | None], npt.NDArray[np.intp]]


# ---- contenders


def no_feedback(thumbs: Thumbs) -> Vector:
    """The prompt alone."""
    return thumbs.text


def article(thumbs: Thumbs) -> Vector:
    """The article's fit, from the weight of the round on screen."""
    return refit_article(thumbs.weight, thumbs.X, thumbs.y.tolist())


def rocchio(thumbs: Thumbs) -> Vector:
    """q + .5 mean up - .25 mean down."""
    total = thumbs.text.copy()
    for label, share in ((1, 0.5), (0, -0.25)):
        if (thumbs.y == label).any():
            total += np.float32(share) * thumbs.X[thumbs.y == label].mean(axis=0)
    return total


def logistic(thumbs: Thumbs) -> Vector:
    """scikit-learn's logistic regression, classes balanced; the prompt until both are there."""
    if len(set(thumbs.y.tolist())) < 2:
        return thumbs.text
    fit = LogisticRegression(class_weight="balanced").fit(thumbs.X, thumbs.y)
    weight: Vector = fit.coef_[0].astype(np.float32)
    return weight


def ours(thumbs: Thumbs) -> Vector:
    """refit_checked."""
    return refit_checked(thumbs.text, thumbs.X, thumbs.y.tolist(), thumbs.whitening).weight


def nearest(_: Matrix, scores: Vector, __: Vector, ___: Thumbs | None) -> npt.NDArray[np.intp]:
    """The nearest photos, as in the article."""
    return np.argsort(-scores, kind="stable")[:PAGE]


def mixed(
    vectors: Matrix, scores: Vector, weight: Vector, thumbs: Thumbs | None
) -> npt.NDArray[np.intp]:
    """Seven nearest, and two of those whose score is halfway between the ups' and the downs'."""
    order = np.argsort(-scores, kind="stable")
    if thumbs is None or len(set(thumbs.y.tolist())) < 2:
        return order[:PAGE]
    known = thumbs.X @ weight
    boundary = (known[thumbs.y == 1].mean() + known[thumbs.y == 0].mean()) / 2
    rest = order[7:][np.isfinite(scores[order[7:]])]
    doubtful = rest[np.argsort(np.abs(scores[rest] - boundary), kind="stable")[: PAGE - 7]]
    return np.concatenate([order[:7], doubtful])


def distinct(vectors: Matrix, scores: Vector, _: Vector, __: Thumbs | None) -> npt.NDArray[np.intp]:
    """The nearest photos, none with a cosine over .97 to a nearer one of the grid."""
    order = np.argsort(-scores, kind="stable")[: 5 * PAGE]
    chosen: list[int] = []
    for place in order:
        if not chosen or float((vectors[chosen] @ vectors[place]).max()) <= 0.97:
            chosen.append(int(place))
        if len(chosen) == PAGE:
            break
    return np.array(chosen)


CONTENDERS: dict[str, tuple[Refit, Select]] = {
    "no feedback": (no_feedback, nearest),
    "article": (article, nearest),
    "Rocchio": (rocchio, nearest),
    "logistic regression": (logistic, nearest),
    "ours (checked)": (ours, nearest),
    "ours, 2 of 9 at the boundary": (ours, mixed),
    "ours, no near-duplicates": (ours, distinct),
}


# ---- the protocol


@dataclass(frozen=True)
class Outcome:
    """One concept under one contender: search AP, AP of the whole ranking, ups a round."""

    search_ap: float
    ranking_ap: float
    ups: tuple[float, ...]


def label(world: World, concept: int, contender: tuple[Refit, Select], w: Whitening) -> Outcome:
    """Look for one concept."""
    refit, select = contender
    text, right = world.queries[concept], world.truth[concept]
    shown: list[int] = []
    weight, thumbs, after = text, None, text
    ups: list[float] = []
    while not _done(right, shown) or len(ups) < ROUNDS:
        scores = world.vectors @ weight
        scores[shown] = -np.inf
        page = select(world.vectors, scores, weight, thumbs)
        page = page[np.isfinite(scores[page])]
        if not len(page):
            break
        shown += page.tolist()
        ups.append(float(right[page].mean()))
        X, y = world.vectors[shown], right[shown].astype(np.int64)
        thumbs = Thumbs(text, weight, X, y, w)
        weight = refit(thumbs)
        if len(ups) == ROUNDS:
            after = weight
    ranking = right[np.argsort(-(world.vectors @ after), kind="stable")]
    # What was never shown follows what was, and is not found.
    seen = np.concatenate([right[shown][:SHOWN], np.zeros(int(right.sum()) + SHOWN, dtype=bool)])
    found = _search_ap(seen, int(right.sum()))
    return Outcome(found, average_precision(ranking), tuple(ups[:ROUNDS]))


def _done(right: Truth, shown: Sequence[int]) -> bool:
    return int(right[list(shown)].sum()) >= min(SOUGHT, right.sum()) or len(shown) >= SHOWN


def _search_ap(shown: Truth, positives: int) -> float:
    """Search AP of the photos in the order shown, of which the collection has so many right."""
    missing = positives - int(shown.sum())
    return search_ap(np.concatenate([shown, np.ones(missing, dtype=bool)]))


def average_precision(ranked: Truth) -> float:
    """The mean, over all right photos, of the precision where each is ranked."""
    ranks = np.flatnonzero(ranked) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).mean())


def table(world: World) -> str:
    """Every contender's line, with 95 % intervals of the difference to no feedback."""
    whitening = Whitening.of(world.vectors)
    lines = [
        f"### {world.name}: {len(world.prompts)} concepts, {len(world.vectors):,} photos",
        "",
        "| | search AP | against no feedback | hard subset | against no feedback | made worse "
        "| ups in rounds 1-5 | AP of everything after 5 rounds |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    base: npt.NDArray[np.float64] | None = None
    for name, contender in CONTENDERS.items():
        outcomes = [label(world, c, contender, whitening) for c in range(len(world.prompts))]
        found = np.array([outcome.search_ap for outcome in outcomes])
        base = found if base is None else base
        hard = base < HARD
        ups = [np.mean([o.ups[r] for o in outcomes if len(o.ups) > r]) for r in range(ROUNDS)]
        lines.append(
            f"| {name} | {found.mean():.3f} | {interval(found - base)} "
            f"| {f'{found[hard].mean():.3f}' if hard.any() else ''} "
            f"| {interval((found - base)[hard])} "
            f"| {np.mean(found < base - WORSE):.1%} | {' '.join(f'{u:.0%}' for u in ups)} "
            f"| {np.mean([o.ranking_ap for o in outcomes]):.3f} |"
        )
        if name == "no feedback":
            lines[0] += f", {int(hard.sum())} of them hard"
    return "\n".join(lines)


def interval(differences: npt.NDArray[np.float64]) -> str:
    """Mean of paired differences with its bootstrap interval."""
    if not len(differences) or not differences.any():
        return ""
    rng = np.random.default_rng(0)
    draws = rng.choice(differences, (DRAWS, len(differences))).mean(axis=1)
    low, high = np.percentile(draws, (2.5, 97.5))
    return f"{differences.mean():+.3f} ({low:+.3f} to {high:+.3f})"


# ---- worlds


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
        )
    finally:
        database.close()


def _text_vectors(collection: Collection, words: list[str]) -> Matrix:
    return load_model(collection.model).encode_text(words)


# ---- the refit's own speed


def speed(labels: int = 900) -> str:
    """The refit beside the article's, alternating, in one run."""
    rng = np.random.default_rng(0)
    X = _unit(rng.normal(size=(labels, 512))).astype(np.float32)
    y, text = (rng.random(labels) < 0.3).astype(int).tolist(), X[0]
    whitening = Whitening.of(X)
    times: dict[str, list[float]] = {"article": [], "ours": []}
    for _ in range(30):
        start = time.perf_counter()
        refit_article(text, X, y)
        middle = time.perf_counter()
        refit_checked(text, X, y, whitening)
        times["article"].append(middle - start)
        times["ours"].append(time.perf_counter() - middle)
    a, o = (float(np.median(times[name])) * 1e3 for name in ("article", "ours"))
    return f"Refit of {labels} labels: article {a:.1f} ms, ours {o:.1f} ms, ratio {o / a:.1f}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--half", choices=("tuning", "reporting"), default="reporting")
    parser.add_argument("--cache", type=Path, help="keeps the scenes' vectors between two runs")
    parser.add_argument("--collection", metavar="NAME", help="measure a stored collection instead")
    parser.add_argument(
        "--keywords", action="store_true", help="with --collection: its keywords are the concepts"
    )
    options = parser.parse_args()
    if bool(options.collection) != options.keywords:
        parser.error("--collection NAME and --keywords go together")
    if options.collection:
        print(table(stored_world(options.collection)))
        return
    with tempfile.TemporaryDirectory() as folder:
        cache = options.cache or Path(folder)
        print(table(sample_world(options.half, cache)))
        print(f"\n{table(unknown_words_world(options.half, cache))}")
    # Seeds and settings of the two halves never meet either.
    first = 1 if options.half == "tuning" else 11
    for seed, (noise, blur, common) in enumerate(((1, 1, 3), (2, 2, 2), (1.5, 3, 1.5)), first):
        print(f"\n{table(simulated_world(seed, noise, blur, common))}")
    print(f"\n{speed()}")


if __name__ == "__main__":
    main()
