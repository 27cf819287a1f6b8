"""Whether refining pays: `python -m tests.bench.loop`, with tables in Markdown.

SeeSaw's protocol (SIGMOD 2023): a concept with a prompt and known positives is shown in rounds of
nine, no photo twice; its truth answers as the person, and the classifier is refit after each round,
until ten positives are found or sixty photos shown. Search AP is the mean, over the first min(10,
positives) right photos, of the precision where each was found; one that was not found counts 0.
Separately, after five rounds, the average precision of the classifier's ranking of everything, and
of what has no thumb yet, which remembering thumbs can't raise.

Concepts are those of the sample, in two halves that share neither concepts nor scenes: the tuning
half chose everything there was to choose, the reporting half was looked at last. Simulated
worlds, made like CLIP's vectors but knowing nothing of the sample, guard against its peculiarities.
`--world FILE.npz ...` measures labelled collections of real CLIP vectors instead.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from classifier import centring
from classifier.refit import refit_article, refit_whitened
from classifier.whitening import Whitening
from ingest.sample.evaluate import SHOWN, search_ap
from tests.bench.contenders import CONTENDERS, OURS_NAME, Contender, Thumbs
from tests.bench.worlds import (
    World,
    file_world,
    sample_world,
    simulated_world,
    stored_world,
    unknown_words_world,
)

Vector = npt.NDArray[np.float32]
Truth = npt.NDArray[np.bool_]
Figures = npt.NDArray[np.float64]

SOUGHT = 10
ROUNDS = 5  # before the ranking of everything is looked at
HARD = 0.5  # zero-shot search AP below which a concept is hard
WORSE = 0.01
DRAWS = 2000  # of the bootstrap


# ---- the protocol


@dataclass(frozen=True)
class Outcome:
    """One concept under one contender.

    Attributes:
        search_ap: of the search.
        ranking_ap: AP of the ranking of everything.
        unlabelled_ap: AP of the ranking of what had no thumb by then; NaN where nothing is left.
        ups: the share of ups a round.
    """

    search_ap: float
    ranking_ap: float
    unlabelled_ap: float
    ups: tuple[float, ...]


def label(world: World, concept: int, contender: Contender, w: Whitening) -> Outcome:
    """Look for one concept."""
    text, right = world.queries[concept], world.truth[concept]
    shown: list[int] = []
    weight, thumbs = text, None
    ups: list[float] = []
    after, labelled = text, 0
    while not _done(right, shown) or len(ups) < ROUNDS:
        scores = world.vectors @ weight
        scores[shown] = -np.inf
        page = contender.select(world.vectors, scores, weight, thumbs)
        page = page[np.isfinite(scores[page])]
        if not len(page):
            break
        shown += page.tolist()
        ups.append(float(right[page].mean()))
        X, y = world.vectors[shown], right[shown].astype(np.int64)
        thumbs = Thumbs(text, weight, X, y, w)
        weight = contender.refit(thumbs)
        if len(ups) <= ROUNDS:
            after, labelled = (contender.saved or contender.refit)(thumbs), len(shown)
    order = np.argsort(-(world.vectors @ after), kind="stable")
    unlabelled = order[~np.isin(order, shown[:labelled])]
    # What was never shown follows what was, and is not found.
    seen = np.concatenate([right[shown][:SHOWN], np.zeros(int(right.sum()) + SHOWN, dtype=bool)])
    return Outcome(
        _search_ap(seen, int(right.sum())),
        average_precision(right[order]),
        average_precision(right[unlabelled]),
        tuple(ups[:ROUNDS]),
    )


def _done(right: Truth, shown: Sequence[int]) -> bool:
    return int(right[list(shown)].sum()) >= min(SOUGHT, right.sum()) or len(shown) >= SHOWN


def _search_ap(shown: Truth, positives: int) -> float:
    """Search AP of the photos in the order shown, of which the collection has so many right."""
    missing = positives - int(shown.sum())
    return search_ap(np.concatenate([shown, np.ones(missing, dtype=bool)]))


def average_precision(ranked: Truth) -> float:
    """The mean, over all right photos, of the precision where each is ranked; NaN without any."""
    ranks = np.flatnonzero(ranked) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).mean()) if len(ranks) else float("nan")


# ---- the tables


@dataclass(frozen=True, eq=False)
class Measured:
    """What became of one contender on one world, by concept, float64 (c,) each."""

    search_ap: Figures
    ranking_ap: Figures
    unlabelled_ap: Figures
    ups: list[float]


def measure(world: World) -> dict[str, Measured]:
    """Every contender on every concept."""
    whitening = Whitening.of(world.vectors)
    from_centred = _centred(world)
    return {
        name: _measured(from_centred if contender.centred else world, contender, whitening)
        for name, contender in CONTENDERS.items()
    }


def _centred(world: World) -> World:
    """A world whose prompts are centred as the app centres them, where nouns are known."""
    if world.bank is None:
        return world
    nouns = centring.measure(world.bank)
    queries = centring.centred(world.queries, nouns.mean, centring.usual_share(nouns))
    return replace(world, queries=queries)


def _measured(world: World, contender: Contender, whitening: Whitening) -> Measured:
    outcomes = [label(world, c, contender, whitening) for c in range(len(world.prompts))]
    ups = [np.mean([o.ups[r] for o in outcomes if len(o.ups) > r] or [np.nan]) for r in range(5)]
    return Measured(
        np.array([outcome.search_ap for outcome in outcomes]),
        np.array([outcome.ranking_ap for outcome in outcomes]),
        np.array([outcome.unlabelled_ap for outcome in outcomes]),
        [float(share) for share in ups],
    )


HEAD = (
    "| | search AP | against the raw prompt | hard subset | made worse, against raw | "
    "against centred | ups in rounds 1-5 | AP of everything after 5 rounds | of the unlabelled |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def table(world: World, measured: dict[str, Measured]) -> str:
    """Every contender's line, with 95 % intervals of the difference to the raw prompt."""
    base, start = measured["raw prompt"].search_ap, measured["centred prompt"].search_ap
    hard = base < HARD
    lines = [
        f"### {world.name}: {len(world.prompts)} concepts, {len(world.vectors):,} photos, "
        f"{int(hard.sum())} of them hard\n",
        HEAD,
    ]
    for name, one in measured.items():
        gain = one.search_ap - base
        lines.append(
            f"| {name} | {one.search_ap.mean():.3f} | {interval(gain)} | {interval(gain[hard])} "
            f"| {np.mean(gain < -WORSE):.1%} | {np.mean(one.search_ap < start - WORSE):.1%} "
            f"| {' '.join(f'{share:.0%}' for share in one.ups)} "
            f"| {one.ranking_ap.mean():.3f} | {_mean(one.unlabelled_ap):.3f} |"
        )
    return "\n".join(lines)


@dataclass(frozen=True)
class Summary:
    """A contender on several worlds, each of which counts alike."""

    search: float
    gain: float
    hard: float
    worse: float
    worse_than_centred: float
    everything: float
    unlabelled: float


def summary(worlds: Sequence[dict[str, Measured]], name: str) -> Summary:
    """The means over worlds; of the hard subset over those that have one."""
    figures = []
    for measured in worlds:
        one, base = measured[name], measured["raw prompt"].search_ap
        gain, hard = one.search_ap - base, base < HARD
        start = measured["centred prompt"].search_ap
        figures.append(
            [
                one.search_ap.mean(),
                gain.mean(),
                _mean(gain[hard]),
                np.mean(gain < -WORSE),
                np.mean(one.search_ap < start - WORSE),
                one.ranking_ap.mean(),
                _mean(one.unlabelled_ap),
            ]
        )
    return Summary(*(_mean(column) for column in np.array(figures).T))


def _mean(values: Figures) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def mean_table(worlds: Sequence[dict[str, Measured]]) -> str:
    """Every contender over all worlds."""
    lines = [
        f"### Mean of {len(worlds)} worlds\n",
        "| | search AP | against the raw prompt | hard subset | made worse, against raw "
        "| against centred | AP of everything after 5 rounds | of the unlabelled |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in worlds[0]:
        one = summary(worlds, name)
        lines.append(
            f"| {name} | {one.search:.3f} | {one.gain:+.3f} | {one.hard:+.3f} | {one.worse:.1%} "
            f"| {one.worse_than_centred:.1%} | {one.everything:.3f} | {one.unlabelled:.3f} |"
        )
    return "\n".join(lines)


def last_line(worlds: Sequence[dict[str, Measured]]) -> str:
    """The means in one line for programs.

    `zero`, `ours` and `rocchio` are search AP of the raw prompt without thumbs, of ours, and of
    Rocchio from where ours starts; `worse` the share that ours makes worse than the raw prompt;
    `hard` what ours gains on the hard subset; `all` ours' AP of everything after five rounds.
    """
    one = summary(worlds, OURS_NAME)
    return (
        f"mean: zero {summary(worlds, 'raw prompt').search:.3f} ours {one.search:.3f} "
        f"rocchio {summary(worlds, 'Rocchio').search:.3f} worse {one.worse:.1%} "
        f"hard {one.hard:+.3f} all {one.everything:.3f}"
    )


def interval(differences: Figures) -> str:
    """Mean of paired differences with its bootstrap interval."""
    if not len(differences) or not differences.any():
        return ""
    rng = np.random.default_rng(0)
    draws = rng.choice(differences, (DRAWS, len(differences))).mean(axis=1)
    low, high = np.percentile(draws, (2.5, 97.5))
    return f"{differences.mean():+.3f} ({low:+.3f} to {high:+.3f})"


# ---- the refit's own speed


def speed(labels: int = 900) -> str:
    """The refit beside the article's, alternating, in one run."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(labels, 512)).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    y, text = (rng.random(labels) < 0.3).astype(int).tolist(), X[0]
    whitening = Whitening.of(X)
    times: dict[str, list[float]] = {"article": [], "ours": []}
    for _ in range(30):
        start = time.perf_counter()
        refit_article(text, X, y)
        middle = time.perf_counter()
        refit_whitened(text, X, y, whitening)
        times["article"].append(middle - start)
        times["ours"].append(time.perf_counter() - middle)
    a, o = (float(np.median(times[name])) * 1e3 for name in ("article", "ours"))
    return f"Refit of {labels} labels: article {a:.1f} ms, ours {o:.1f} ms, ratio {o / a:.1f}"


def report(worlds: Sequence[World]) -> None:
    """Print each world's table, and their mean."""
    measured = []
    for world in worlds:
        measured.append(measure(world))
        print(f"{table(world, measured[-1])}\n", flush=True)
    print(f"{mean_table(measured)}\n\n{last_line(measured)}")


def _usual_worlds(half: str, cache: Path) -> list[World]:
    # Seeds and settings of the two halves never meet either.
    first = 1 if half == "tuning" else 11
    return [
        sample_world(half, cache),
        unknown_words_world(half, cache),
        *(
            simulated_world(seed, noise, blur, common)
            for seed, (noise, blur, common) in enumerate(
                ((1, 1, 3), (2, 2, 2), (1.5, 3, 1.5)), first
            )
        ),
    ]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--half", choices=("tuning", "reporting"), default="reporting")
    parser.add_argument("--cache", type=Path, help="keeps the scenes' vectors between two runs")
    parser.add_argument("--collection", metavar="NAME", help="measure a stored collection instead")
    parser.add_argument(
        "--keywords", action="store_true", help="with --collection: its keywords are the concepts"
    )
    parser.add_argument(
        "--world", type=Path, nargs="+", metavar="FILE", help="measure labelled vectors instead"
    )
    options = parser.parse_args()
    if bool(options.collection) != options.keywords:
        parser.error("--collection NAME and --keywords go together")
    if options.world:
        report([file_world(path) for path in options.world])
    elif options.collection:
        report([stored_world(options.collection)])
    else:
        print(f"{speed()}\n")
        with tempfile.TemporaryDirectory() as folder:
            report(_usual_worlds(options.half, options.cache or Path(folder)))


if __name__ == "__main__":
    main()
