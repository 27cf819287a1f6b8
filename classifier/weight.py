"""A classifier as a file: its weight, and what it takes to use it, in the safetensors format."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from classifier.refit import METHOD_NAMES
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.dialect import Vector
from db.errors import ExplorerError, first_line
from db.words import one_line, steers

MAX_BYTES = 1_000_000  # of a file: a weight of 512 numbers has 2,500
_NEEDED = ("name", "model", "fingerprint", "method", "threshold")
_SHOWN = 200  # characters of a name that a message quotes
_LONGEST = 4096  # characters of a name that a file or a checkpoint can have
_PROMPT = 1000  # characters of a prompt that are kept: it is shown, and nothing else


@dataclass(frozen=True, eq=False)
class Carried:
    """A classifier that came in a file.

    Attributes:
        name: what it was called.
        prompt: what it started from.
        model: the CLIP checkpoint behind the vectors that it was trained on.
        fingerprint: of that checkpoint's weights.
        method: how it was refit.
        threshold: the score from which on photos were kept, -1 to 1.
        counts: rounds, ups and downs that it was trained with, 0 where the file doesn't say.
        weight: float32 (d,), unit norm; d is 512 for ViT-B/32.
    """

    name: str
    prompt: str
    model: str
    fingerprint: str
    method: str
    threshold: float
    counts: Mapping[str, int]
    weight: Vector

    def refuse_other(self, model: str, fingerprint: str, dimension: int) -> None:
        """Check that vectors of a model can be scored.

        Raises:
            ExplorerError: they are another model's than those that it was trained on.
        """
        if fingerprint == self.fingerprint and dimension == len(self.weight):
            return
        made = f"{self.name} was trained on vectors of {_line(self.model, _SHOWN)}"
        if dimension != len(self.weight):
            raise ExplorerError(
                f"{made}, {len(self.weight)} numbers each, and {model} makes {dimension}: use the "
                "model that it was trained on"
            )
        if model == self.model:
            raise ExplorerError(
                f"{made} with the fingerprint {self.fingerprint}, and {model} is another one now, "
                f"{fingerprint}: train a classifier anew, or use the checkpoint of that time"
            )
        raise ExplorerError(f"{made}, and {model} is another model: use the one it was trained on")

    def fits(self, collection: Collection) -> bool:
        """Whether a collection's photos can be scored."""
        made = (collection.fingerprint, collection.dimension)
        return made == (self.fingerprint, len(self.weight))


def to_safetensors(classifier: SavedClassifier, threshold: float) -> bytes:
    """The weight as `weight`, float32 (512,), unit norm, with what it takes to use it.

    A photo's score is the dot product of the weight and the photo's unit CLIP vector.
    """
    facts = {
        "name": classifier.name,
        "prompt": classifier.prompt,
        "model": classifier.model,
        "fingerprint": classifier.fingerprint,
        "method": classifier.method,
        "threshold": repr(float(threshold)),  # a photo may score just that
        **{name: str(getattr(classifier, name)) for name in ("rounds", "ups", "downs")},
    }
    return save({"weight": classifier.weight.astype(np.float32)}, metadata=facts)


def read_weight(path: Path) -> Carried:
    """The classifier of a file.

    Raises:
        ExplorerError: it can't be read, or holds none; the text names the file.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or first_line(error)
        raise ExplorerError(f"Can't read {path}: {why}. Give a classifier's file") from error
    return from_safetensors(content, str(path))


def from_safetensors(content: bytes, file: str) -> Carried:
    """The classifier of a file's bytes.

    Args:
        content: at most MAX_BYTES, or as many as show that there are more.
        file: what to call it in messages.

    Raises:
        ExplorerError: they hold none.
    """
    file = file if len(file) <= _SHOWN else f"{file[:_SHOWN]}…"
    if len(content) > MAX_BYTES:
        raise ExplorerError(_no_classifier(file, f"it has over {MAX_BYTES // 1_000_000} MB"))
    try:
        tensors = load(content)
    except (SafetensorError, ValueError, KeyError, AttributeError) as error:
        # The latter two: a kind of number that NumPy doesn't have.
        raise ExplorerError(
            f"{file} is damaged, or no safetensors file ({_line(first_line(error), _SHOWN)}): "
            "download it again on the Classifiers page"
        ) from error
    try:
        return _carried(_facts(content), _weight(tensors))
    except ValueError as error:
        raise ExplorerError(_no_classifier(file, str(error))) from error


def _no_classifier(file: str, why: str) -> str:
    return (
        f"{file} is no classifier of this program: {why}. Give one that was downloaded on the "
        "Classifiers page"
    )


def _facts(content: bytes) -> dict[str, str]:
    """What stands beside the weight; `content` is a valid safetensors file."""
    length = int.from_bytes(content[:8], "little")
    facts: dict[str, str] = json.loads(content[8 : 8 + length]).get("__metadata__") or {}
    missing = [name for name in _NEEDED if not _line(facts.get(name, ""), 1)]
    if missing:
        raise ValueError(f"it does not tell its {' and '.join(missing)}")
    for name in ("model", "fingerprint"):
        if len(facts[name]) > _LONGEST or any(map(steers, facts[name])):
            raise ValueError(f"its {name} can't be one")
    return facts


def _line(text: str, longest: int) -> str:
    return one_line(text)[:longest]


def _weight(tensors: Mapping[str, Vector]) -> Vector:
    weight = tensors.get("weight")
    if weight is None:
        raise ValueError("it holds no weight")
    if weight.ndim != 1 or weight.dtype != np.float32:
        raise ValueError(f"its weight is {weight.dtype} of shape {weight.shape}")
    norm = float(np.linalg.norm(weight.astype(np.float64)))
    if not np.isfinite(norm) or norm < 1e-6:
        raise ValueError("its weight is no direction")
    # Not in float32: the norm of large numbers is none of its.
    unit: Vector = (weight.astype(np.float64) / norm).astype(np.float32)
    return unit


def _carried(facts: Mapping[str, str], weight: Vector) -> Carried:
    if facts["method"] not in METHOD_NAMES:
        raise ValueError(f"it was refit by {facts['method'][:_SHOWN]!r}, which is not known here")
    return Carried(
        name=_line(facts["name"], _SHOWN),
        prompt=_line(facts.get("prompt", ""), _PROMPT),
        model=facts["model"],
        fingerprint=facts["fingerprint"],
        method=facts["method"],
        threshold=_threshold(facts["threshold"]),
        counts={name: _count(facts.get(name, "0")) for name in ("rounds", "ups", "downs")},
        weight=weight,
    )


def _threshold(text: str) -> float:
    try:
        threshold = float(text)
    except ValueError:
        threshold = np.nan
    if not abs(threshold) <= 1:
        raise ValueError("its threshold is no score")
    return threshold


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise ValueError("its thumbs can't be counted")
    return int(text)
