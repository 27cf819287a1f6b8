"""Prompt centring: taking off a text vector what all text vectors share.

CLIP's text vectors share a long part (the mean of those of 200 nouns has norm .86) that says
nothing about a photo and yet favours some photos over others: they are hubs, near to every prompt.
Centring is the known remedy (Suzuki et al., "Centering Similarity Measures to Reduce Hubs",
EMNLP 2013). On real vectors it raises search AP without any thumb; tests/bench/RESULTS.md.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from db.dialect import Vector

Matrix = npt.NDArray[np.float32]

# Of the mean, to be taken off: chosen on real vectors.
SHARE = 1.0
SHARES = (0.0, 0.5, 1.0)
# A model whose vectors of the nouns have a longer mean than this hardly tells them apart, as the
# sample's, which never heard of most: what they share then says something about the photos.
TELLS_APART = 0.95

NOUNS = tuple(
    """
    airport apple baby backpack balcony ball banana beach bear bed bench bicycle bird boat book
    bottle bowl box bread bridge building bus butterfly cake camera candle car carpet castle cat
    chair child church city clock cloud coat computer cow crowd cup desert desk dog door dress egg
    elephant farm fence field fire fish flag flower forest fork fruit garden giraffe glass guitar
    hand hat horse house island jacket key kitchen knife ladder lake lamp leaf map market mirror
    moon motorcycle mountain museum necklace newspaper office park pencil person phone piano pizza
    plane plate pumpkin rabbit rainbow river road rock roof rose scarf sheep ship shirt shoe
    skyscraper snake sofa spoon stadium staircase statue street suitcase sunset table telescope
    tent tower toy tractor train tree truck umbrella vase village wall watch waterfall wedding
    whale wheel window wolf woman
    """.split()
)


def mean_prompt(encode_text: Callable[[list[str]], Matrix]) -> Vector:
    """What a model's prompts share: the mean of its vectors of everyday nouns, float32 (512,).

    Args:
        encode_text: texts (n) -> float32 (n, 512), unit norm.
    """
    mean: Vector = encode_text([f"a {noun}" for noun in NOUNS]).mean(axis=0)
    return mean


def usual_share(mean: Vector) -> float:
    """How much of the mean to take off a model's prompts, 0 where it hardly tells nouns apart."""
    return SHARE if np.linalg.norm(mean) <= TELLS_APART else 0.0


def centred(texts: Matrix, mean: Vector, share: float) -> Matrix:
    """Text vectors without a share of what they have in common, of unit norm again.

    Args:
        texts: float32 (n, 512), unit norm.
        mean: float32 (512,), of `mean_prompt`.
        share: 0 leaves them as they are, 1 takes the whole mean off.

    Returns:
        float32 (n, 512), unit norm. A text that is the mean itself stays as it is.
    """
    moved = texts - np.float32(share) * mean
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    unit: Matrix = np.where(lengths > 1e-3, moved / np.maximum(lengths, 1e-3), texts)
    return unit.astype(np.float32)
