"""The desk on a page: one component, whose HTML, CSS and JavaScript lie beside this file."""

from pathlib import Path
from typing import Any

import streamlit as st

from pages.address import address
from pages.desk.board import Board, Show
from pages.desk.routes import DESK, TOKENS
from pages.guard import TOKEN, TOKEN_HEADER

_HERE = Path(__file__).parent


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


_desk = st.components.v2.component(
    "desk", html=_read("desk.html"), css=_read("desk.css"), js=_read("desk.js")
)


def show_desk(
    kind: str, key: str, board: Board, show: Show | None = None, *, stacked: bool = True
) -> None:
    """Draw a desk. From then on it talks to its routes by itself, without a run of the page.

    Args:
        kind: of the board, as in the routes.
        key: of the board among its kind.
        board: what stands behind it.
        show: which of its photos; the latest round by default.
        stacked: whether near-duplicates lie on one another.
    """
    shown = show or Show()
    data: dict[str, Any] = {
        "url": f"{address(DESK)}/{kind}/{key}",
        "tokenUrl": address(TOKENS),
        "header": TOKEN_HEADER,
        "token": TOKEN,
        "mark": shown.mark,
        "stacked": stacked,
        "state": board.state(shown),
    }
    _desk(key=_key(f"desk-{kind}-{key}-{shown.mark}"), data=data)


def _key(name: str) -> str:
    """A component's key of its own for each name, without `__`: that is Streamlit's."""
    return name.replace("_", "_-")
