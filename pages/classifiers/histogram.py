"""The histogram of a ranking's scores, over a slider whose ends are its ends."""

import altair as alt
import numpy as np
import pandas as pd

from classifier.ranking import Ranking, Scores

BINS = 60
# At least 3 : 1 on the paper of either theme.
RULE = "#c8553d"
# Pixels: a slider's ends lie half its knob from the page's.
_PADDING = {"left": 6, "right": 6, "top": 0, "bottom": 0}


def bins_of(scores: Scores, threshold: float) -> pd.DataFrame:
    """How many photos score from where to where; the bin that a threshold cuts is two.

    Args:
        scores: float32 (n,), of at least two values.
        threshold: a score.

    Returns:
        Columns `from`, `to` (scores), `photos` (their number) and `kept` (bool).
    """
    edges = np.linspace(scores.min(), scores.max(), BINS + 1, dtype=np.float32)
    cut = np.float32(threshold)
    inside = edges[0] < cut < edges[-1]
    edges = np.unique(np.append(edges, cut)) if inside else edges
    counts, _ = np.histogram(scores, edges)
    return pd.DataFrame(
        {"from": edges[:-1], "to": edges[1:], "photos": counts, "kept": edges[:-1] >= cut}
    )


def histogram(ranking: Ranking, threshold: float) -> alt.LayerChart | alt.FacetChart:
    """The chart, from the lowest score at its left edge to the highest at its right."""
    bins = bins_of(ranking.scores, threshold).assign(zero=0)
    bins["kept"] = np.where(bins["kept"], "kept", "left out")
    ends = [float(ranking.scores.min()), float(ranking.scores.max())]
    across = alt.Scale(domain=ends, nice=False, zero=False)
    bars = (
        alt.Chart(bins)
        .mark_bar(binSpacing=0)
        .encode(
            x=alt.X("from:Q", scale=across, axis=None),
            x2="to:Q",
            # Inside the bars' room: beside it, labels would push the axis away from the slider.
            y=alt.Y(
                "photos:Q",
                scale=alt.Scale(type="symlog"),
                title=None,
                # Its line, which nobody sees, is at the left edge, so that no label of few digits
                # has the chart be wider.
                axis=alt.Axis(
                    labelPadding=-4, labelAlign="left", ticks=False, domainColor="transparent"
                ),
            ),
            y2="zero:Q",
            color=alt.Color(
                "kept:N",
                title="photos (log)",
                scale=alt.Scale(domain=["kept", "left out"]),
                legend=alt.Legend(orient="top", titleOrient="left"),
            ),
            tooltip=[
                alt.Tooltip("from:Q", format=".3f"),
                alt.Tooltip("to:Q", format=".3f"),
                alt.Tooltip("photos:Q", format=","),
            ],
        )
    )
    line = (
        alt.Chart(pd.DataFrame({"at": [threshold]}))
        .mark_rule(strokeDash=[4, 3], strokeWidth=2, color=RULE)
        .encode(x=alt.X("at:Q", scale=across, axis=None))
    )
    return alt.layer(bars, line).properties(padding=_PADDING)
