"""What a page says while it waits for the database, and how the wait is given up."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from db.answers import heard_by
from db.errors import ExplorerError
from pages.label.notices import notify
from pages.markdown import escaped
from pages.messages import show_error
from pages.people.turns import AT_ONCE, turns
from pages.services import NotYetError, Opener, Services

_AGAIN = 3.0  # seconds until a page that could not be drawn is drawn again


def opened(opener: Opener) -> Services:
    """What an opener opens, however long that takes; says what is waited for.

    Raises:
        ExplorerError: it can't be opened.
    """
    if opener.is_open:
        return opener()
    with st.spinner("Opening the database …", show_time=True):
        place = st.empty()
        while True:
            try:
                services = opener()
            except NotYetError as slow:
                place.caption(escaped(str(slow)))
            else:
                place.empty()
                return services


@contextmanager
def may_be_given_up(what: str) -> Iterator[None]:
    """Says how long the database has been at work, and lets a person end the wait for it.

    Not within a cached function: what is drawn there would be drawn again each time.

    Args:
        what: what is waited for, as a subject.
    """
    place = st.empty()
    text = None

    def hear(seconds: float) -> None:
        nonlocal text
        if text is None:
            box = place.container(horizontal=True, vertical_alignment="center", gap="small")
            text = box.empty()
            box.button("Give up", key="give_up", on_click=notify, args=(f"{what} was given up.",))
        # Streamlit ends the run here, and with it the wait, once the button was clicked.
        text.caption(f"The database has been at work on it for {seconds:.0f} s.")

    with heard_by(hear):
        yield
    place.empty()


@contextmanager
def in_turn(name: str) -> Iterator[None]:
    """Has a search wait while as many of the same person as may be are at work, and says so."""
    place = st.empty()
    words = f"{AT_ONCE} searches of yours are at work: this one comes after them."
    with turns.one(name, lambda: place.caption(words)):
        place.empty()
        yield


def show_failure(error: ExplorerError, icon: str) -> None:
    """Show why a page can't be drawn; it draws itself once what passes is over."""
    show_error(error, icon)
    if error.passes:
        st.caption("This page tries again by itself.")
        st.session_state["failed_runs"] = st.session_state.get("failed_runs", 0) + 1
        _look_again(st.session_state["failed_runs"])


@st.fragment(run_every=_AGAIN)
def _look_again(run: int) -> None:
    if st.session_state.get("looked_again") == run:
        st.rerun()
    st.session_state["looked_again"] = run
