"""Clicks that count for what was on screen alone."""

from collections.abc import Hashable
from typing import Any

import streamlit as st


def pressed(words: str, key: str, about: Hashable, **look: Any) -> bool:
    """Whether a button is clicked, and is about the same thing as when it was drawn.

    Another tab may have gone to another version since, or drawn another sample: the click would do
    what nobody asked for. The page shows what is there now, and the button can be clicked again.

    Args:
        words: on the button.
        key: its own; it stays, since a button of another key would lose the keyboard's focus.
        about: what it does, to what.
        look: as `st.button` takes it.
    """
    was = st.session_state.get(f"{key}-about", about)
    st.session_state[f"{key}-about"] = about
    return st.button(words, key=key, **look) and was == about
