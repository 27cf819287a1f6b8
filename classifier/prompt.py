"""A prompt of several terms: "lake, cabin -people", or "photo:ID" for one like a photo."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from db.dialect import Vector
from db.errors import ExplorerError

PHOTO = "photo:"
# A minus sign counts where a word begins, so "hot-air balloon" is one term and so is "a - b".
_MINUS = re.compile(r"(?:^|(?<=[\s,]))[-\u2212](?=[^\s\d-])")


@dataclass(frozen=True)
class Term:
    """One thing to look for, or, with sign -1, to keep away from.

    Attributes:
        sign: 1 or -1.
        text: what was typed, without its sign.
    """

    sign: int
    text: str

    @property
    def photo(self) -> str:
        """The id of the photo that this term stands for, or ""."""
        return self.text.removeprefix(PHOTO) if self.text.startswith(PHOTO) else ""


def parse(prompt: str) -> list[Term]:
    """The terms of a prompt, separated by commas or by a minus sign before a word.

    Raises:
        ExplorerError: there is no term, or none to look for.
    """
    terms = [
        Term(sign, text)
        for place, part in enumerate(_MINUS.split(prompt))
        for sign, text in _added(part, negative=place > 0)
    ]
    if not terms:
        raise ExplorerError("The prompt is empty: type what the photos should show")
    if all(term.sign < 0 for term in terms):
        raise ExplorerError(
            f"{prompt.strip()!r} says only what to keep away from: type what to look for as well"
        )
    return terms


def _added(part: str, *, negative: bool) -> list[tuple[int, str]]:
    """The terms up to the next minus sign, the first of which may be a subtracted one."""
    signs = [-1 if negative and place == 0 else 1 for place in range(part.count(",") + 1)]
    texts = (text.strip() for text in part.split(","))
    return [(sign, text) for sign, text in zip(signs, texts, strict=True) if text]


def combine(
    terms: Sequence[Term],
    encode_text: Callable[[list[str]], np.ndarray],
    encode_photo: Callable[[str], Vector],
) -> Vector:
    """The sum of the terms' unit vectors, each with its sign, normalised.

    Args:
        terms: at least one.
        encode_text: texts (n) -> float32 (n, 512), unit norm.
        encode_photo: a photo's id -> float32 (512,), unit norm.

    Returns:
        float32 (512,), unit norm.

    Raises:
        ExplorerError: the terms cancel each other out.
    """
    texts = [term.text for term in terms if not term.photo]
    encoded = dict(zip(texts, encode_text(texts), strict=True)) if texts else {}
    total = np.sum(
        [t.sign * (encode_photo(t.photo) if t.photo else encoded[t.text]) for t in terms], axis=0
    )
    length = np.linalg.norm(total)
    if length < 1e-4:
        raise ExplorerError("The terms of the prompt cancel each other out: take one away")
    vector: Vector = (total / length).astype(np.float32)
    return vector
