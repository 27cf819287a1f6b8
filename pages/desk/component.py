"""The desk on a page: one component, whose HTML, CSS and JavaScript lie beside this file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from pages.address import address
from pages.desk.board import Board, Show
from pages.desk.routes import DESK, TOKENS
from pages.people.person import current
from pages.people.token import HEADER, page_token

_HERE = Path(__file__).parent

BUTTON_CSS = (_HERE / "button.css").read_text(encoding="utf-8")


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


_desk = st.components.v2.component(
    "desk", html=_read("desk.html"), css=BUTTON_CSS + _read("desk.css"), js=_read("desk.js")
)


def show_desk(
    kind: str,
    key: str,
    board: Board,
    show: Show | None = None,
    *,
    stacked: bool = True,
    on_like: Callable[[str], None] | None = None,
    followed: bool = False,
    name: str = "",
) -> None:
    """Draw a desk. From then on it talks to its routes by itself, without a run of the page.

    Args:
        kind: of the board, as in the routes.
        key: of the board among its kind.
        board: what stands behind it.
        show: which of its photos; the latest round by default.
        stacked: whether near-duplicates lie on one another.
        on_like: called, before the next run, with the id of a photo that a new search is to be
            like; without it there are only rounds like a photo.
        followed: whether the page runs again once all photos are marked, and at each mark then.
        name: what the desk is to the page; its key by default. A desk of another name is another
            one, which takes the focus, so that it is to be the same where the key alone changes.
    """
    shown = show or Show()
    data: dict[str, Any] = {
        "url": f"{address(DESK)}/{kind}/{key}",
        "tokenUrl": address(TOKENS),
        "header": HEADER,
        "token": page_token(current().name),
        "mark": shown.mark,
        "stacked": stacked,
        "alone": on_like is not None,
        "followed": followed,
        "state": board.state(shown),
    }
    own = _key(f"desk-{kind}-{name or key}-{shown.mark}-{shown.round}")

    def liked() -> None:
        photo = st.session_state[own].get("like")
        if on_like is not None and isinstance(photo, str):
            on_like(photo)

    # A run of the page is all that "marked" is for.
    _desk(key=own, data=data, on_like_change=liked, on_marked_change=lambda: None)


def _key(name: str) -> str:
    """A component's key of its own for each name, without `__`: that is Streamlit's."""
    return name.replace("_", "_-")
