"""How a classifier is refit on thumbs: the article's normalised-weight SGD, in two settings.

The article's starts at the weight on screen and takes five small steps. Ours takes the same steps
in coordinates in which the collection spreads evenly, from the prompt each time, as many as thumbs
that were left out bear out. tests/bench/RESULTS.md holds the figures behind what is said here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier.whitening import Matrix, Whitening, one_thread
from db.dialect import Vector
from db.sessions import DOWN, UP

ARTICLE = "article"
WHITENED = "whitened"
METHODS = (WHITENED, ARTICLE)
DEFAULT_METHOD = WHITENED
# "checked" was the default of an earlier version: classifiers of that time still say so.
METHOD_NAMES = {
    WHITENED: "whitened SGD",
    ARTICLE: "the article's update",
    "checked": "checked steps",
}

# By more than so many standard errors has another number of steps to be better than the usual.
MARGIN = 0.5
# Left out in so many parts.
FOLDS = 5
# Of each kind; more would cost time and hardly move the choice.
CHECKED_THUMBS = 100


@dataclass(frozen=True)
class Setting:
    """How the article's classifier is fit.

    Attributes:
        learning_rate: of SGD.
        steps: gradient steps, unless the thumbs speak for another number.
        choices: the numbers that they may speak for, ascending.
        downs: of the loss, the share of the photos with a thumb down. The ups are half of it.
        pool: the share of the collection's own photos: few of them are what is looked for.
    """

    learning_rate: float
    steps: int
    choices: tuple[int, ...] = ()
    downs: float = 0.0
    pool: float = 0.0


THE_ARTICLES = Setting(learning_rate=0.1, steps=5)
OURS = Setting(0.8, steps=5, choices=(0, 2, 5, 10, 20, 40), downs=0.25, pool=0.25)


@dataclass(frozen=True)
class Evidence:
    """How well the thumbs are told apart, each by a fit that doesn't know it.

    Attributes:
        prompt: the share of all pairs of an up and a down that the prompt alone puts in the right
            order, 0 to 1.
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
        weight: float32 (512,), of unit norm, or the prompt as it was where no step was taken.
        steps: how many were taken from the prompt.
        evidence: what they were chosen on, or None with fewer than two thumbs of either kind.
    """

    weight: Vector
    steps: int
    evidence: Evidence | None


def known_method(method: str) -> str:
    """The one of METHODS that a session's method is today."""
    return method if method in METHODS else DEFAULT_METHOD


def refit_article(start: Vector, X: Matrix, y: Sequence[int]) -> Vector:
    """The article's update to the letter, from the weight of the round on screen.

    Args:
        start: float32 (512,).
        X: float32 (n, 512), unit norm.
        y: n labels, UP or DOWN.

    Returns:
        float32 (512,), near unit norm but not exactly.
    """
    from classifier.linear import Classifier

    with _one_thread():
        classifier = Classifier(start, THE_ARTICLES.learning_rate, len(start))
        classifier.fit(X, y, THE_ARTICLES.steps)
    return classifier.weight


def refit_whitened(
    text: Vector, X: Matrix, y: Sequence[int], whitening: Whitening, setting: Setting = OURS
) -> Refit:
    """The article's steps in whitened coordinates, classes balanced, from the prompt each time.

    Half of the loss is the ups', a quarter the downs', and a quarter a pool of the collection's own
    photos. The number of steps is the usual one, unless left-out thumbs are put in order clearly
    better by more or by fewer, so thumbs that the prompt explains already, or that contradict each
    other, move little. It starts at the text vector each time: started at the last round's weight,
    errors add up. Without an up it stays there, since what is *not* wanted doesn't tell what is.

    Args:
        text: float32 (512,), the prompt's vector.
        X: float32 (n, 512), unit norm.
        y: n labels, UP or DOWN.
        whitening: of the collection.
        setting: how many steps to take, how large, and on whose account.
    """
    labels = np.asarray(y)
    if not (labels == UP).any():
        return Refit(text, 0, None)
    with one_thread():
        start, photos = whitening.start(text), whitening.photos(X)
        thumbs = _Thumbs(start, photos, labels, whitening.pool, setting)
        steps, evidence = _chosen_steps(thumbs)
        everything = np.ones((len(labels), 1), dtype=bool)
        (fitted,) = thumbs.path(everything, (steps,))
        return Refit(whitening.weight(fitted[0]), steps, evidence)


@dataclass(frozen=True, eq=False)
class _Thumbs:
    """What a fit goes on, in whitened coordinates.

    Attributes:
        start: float32 (512,).
        photos: float32 (n, 512).
        labels: n, UP or DOWN.
        pool: float32 (p, 512), further photos of the collection.
        setting: how to fit.
    """

    start: Vector
    photos: Matrix
    labels: npt.NDArray[np.int_]
    pool: Matrix
    setting: Setting

    def path(self, known: npt.NDArray[np.bool_], steps: Sequence[int]) -> Iterator[Matrix]:
        """The weights of k fits after each of some numbers of steps.

        Args:
            known: bool (n, k), the thumbs that each fit knows.
            steps: ascending.

        Yields:
            float32 (k, 512), for each of `steps`.
        """
        X = np.concatenate([self.photos, self.pool])
        y = np.zeros((len(X), 1), dtype=np.float32)
        y[: len(self.labels), 0] = self.labels == UP
        shares = self._shares(known)
        weights = np.repeat(self.start[None], known.shape[1], axis=0)
        taken = 0
        for number in steps:
            for _ in range(taken, number):
                weights = step_together(weights, X, y, shares, self.setting.learning_rate)
            taken = number
            yield weights

    def _shares(self, known: npt.NDArray[np.bool_]) -> Matrix:
        """How much of each fit's loss a thumb and a photo of the pool is, float32 (n + p, k)."""
        shares = np.zeros(known.shape)
        for kind, share in ((UP, 0.5), (DOWN, self.setting.downs)):
            of_kind = known & (self.labels == kind)[:, None]
            shares += of_kind * (share / np.maximum(of_kind.sum(axis=0), 1))
        of_pool = np.full(
            (len(self.pool), known.shape[1]), self.setting.pool / max(len(self.pool), 1)
        )
        return np.concatenate([shares, of_pool]).astype(np.float32)


def step_together(
    weights: Matrix, X: Matrix, y: Matrix, shares: Matrix, learning_rate: float
) -> Matrix:
    """One step of `Classifier.fit` for k classifiers, each on its own shares of the examples.

    The gradient is written out: an optimiser's and a graph's own time is a multiple of these sums'.

    Args:
        weights: float32 (k, 512), of any length but zero.
        X: float32 (n, 512).
        y: float32 (n, 1), labels, 1 or 0.
        shares: float32 (n, k), how much of each classifier's loss an example is.
        learning_rate: of SGD.

    Returns:
        float32 (k, 512).
    """
    unit = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    logits = X @ unit.T  # (n, k)
    errors = (1 + np.tanh(logits / 2)) / 2 - y  # the sigmoid, which overflows written as a fraction
    stepped: Matrix = unit - learning_rate * (shares * errors).T @ X
    return stepped


def _chosen_steps(thumbs: _Thumbs) -> tuple[int, Evidence | None]:
    ups, downs = (_some(np.flatnonzero(thumbs.labels == kind)) for kind in (UP, DOWN))
    usual, choices = thumbs.setting.steps, thumbs.setting.choices
    if min(len(ups), len(downs)) < 2 or not choices:
        return usual, None
    scores = _left_out(thumbs, ups, downs)  # (choices, n)
    right = scores[:, ups, None] > scores[:, None, downs]  # (choices, p, m)
    best, start = int(right.mean(axis=(1, 2)).argmax()), choices.index(usual)
    for place in range(start, best, 1 if best > start else -1):
        gain = right[best].astype(np.float32) - right[place]
        if gain.mean() <= MARGIN * _error(gain):
            best = place
            break
    gain = right[best].astype(np.float32) - right[0]
    evidence = Evidence(float(right[0].mean()), float(right[best].mean()), _error(gain))
    return choices[best], evidence


def _some(places: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """At most CHECKED_THUMBS of them, spread evenly over the rounds."""
    if len(places) <= CHECKED_THUMBS:
        return places
    some: npt.NDArray[np.intp] = places[np.linspace(0, len(places) - 1, CHECKED_THUMBS).astype(int)]
    return some


def _left_out(thumbs: _Thumbs, ups: npt.NDArray[np.intp], downs: npt.NDArray[np.intp]) -> Matrix:
    """Scores of some thumbs after each choice of steps, by fits that don't know them.

    Returns:
        float32 (choices, n); of the thumbs that are in neither `ups` nor `downs` it says nothing.
    """
    folds = min(FOLDS, len(ups), len(downs))
    fold = np.full(len(thumbs.labels), -1)  # -1: known to no fit
    for places in (ups, downs):
        fold[places] = np.arange(len(places)) % folds
    known = (fold >= 0)[:, None] & (fold[:, None] != np.arange(folds))  # (n, folds)
    scores = [
        thumbs.photos @ (weights / np.linalg.norm(weights, axis=1, keepdims=True)).T
        for weights in thumbs.path(known, thumbs.setting.choices)
    ]  # each (n, folds)
    return np.stack([of_fits[np.arange(len(fold)), fold] for of_fits in scores])


def _error(gain: Matrix) -> float:
    """The standard error of a mean over pairs, whose rows and columns each share a thumb."""
    p, m = gain.shape
    rows, columns = gain.mean(axis=1).var(ddof=1), gain.mean(axis=0).var(ddof=1)
    return float(np.sqrt(rows / p + columns / m))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let sums be added by one thread: their last bits depend on how many share them."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with one_thread():
            yield
    finally:
        torch.set_num_threads(threads)
