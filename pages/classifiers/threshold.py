"""Where a classifier cuts its ranking: a slider under the histogram of all scores."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from classifier.ranking import Ranking
from pages.classifiers.histogram import histogram

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


def choose_threshold(version: str, ranking: Ranking, settled: float | None) -> Threshold:
    """Draw the histogram and the slider.

    Args:
        version: what tells the version of the classifier from all others.
        ranking: the collection under it.
        settled: where it was published or checked, or None: then it starts as the thumbs say.
    """
    low, high = float(ranking.scores.min()), float(ranking.scores.max())
    if high - low < _FLAT:
        st.caption(f"Every photo scores {high:.3f}.")
        return Threshold(low, lambda _: None)
    key = f"threshold-{version}-{low}-{high}"
    proposed = ranking.first_threshold() if settled is None else settled
    shown = min(max(_chosen().get(version, proposed), low), high)
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
    st.markdown(
        f"**{kept:,}** of {len(ranking.ids):,} photos score at least {threshold:.3f} "
        f"({kept / len(ranking.ids):.1%})" + (", as proposed from your thumbs" * is_proposal)
    )
    return Threshold(threshold, partial(_use, version, key))


def _use(version: str, key: str, threshold: float) -> None:
    _chosen()[version] = st.session_state[key] = threshold


def _chosen() -> dict[str, float]:
    """Remembered apart from the slider, which forgets its place when photos change its ends."""
    chosen: dict[str, float] = st.session_state.setdefault("thresholds", {})
    return chosen
