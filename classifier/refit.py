"""How a classifier is refit on thumbs: by the article's update, or by ours, which checks itself.

Both are linear classifiers without a bias, started at the prompt's vector. tests/bench/RESULTS.md
holds the figures behind what is said here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from classifier.whitening import Matrix, Whitening, one_thread
from db.dialect import Vector
from db.sessions import DOWN, UP

ARTICLE = "article"
CHECKED = "checked"
METHODS = (CHECKED, ARTICLE)
DEFAULT_METHOD = CHECKED
METHOD_NAMES = {CHECKED: "checked steps", ARTICLE: "the article's update"}

# How far to go from the prompt, in units of the prompt's own spread over the collection.
STEPS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)
# The one to take where the thumbs don't bear out another, or are too few to.
USUAL_STEP = 0.1
# By more than so many standard errors has another step to be better.
MARGIN = 1.0
# Of each kind; more would cost time and hardly move the choice.
CHECKED_THUMBS = 100


@dataclass(frozen=True)
class Evidence:
    """How well the thumbs are told apart, each pair of an up and a down left out of its own fit.

    Attributes:
        prompt: the share of the pairs that the prompt alone puts in the right order, 0 to 1.
        refit: the share that the refit does.
        error: the standard error of the difference.
    """

    prompt: float
    refit: float
    error: float


@dataclass(frozen=True, eq=False)
class Refit:
    """What came of a refit.

    Attributes:
        weight: float32 (512,), unit norm.
        step: how far it went from the prompt.
        evidence: what the step was chosen on, or None with fewer than two thumbs of either kind.
    """

    weight: Vector
    step: float
    evidence: Evidence | None


def refit_article(start: Vector, X: Matrix, y: Sequence[int]) -> Vector:
    """The article's update to the letter, from the weight of the round on screen.

    Args:
        start: float32 (512,).
        X: float32 (n, 512), unit norm.
        y: n labels, UP or DOWN.

    Returns:
        float32 (512,), near unit norm but not exactly.
    """
    import torch

    from classifier.linear import Classifier

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the last bits of a sum depend on how many share it
    try:
        classifier = Classifier(start)
        classifier.fit(X, y)
    finally:
        torch.set_num_threads(threads)
    return classifier.weight


def refit_checked(text: Vector, X: Matrix, y: Sequence[int], whitening: Whitening) -> Refit:
    """One whitened gradient step from the prompt, as long as the thumbs themselves bear out.

    The gradient of the class-balanced loss at the prompt is the difference between the mean up and
    the mean of what is not wanted (half the downs, half the collection). It is whitened. The
    length is the usual one, unless left-out pairs of an up and a down are put in order clearly
    better by a longer or a shorter one, so thumbs that the prompt explains already, or that
    contradict each other, move little. It starts at the text vector each time: started at the
    last round's weight, errors add up. Without an up it stays there, since what is *not* wanted
    doesn't tell what is.

    Args:
        text: float32 (512,), the prompt's vector.
        X: float32 (n, 512), unit norm.
        y: n labels, UP or DOWN.
        whitening: of the collection.
    """
    labels = np.asarray(y)
    start = text / np.float32(np.linalg.norm(text))
    ups, downs = X[labels == UP] - whitening.mean, X[labels == DOWN] - whitening.mean
    if not len(ups):
        return Refit(start, 0.0, None)
    with one_thread():
        start = (start / np.sqrt(start @ whitening.covariance @ start)).astype(np.float32)
        wanted = ups.mean(axis=0) - _unwanted(downs)
        direction = whitening.precision @ wanted
        length = np.sqrt(direction @ wanted)  # its spread over the collection
        if not length > 0:
            return Refit(start / np.linalg.norm(start), 0.0, None)
        step, evidence = _chosen_step(start, ups, downs, whitening, float(length))
        weight = start + np.float32(step) * direction / length
    return Refit((weight / np.linalg.norm(weight)).astype(np.float32), step, evidence)


def _unwanted(downs: Matrix) -> Vector:
    """The mean of what is not wanted, from the collection's mean: halfway to the downs."""
    mean = downs.mean(axis=0) / 2 if len(downs) else np.zeros(downs.shape[1])
    return mean.astype(np.float32)


def _chosen_step(
    start: Vector, ups: Matrix, downs: Matrix, whitening: Whitening, length: float
) -> tuple[float, Evidence | None]:
    if min(len(ups), len(downs)) < 2:
        return USUAL_STEP, None
    ups, downs = _some(ups), _some(downs)
    before, slope = _left_out(start, ups, downs, whitening, length)
    right = [before + step * slope > 0 for step in STEPS]  # each (ups, downs)
    best = int(np.argmax([pairs.mean() for pairs in right]))
    usual = STEPS.index(USUAL_STEP)
    for place in range(usual, best, 1 if best > usual else -1):
        gain = right[best].astype(np.float32) - right[place]
        if gain.mean() <= MARGIN * _error(gain):
            best = place
            break
    gain = right[best].astype(np.float32) - right[0]
    evidence = Evidence(float(right[0].mean()), float(right[best].mean()), _error(gain))
    return STEPS[best], evidence


def _some(thumbs: Matrix) -> Matrix:
    """At most CHECKED_THUMBS of them, spread evenly over the rounds."""
    if len(thumbs) <= CHECKED_THUMBS:
        return thumbs
    places = np.linspace(0, len(thumbs) - 1, CHECKED_THUMBS).astype(int)
    some: Matrix = thumbs[places]
    return some


def _left_out(
    start: Vector, ups: Matrix, downs: Matrix, whitening: Whitening, length: float
) -> tuple[Matrix, Matrix]:
    """By how much each up beats each down, under a fit that knows neither.

    Returns:
        The prompt's part, float32 (p, m), and what a step of length 1 adds to it, (p, m). With
        the means linear in the thumbs, leaving a pair out needs no second fit.
    """
    p, m = len(ups), len(downs)
    whitened = ups @ whitening.precision  # (p, d)
    up_up, up_down = whitened @ ups.T, whitened @ downs.T  # (p, p), (p, m)
    down_down = downs @ whitening.precision @ downs.T  # (m, m)
    # The mean up without up i, and the mean down without down j, each against both of the pair.
    up_on_up = (up_up.sum(axis=1) - np.diag(up_up)) / (p - 1)  # (p,)
    up_on_down = (up_down.sum(axis=0) - up_down) / (p - 1)  # (p, m)
    down_on_up = (up_down.sum(axis=1, keepdims=True) - up_down) / (m - 1)  # (p, m)
    down_on_down = (down_down.sum(axis=1) - np.diag(down_down)) / (m - 1)  # (m,)
    slope = (up_on_up[:, None] - up_on_down) - (down_on_up - down_on_down) / 2
    before: Matrix = (ups @ start)[:, None] - downs @ start
    return before, slope / length


def _error(gain: Matrix) -> float:
    """The standard error of a mean over pairs, whose rows and columns each share a thumb."""
    p, m = gain.shape
    rows, columns = gain.mean(axis=1).var(ddof=1), gain.mean(axis=0).var(ddof=1)
    return float(np.sqrt(rows / p + columns / m))
