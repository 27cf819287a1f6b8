"""Which classifier is looked at, while others may be at work on the same ones."""

from collections.abc import Mapping, Sequence

import streamlit as st

from db.classifiers import SavedClassifier
from pages.label.notices import notify

_CHOSEN = "classifier"  # in the address too, which has its title
_SHOWN = "classifier-shown"
_TITLES = "classifier-titles"


def choose(saved: Sequence[SavedClassifier]) -> SavedClassifier | None:
    """Let one be chosen; where the one on screen was deleted meanwhile, say so and draw it anew.

    A click that was meant for that one is not taken for the next one of the list.

    Returns:
        None where there is none.
    """
    titles = {classifier.id: classifier.title for classifier in saved}
    shown = st.session_state.get(_SHOWN)
    if shown is not None and shown not in titles:
        notify(f"{_known()[shown]} was deleted meanwhile, in another tab or by somebody else")
        leave()
        st.rerun()
    _stay_with_renamed(titles)
    if not saved:
        return None
    _tell_unknown(titles)
    chosen = st.selectbox(
        "Classifier",
        list(titles),
        key=_CHOSEN,
        format_func=titles.__getitem__,
        label_visibility="collapsed",
        bind="query-params",
    )
    st.session_state[_SHOWN], st.session_state[_TITLES] = chosen, titles
    return next(classifier for classifier in saved if classifier.id == chosen)


def leave() -> None:
    """Look at none: the one on screen is about to be deleted here, or is gone."""
    st.session_state.pop(_SHOWN, None)


def _stay_with_renamed(titles: Mapping[str, str]) -> None:
    """Browsers know the choice by the title, so that another name would be another choice."""
    chosen = str(st.session_state.get(_CHOSEN))
    if chosen in titles and _known().get(chosen, titles[chosen]) != titles[chosen]:
        st.session_state[_CHOSEN] = chosen


def _tell_unknown(titles: Mapping[str, str]) -> None:
    """An address may be older than a name."""
    asked = st.query_params.get(_CHOSEN)
    if asked is not None and _SHOWN not in st.session_state and asked not in titles.values():
        notify(f"There is no classifier {asked} any more: this is another one")


def _known() -> Mapping[str, str]:
    """The titles that the browser has, by id."""
    titles: Mapping[str, str] = st.session_state.get(_TITLES, {})
    return titles
