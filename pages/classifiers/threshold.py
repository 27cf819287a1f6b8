"""Where a classifier cuts its ranking: a slider under the histogram of all scores."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from classifier.ranking import Ranking
from db.classifiers import SavedClassifier
from db.database import Database
from db.views import View
from pages.classifiers.histogram import histogram
from pages.markdown import code
from pages.people.acting import authorize, barred, hindrance
from pages.people.deeds import Deed

_STEPS = 500
_FLAT = 1e-4


@dataclass(frozen=True)
class Threshold:
    """A classifier's threshold.

    Attributes:
        at: the score.
        use: makes another score the threshold, before the next run of the page.
    """

    at: float
    use: Callable[[float], None]


def choose_threshold(
    database: Database, classifier: SavedClassifier, ranking: Ranking
) -> Threshold:
    """Draw the histogram and the slider, which starts where the threshold was left.

    Args:
        database: where that is stored.
        classifier: in the version that is looked at.
        ranking: the collection under it.
    """
    low, high = float(ranking.scores.min()), float(ranking.scores.max())
    if high - low < _FLAT:
        st.caption(f"Every photo scores {high:.3f}.")
        return Threshold(low, lambda _: None)
    version = _version(classifier)
    settled = _settled(database, classifier)
    key = f"threshold-{version}-{low}-{high}"
    shown = min(max(_current(version, settled, ranking), low), high)
    chart = st.container()
    threshold = st.slider(
        "Threshold", low, high, shown, step=(high - low) / _STEPS, format="%.3f", key=key
    )
    if threshold != shown:
        _chosen()[version] = threshold
    with chart:
        st.altair_chart(
            histogram(ranking, threshold), height=160, alt="Histogram of the scores of all photos"
        )
    kept = ranking.kept(threshold)
    is_proposal = settled is None and version not in _chosen()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{kept:,}** of {len(ranking.ids):,} photos score at least {threshold:.3f} "
            f"({kept / len(ranking.ids):.1%})" + (", as proposed from your thumbs" * is_proposal),
            width="content",
        )
        if version in _chosen() and threshold != settled:
            _offer_to_keep(database, classifier, threshold)
    return Threshold(threshold, partial(_use, version, key))


def _offer_to_keep(database: Database, classifier: SavedClassifier, threshold: float) -> None:
    """A button that stores a threshold, with which the classifier is opened from then on."""
    if (view := _view_of(database, classifier)) is not None:
        st.caption(
            f"The view {code(view.name)} has {view.threshold:.3f} still: publish it again under "
            "“Use it in SQL”",
            width="content",
        )
        return
    look = barred(hindrance(Deed.SAVE, classifier.owner))
    if st.button("Keep this threshold", key="keep_threshold", icon=":material/save:", **look):
        target = f"the classifier {classifier.title}: threshold {threshold:.3f}"
        authorize(database, Deed.SAVE, target, classifier.owner)
        database.classifiers.use(replace(classifier, threshold=threshold))
        st.rerun()


def current_threshold(database: Database, classifier: SavedClassifier, ranking: Ranking) -> float:
    """The threshold of a classifier whose slider is not on screen."""
    return _current(_version(classifier), _settled(database, classifier), ranking)


def _current(version: str, settled: float | None, ranking: Ranking) -> float:
    proposed = ranking.first_threshold() if settled is None else settled
    return _chosen().get(version, proposed)


def _settled(database: Database, classifier: SavedClassifier) -> float | None:
    """Where the threshold of this version was left, if it was."""
    view = _view_of(database, classifier)
    if view is not None:
        return view.threshold
    check = database.checks.latest(classifier.id)
    if classifier.threshold is not None or check is None:
        return classifier.threshold
    return check.threshold


def _view_of(database: Database, classifier: SavedClassifier) -> View | None:
    """The view of this version, if it is published."""
    view = database.views.of(classifier)
    return view if view is not None and view.number == classifier.number else None


def _version(classifier: SavedClassifier) -> str:
    return f"{classifier.id}-{classifier.number}"


def _use(version: str, key: str, threshold: float) -> None:
    _chosen()[version] = st.session_state[key] = threshold


def _chosen() -> dict[str, float]:
    """Remembered apart from the slider, which forgets its place when photos change its ends."""
    chosen: dict[str, float] = st.session_state.setdefault("thresholds", {})
    return chosen
