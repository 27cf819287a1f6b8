"""Prompt centring: taking off a text vector what all text vectors share.

CLIP's text vectors share a long part (the mean of those of 200 nouns has norm .86) that says
nothing about a photo and yet favours some photos over others: they are hubs, near to every prompt.
Centring is the known remedy (Suzuki et al., "Centering Similarity Measures to Reduce Hubs",
EMNLP 2013). On real vectors it raises search AP without any thumb; tests/bench/RESULTS.md.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from db.dialect import Vector
from db.prompt_means import PromptMean, PromptMeans

if TYPE_CHECKING:
    from classifier.clip import Clip

Matrix = npt.NDArray[np.float32]

# Of the mean, to be taken off: chosen on real vectors.
SHARE = 1.0
SHARES = (0.0, 0.5, 1.0)
# A model hardly tells nouns apart where half of them have another one that is nearer than this, as
# the sample's (.999), which never heard of most; what they share then says something about the
# photos. OpenAI's ViT-B/32 has .85.
TELLS_APART = 0.97

NOUNS = tuple(Path(__file__).with_name("nouns.txt").read_text(encoding="utf-8").split())
_BANK = hashlib.sha256(" ".join(NOUNS).encode()).hexdigest()[:16]


def prompt_mean(means: PromptMeans, clip: "Clip") -> PromptMean:
    """What a model's prompts share: the mean of its vectors of everyday nouns.

    The nouns are encoded once for a model, and what came of it is stored.
    """
    known = means.find(clip.text_fingerprint, _BANK)
    if known is not None:
        return known
    measured = measure(clip.encode_text([f"a {noun}" for noun in NOUNS]))
    means.add(clip.text_fingerprint, _BANK, measured)
    return measured


def measure(nouns: Matrix) -> PromptMean:
    """What a model makes of some nouns: float32 (m, 512), unit norm."""
    cosines = nouns @ nouns.T  # (m, m)
    np.fill_diagonal(cosines, -1)
    return PromptMean(nouns.mean(axis=0), float(np.median(cosines.max(axis=1))))


def usual_share(measured: PromptMean) -> float:
    """How much of the mean to take off a model's prompts, 0 where it hardly tells nouns apart."""
    return SHARE if measured.nearest <= TELLS_APART else 0.0


def centred(texts: Matrix, mean: Vector, share: float) -> Matrix:
    """Text vectors without a share of what they have in common, of unit norm again.

    Args:
        texts: float32 (n, 512), unit norm.
        mean: float32 (512,), of `mean_prompt`.
        share: 0 leaves them as they are, 1 takes the whole mean off.

    Returns:
        float32 (n, 512), unit norm. A text that is the mean itself stays as it is.
    """
    if not share:
        return texts
    moved = texts - np.float32(share) * mean
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    unit: Matrix = np.where(lengths > 1e-3, moved / np.maximum(lengths, 1e-3), texts)
    return unit.astype(np.float32)
