"""What is compared: where a search starts, how it is refit, and which photos it shows."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from classifier.refit import OURS, Setting, refit_article, refit_whitened
from classifier.spread import REACH, far_apart
from classifier.whitening import Whitening

Vector = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]

PAGE = 9


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
Select = Callable[[Matrix, Vector, Vector, Thumbs | None], Places]


@dataclass(frozen=True)
class Contender:
    """One way through the loop.

    Attributes:
        refit: from thumbs to a weight.
        select: which photos to show.
        centred: whether it starts at the centred prompt.
        saved: how the classifier that ranks everything in the end is fit; as in the search by
            default.
    """

    refit: Refit
    select: Select
    centred: bool = False
    saved: Refit | None = None


# ---- refits


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


# Of the squared distance to the anchor, in the anchored regression's loss, and how long that is.
ANCHORED, ANCHOR = 0.01, 5.0


def anchored(thumbs: Thumbs) -> Vector:
    """A balanced logistic regression that is pulled to the prompt instead of to zero."""
    if len(set(thumbs.y.tolist())) < 2:
        return thumbs.text
    sign = np.where(thumbs.y == 1, 1.0, -1.0)
    share = np.where(thumbs.y == 1, 0.5 / (thumbs.y == 1).sum(), 0.5 / (thumbs.y == 0).sum())
    X, anchor = thumbs.X.astype(np.float64), thumbs.text.astype(np.float64) * ANCHOR

    def loss(point: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        away = point[:-1] - anchor
        margin = (X @ point[:-1] + point[-1]) * sign
        pull = -share * sign / (1 + np.exp(margin))
        gradient = np.append(X.T @ pull + ANCHORED * away, pull.sum())
        return float(share @ np.logaddexp(0, -margin) + ANCHORED / 2 * away @ away), gradient

    start = np.append(anchor, -(X @ anchor).mean())
    weight: Vector = minimize(loss, start, jac=True, method="L-BFGS-B").x[:-1].astype(np.float32)
    return weight


def ours(thumbs: Thumbs) -> Vector:
    """refit_whitened."""
    return refit_whitened(thumbs.text, thumbs.X, thumbs.y.tolist(), thumbs.whitening).weight


def fixed(steps: int) -> Refit:
    """refit_whitened with so many steps, whatever the evidence."""
    setting: Setting = replace(OURS, steps=steps, choices=())

    def refit(thumbs: Thumbs) -> Vector:
        labels = thumbs.y.tolist()
        return refit_whitened(thumbs.text, thumbs.X, labels, thumbs.whitening, setting).weight

    return refit


# ---- selections


def nearest(_: Matrix, scores: Vector, __: Vector, ___: Thumbs | None) -> Places:
    """The nearest photos, as in the article."""
    return np.argsort(-scores, kind="stable")[:PAGE]


def mixed(vectors: Matrix, scores: Vector, weight: Vector, thumbs: Thumbs | None) -> Places:
    """Seven nearest, and two of those whose score is halfway between the ups' and the downs'."""
    return _nearest_and_doubtful(scores, weight, thumbs, PAGE - 2)


def positive_first(
    vectors: Matrix, scores: Vector, weight: Vector, thumbs: Thumbs | None
) -> Places:
    """Nearest until ten are found, then the most doubtful ones."""
    found = 0 if thumbs is None else int((thumbs.y == 1).sum())
    return _nearest_and_doubtful(scores, weight, thumbs, PAGE if found < PAGE else 3)


def _nearest_and_doubtful(
    scores: Vector, weight: Vector, thumbs: Thumbs | None, near: int
) -> Places:
    order = np.argsort(-scores, kind="stable")
    if thumbs is None or len(set(thumbs.y.tolist())) < 2:
        return order[:PAGE]
    known = thumbs.X @ weight
    boundary = (known[thumbs.y == 1].mean() + known[thumbs.y == 0].mean()) / 2
    rest = order[near:][np.isfinite(scores[order[near:]])]
    doubtful = rest[np.argsort(np.abs(scores[rest] - boundary), kind="stable")[: PAGE - near]]
    return np.concatenate([order[:near], doubtful])


def spread(vectors: Matrix, scores: Vector, _: Vector, thumbs: Thumbs | None) -> Places:
    """While nothing right was found, of the 45 nearest nine that are far from one another."""
    order = np.argsort(-scores, kind="stable")
    if thumbs is None or (thumbs.y == 1).any():
        return order[:PAGE]
    near = order[: REACH * PAGE]
    near = near[np.isfinite(scores[near])]
    return near if len(near) <= PAGE else near[far_apart(vectors[near], PAGE)]


def distinct(vectors: Matrix, scores: Vector, _: Vector, __: Thumbs | None) -> Places:
    """The nearest photos, none with a cosine over .97 to a nearer one of the grid."""
    order = np.argsort(-scores, kind="stable")[: 5 * PAGE]
    chosen: list[int] = []
    for place in order:
        if not chosen or float((vectors[chosen] @ vectors[place]).max()) <= 0.97:
            chosen.append(int(place))
        if len(chosen) == PAGE:
            break
    return np.array(chosen)


OURS_NAME = "ours"
CONTENDERS: dict[str, Contender] = {
    "raw prompt": Contender(no_feedback, nearest),
    "centred prompt": Contender(no_feedback, nearest, centred=True),
    "article": Contender(article, nearest),
    "Rocchio, raw": Contender(rocchio, nearest),
    "Rocchio": Contender(rocchio, nearest, centred=True),
    "logistic regression": Contender(logistic, nearest, centred=True),
    "anchored logistic regression, raw": Contender(anchored, nearest),
    "anchored logistic regression": Contender(anchored, nearest, centred=True),
    "ours, raw": Contender(ours, spread),
    OURS_NAME: Contender(ours, spread, centred=True),
    "ours, nearest only": Contender(ours, nearest, centred=True),
    "ours, always 20 steps": Contender(fixed(20), spread, centred=True),
    "ours, saved by 20 steps": Contender(ours, spread, centred=True, saved=fixed(20)),
    "ours, 2 of 9 at the boundary": Contender(ours, mixed, centred=True),
    "ours, positive first, then doubtful": Contender(ours, positive_first, centred=True),
    "ours, no near-duplicates": Contender(ours, distinct, centred=True),
}
