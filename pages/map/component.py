"""The map on a page: one component, whose HTML, CSS and JavaScript lie beside this file."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from pages.desk.component import BUTTON_CSS
from pages.map.points import Points

_HERE = Path(__file__).parent
_KEY = "map-points"


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


_map = st.components.v2.component(
    "map", html=_read("map.html"), css=BUTTON_CSS + _read("map.css"), js=_read("map.js")
)


def show_points(points: Points, choose: Callable[[list[str]], None]) -> None:
    """Draw a map.

    Args:
        points: its points.
        choose: called, before the next run, with the ids of photos that are to be opened.
    """

    def chosen() -> None:
        choose(points.chosen(st.session_state[_KEY].get("open")))

    _map(key=_KEY, data=points.sent(), on_open_change=chosen)
