"""Lines above the photos, shown once."""

import streamlit as st


def notify(text: str) -> None:
    """Show a line in this run or, if it ends early, in the next."""
    st.session_state.setdefault("notices", []).append(text)


def show_notices() -> None:
    """Show what there is to be said."""
    for text in st.session_state.pop("notices", []):
        st.warning(text, icon=":material/info:")
