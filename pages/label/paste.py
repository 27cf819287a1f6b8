"""Pictures that are pasted into the page or dropped on it."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

_KEY = "paste"
_ear = st.components.v2.component(
    "paste", js=(Path(__file__).parent / "paste.js").read_text(encoding="utf-8")
)


def listen(take: Callable[[object], None]) -> None:
    """Have a function called, before the next run, with each picture that the browser sends."""

    def heard() -> None:
        take(st.session_state[_KEY].get("picture"))

    _ear(key=_KEY, on_picture_change=heard, width=1, height=1)
