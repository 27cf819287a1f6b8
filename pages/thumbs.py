"""The two thumbs under a photo, kept in step with what is stored."""

import streamlit as st

from db.sessions import DOWN, NONE, UP

_LABELS = {None: NONE, 0: DOWN, 1: UP}  # by what st.feedback returns
_WIDGET_VALUES = {label: value for value, label in _LABELS.items()}


def show_thumbs(key: str, stored: int) -> int:
    """Show the thumbs; returns the label that they stand at, UP, DOWN or NONE.

    Where it differs from `stored`, the person has clicked: `remember` it, and store it. It is
    compared in each run: a callback would be less code, but one that belongs to a run cut short by
    the next click is never called.

    Args:
        key: of the widget.
        stored: the label in the database.
    """
    if key not in st.session_state or _seen().get(key) != stored:
        # First shown, or changed elsewhere: by an undo, in another tab, before a reload.
        st.session_state[key] = _WIDGET_VALUES[stored]
    remember(key, stored)
    return _LABELS[st.feedback("thumbs", key=key)]


def remember(key: str, label: int) -> None:
    """Note what is about to be stored for a widget, so that the next run doesn't take it for news.

    Before, not after: Streamlit may cut a run short wherever it touches the session's state, and a
    thumb that was stored but not noted would overwrite the click that cut it short.
    """
    _seen()[key] = label


def clicked(key: str, stored: int) -> int:
    """The label that a widget stands at, without showing it; `stored` where nothing was clicked."""
    if key in st.session_state and _seen().get(key) == stored:
        return _LABELS[st.session_state[key]]
    return stored


def _seen() -> dict[str, int]:
    seen: dict[str, int] = st.session_state.setdefault("seen", {})
    return seen
