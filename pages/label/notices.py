"""Lines above the photos, shown once."""

import streamlit as st

from pages.messages import show_warning


def notify(text: str) -> None:
    """Show a line in this run or, if it ends early, in the next."""
    st.session_state.setdefault("notices", []).append(text)


def show_notices() -> None:
    """Show what there is to be said."""
    for text in st.session_state.pop("notices", []):
        show_warning(text)
