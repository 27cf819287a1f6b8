"""The precision at every threshold, on the Classifiers page, and the threshold that it asks for."""

from collections.abc import Callable

import altair as alt
import pandas as pd
import streamlit as st

from classifier.estimates.evidence import Evidence, Quality, threshold_for
from pages.classifiers.histogram import RULE

Curve = list[tuple[float, Quality]]

_PRECISIONS = (0.8, 0.9, 0.95, 0.99)
_ESTIMATE, _SURELY = "by the estimate", "by the lower end of the interval"

_HOW = (
    "By the estimate, the truth is below what you ask for about as often as above it; by the lower "
    "end of the interval, hardly ever"
)


def show_curve(evidence: Evidence, threshold: float, use: Callable[[float], None]) -> None:
    """Draw the precision by threshold, and offer the threshold that is as precise as wanted.

    Args:
        evidence: of the check sample.
        threshold: a score.
        use: makes another score the threshold.
    """
    curve = evidence.curve()
    told = [(place, quality) for place, quality in curve if quality.tells_precision]
    if not told:
        return
    st.altair_chart(
        _chart(told, threshold), height=200, alt="Precision of what each threshold keeps"
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        precision = st.selectbox(
            "At least so precise",
            _PRECISIONS,
            index=2,
            format_func=lambda share: f"{share:.0%} precise",
            key="precision",
            width=180,
        )
        how = st.selectbox("Told", (_ESTIMATE, _SURELY), key="surely", help=_HOW)
        wanted = threshold_for(curve, precision, how == _SURELY)
        if wanted is not None:
            st.button(
                f"Set the threshold to {wanted:.3f}",
                key="use_precision",
                on_click=use,
                args=(wanted,),
            )
    if wanted is None:
        st.caption(
            f"No threshold is known to be {precision:.0%} precise {how}: mark more photos above "
            "the threshold, or ask for less."
        )


def _chart(told: Curve, threshold: float) -> alt.LayerChart | alt.FacetChart:
    rows = pd.DataFrame(
        {
            "score": [place for place, _ in told],
            "precision": [quality.precision.value for _, quality in told],
            "low": [quality.precision.low for _, quality in told],
            "high": [quality.precision.high for _, quality in told],
            "kept": [quality.kept for _, quality in told],
        }
    )
    x = alt.X("score:Q", title="threshold", scale=alt.Scale(zero=False))
    y = alt.Scale(domain=[0, 1])
    tooltip = [
        alt.Tooltip("score:Q", format=".3f", title="threshold"),
        alt.Tooltip("precision:Q", format=".0%"),
        alt.Tooltip("low:Q", format=".0%", title="at least"),
        alt.Tooltip("high:Q", format=".0%", title="at most"),
        alt.Tooltip("kept:Q", format=","),
    ]
    base = alt.Chart(rows)
    band = base.mark_area(opacity=0.25).encode(
        x=x, y=alt.Y("low:Q", scale=y, axis=alt.Axis(format=".0%"), title="precision"), y2="high:Q"
    )
    line = base.mark_line(point={"size": 12}).encode(
        x=x, y=alt.Y("precision:Q", scale=y), tooltip=tooltip
    )
    rule = (
        alt.Chart(pd.DataFrame({"at": [threshold]}))
        .mark_rule(strokeDash=[4, 3], strokeWidth=2, color=RULE)
        .encode(x="at:Q")
    )
    return alt.layer(band, line, rule)
