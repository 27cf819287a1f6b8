"""Measures the sample model: ``python -m ingest.sample.evaluate [--model FOLDER]``.

Zero-shot search: every concept's prompt ranks the drawn scenes of seeds that nothing else uses.
Two figures a concept: search AP (over the first min(10, positives) right pictures, at most 60
shown, one that is not among them counts 0) and precision@9, the share of right ones on the first
screen.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ingest.sample import CHECKPOINT
from ingest.sample.captions import scene_facts
from ingest.sample.concepts import Concept, concepts_for
from ingest.sample.drawing import draw
from ingest.sample.scenes import EVALUATION_SEEDS, VALIDATION_SEEDS, compose
from ingest.sample.towers import Encoder

SHOWN: Final = 60
SOUGHT: Final = 10
SCREEN: Final = 9
_PER_KIND: Final = 18
# Seeds of the scenes, and the seed that picks the concepts.
_SPLITS: Final = {"validation": (VALIDATION_SEEDS, 1), "evaluation": (EVALUATION_SEEDS, 2)}


@dataclass(frozen=True, slots=True)
class Result:
    """How well one concept was found."""

    concept: Concept
    prevalence: float
    search_ap: float
    precision: float


def search_ap(relevant: Sequence[bool] | npt.NDArray[np.bool_]) -> float:
    """Return the search AP of a ranking.

    The mean, over the first min(10, positives) right pictures, of the precision where each is
    found; one not within the first 60 counts 0.

    Args:
        relevant: for the whole collection in rank order, whether each picture is right.

    Raises:
        ValueError: if nothing in the collection is right.
    """
    ranked = np.asarray(relevant, dtype=bool)
    sought = min(SOUGHT, int(ranked.sum()))
    if sought == 0:
        raise ValueError("search AP needs at least one right picture in the collection")
    ranks = np.flatnonzero(ranked[:SHOWN])[:sought] + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).sum() / sought)


def measure(encoder: Encoder, seeds: Sequence[int], concept_seed: int) -> list[Result]:
    """Search scenes of some seeds for concepts of .5 to 10 % prevalence among them."""
    facts = [scene_facts(compose(seed)) for seed in seeds]
    concepts = concepts_for(facts, _PER_KIND, concept_seed)
    pictures = _picture_vectors(encoder, seeds)
    prompts = encoder.encode_texts([concept.prompt for concept in concepts])
    results = []
    for concept, scores in zip(concepts, prompts @ pictures.T, strict=True):
        right = np.array([concept.facts <= known for known in facts])
        ranked = right[np.argsort(-scores, kind="stable")]
        precision = float(ranked[:SCREEN].mean())
        results.append(Result(concept, float(right.mean()), search_ap(ranked), precision))
    return results


def _picture_vectors(encoder: Encoder, seeds: Sequence[int]) -> npt.NDArray[np.float32]:
    jobs = [(seed, encoder.image_size) for seed in seeds]
    rows = []
    for start in tqdm(range(0, len(jobs), 250), "drawing and encoding", unit="batch"):
        pictures = [draw(compose(seed), size) for seed, size in jobs[start : start + 250]]
        rows.append(encoder.encode_images(pictures))
    return np.concatenate(rows)


def report(results: Sequence[Result]) -> str:
    """Return the figures as a text: the means, by kind of concept, and the hardest."""
    lines = [f"{'':36} concepts  search AP  precision@9", _line("all", results)]
    kinds: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        kinds[result.concept.kind].append(result)
    lines += [_line(kind, group) for kind, group in kinds.items()]
    lines += ["", "hardest:"]
    for result in sorted(results, key=lambda result: result.search_ap)[:12]:
        share = f"{100 * result.prevalence:.1f} %"
        lines.append(f"  {result.search_ap:.2f}  {result.concept.prompt} ({share})")
    return "\n".join(lines)


def _line(name: str, results: Sequence[Result]) -> str:
    ap = np.mean([result.search_ap for result in results])
    precision = np.mean([result.precision for result in results])
    return f"{name:36} {len(results):8} {ap:10.3f} {precision:12.3f}"


def evaluate(model: Path, split: str = "evaluation") -> str:
    """Return the figures of a checkpoint as a text.

    The evaluation split is also written beside the checkpoint, as ``evaluation.txt``.

    Args:
        model: a folder with a checkpoint.
        split: ``evaluation``, or ``validation`` to decide something.
    """
    seeds, concept_seed = _SPLITS[split]
    text = report(measure(Encoder(model), seeds, concept_seed))
    if split == "evaluation":
        (model / "evaluation.txt").write_text(f"{text}\n", encoding="utf-8")
    return text


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m ingest.sample.evaluate", description=__doc__)
    parser.add_argument("--model", type=Path, default=CHECKPOINT, help="a folder")
    parser.add_argument(
        "--split",
        choices=tuple(_SPLITS),
        default="evaluation",
        help="which scenes and concepts; decisions are made on the validation ones alone",
    )
    options = parser.parse_args(arguments)
    print(evaluate(options.model, options.split))


if __name__ == "__main__":
    main()
