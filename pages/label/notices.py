"""Lines above the photos, shown once."""

import streamlit as st

# What makes links, pictures and colours of text: notices quote names and addresses.
_ACTIVE = str.maketrans({each: f"\\{each}" for each in "[]<`*$"})


def notify(text: str) -> None:
    """Show a line in this run or, if it ends early, in the next."""
    st.session_state.setdefault("notices", []).append(text)


def show_notices() -> None:
    """Show what there is to be said."""
    for text in st.session_state.pop("notices", []):
        st.warning(text.translate(_ACTIVE), icon=":material/info:")
