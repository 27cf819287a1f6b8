"""What happened, in boxes above or below what it happened to.

Messages quote names, paths and answers of others: here they are text, and nothing of them is read
as Markdown.
"""

import streamlit as st

from pages.markdown import escaped


def show_error(what: object, icon: str = ":material/error:") -> None:
    """Say what failed: an error, or a sentence."""
    st.error(escaped(str(what)), icon=icon)


def show_warning(text: str, icon: str = ":material/info:") -> None:
    """Say what to know before going on."""
    st.warning(escaped(text), icon=icon)


def show_info(text: str, icon: str | None = None) -> None:
    """Say how things are."""
    st.info(escaped(text), icon=icon)


def show_success(text: str) -> None:
    """Say what was done."""
    st.success(escaped(text), icon=":material/check_circle:")
