"""The Visual Dataset Explorer: `streamlit run app.py`."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from pages.boards import boards
from pages.desk.routes import DeskRoutes
from pages.guard import Guard
from pages.health import Health
from pages.open_files import raise_limit
from pages.people.gate import Gate, refuse_unguarded
from pages.services import opener

raise_limit()
refuse_unguarded()

# The script lies in pages/, not here: Streamlit takes each file of a folder `pages` beside the
# script for a page of its own, with an address, and lists them before the script has run.
app = st.App(
    Path(__file__).parent / "pages" / "screens.py",
    routes=[*DeskRoutes(opener, boards).all(), Health(opener).route()],
    middleware=[Middleware(Gate), Middleware(Guard)],
)
