"""What the desk is measured against: the same photos on a page of a few lines of Streamlit.

`streamlit run tests/bench/bare_page.py FOLDER`; FOLDER/9/2 holds the second round of nine.
"""

import sys
from pathlib import Path

import streamlit as st

COLUMNS = 5


def _go_on() -> None:
    st.session_state["round"] += 1


st.set_page_config(layout="wide")
st.session_state.setdefault("round", int(st.query_params.get("round", 1)))
number = st.session_state["round"]
photos = sorted((Path(sys.argv[1]) / st.query_params["photos"] / str(number)).iterdir())
st.button("Next", on_click=_go_on)
columns = st.columns(COLUMNS)
for place, photo in enumerate(photos):
    with columns[place % COLUMNS]:
        st.image(photo, width="stretch")
        st.feedback("thumbs", key=f"{number} {place}")
