"""The labelling screen: prompt, photos, thumbs, Refine."""

import threading
from collections.abc import Sequence

import streamlit as st

from classifier.session import Session
from db.collections import Collection
from db.errors import ExplorerError
from db.words import counted
from ingest.models import SAMPLE
from pages.desk.component import show_desk
from pages.label.access import require_sight, whose_to_see
from pages.label.board import SessionBoard
from pages.label.notices import notify, show_notices
from pages.label.pictures import hear_pictures, show_chips, show_upload, tray
from pages.label.search import ask_like, search, show_box, show_examples, show_options
from pages.label.sharing import show_sharing
from pages.loading import show_loading
from pages.markdown import escaped
from pages.messages import show_warning
from pages.people.person import current
from pages.photo_grid import random_photos, show_photos
from pages.services import Services


def show(services: Services) -> None:
    """Draw the screen."""
    if not show_loading(services):
        return
    collections, away = _collections(services)
    if not collections:
        show_notices()
        st.info("There are no photos yet: load some on the **Collection** page.")
        return
    session = _session_in_address(services, collections, away)
    collection = _top(services, collections, session, away)
    if st.session_state.pop("asked", False):
        started = search(services, collection)
        if started is not None:
            # What the first refinement has to know is measured while the photos are looked at.
            threading.Thread(target=_warm_up, args=(started,), daemon=True).start()
            _open(started.row.id)
    show_notices()
    if session is None:
        _welcome(services, collection)
        hear_pictures()
        return
    if away is not None and not session.thumbs.unstored:
        show_warning(f"{away}. Thumbs can be given meanwhile", ":material/cloud_off:")
    show_desk(
        "session",
        session.row.id,
        SessionBoard(session, services.database, current()),
        stacked=bool(st.session_state.get("stacked", True)),
        on_like=lambda photo: ask_like(services, session, photo),
    )
    hear_pictures()


def _collections(services: Services) -> tuple[Sequence[Collection], ExplorerError | None]:
    """All collections; while the database is away, those seen last, and what is the matter."""
    try:
        collections = services.database.collections.all()
    except ExplorerError as error:
        if "collections" not in st.session_state:
            raise
        return st.session_state["collections"], error
    st.session_state["collections"] = collections
    return collections, None


def _top(
    services: Services,
    collections: Sequence[Collection],
    session: Session | None,
    away: ExplorerError | None,
) -> Collection:
    """The row above the photos; returns the collection that a search would search."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        show_box(services, session)
        show_upload()
        with st.popover("Options", icon=":material/tune:"):
            collection = show_options(services, collections, away=away is not None)
        if session is not None:
            show_sharing(services.database, current(), session)
            st.button("New search", type="tertiary", key="new", on_click=_leave)
    show_chips()
    if session is None:
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            show_examples(collection)
    return collection


def _warm_up(session: Session) -> None:
    try:
        session.warm_up()
    except ExplorerError:
        return  # the refinement that needs it meets the same error, and tells it


# ---- sessions


def _open(session_id: str) -> None:
    st.query_params["session"] = session_id
    st.rerun()


def _leave() -> None:
    """Go back to the front page; the session stays stored."""
    st.session_state.pop("session", None)
    st.query_params.pop("session", None)
    st.session_state["prompt"] = ""
    tray().clear()


def _session_in_address(
    services: Services, collections: Sequence[Collection], away: ExplorerError | None
) -> Session | None:
    # Another page takes it out of the address; coming back, it goes on.
    session_id = st.query_params.get("session") or st.session_state.get("session")
    if session_id is None:
        if away is not None:
            raise away
        return None
    try:
        session = services.sessions.get(session_id)
        if session.collection not in collections:
            # It was deleted, or made anew, since the session was opened.
            services.sessions.forget(session_id)
            session = services.sessions.get(session_id)
        require_sight(current(), session.row)
    except ExplorerError as error:
        if away is not None:
            raise  # the session stays in the address, for a reload
        notify(str(error))
        _leave()
        return None
    st.query_params["session"] = st.session_state["session"] = session_id
    return session


# ---- before the first search


def _welcome(services: Services, collection: Collection) -> None:
    if collection.name == SAMPLE:
        st.markdown(
            "**This is a sample**: small scenes drawn in code, and a tiny CLIP model trained on "
            "drawings like them, so that you can try everything right away. Real photos are one "
            "step away, on the **Collection** page."
        )
    elif collection.model == SAMPLE:
        st.markdown(
            "The vectors of these photos were made by the sample's tiny CLIP model, which knows "
            "only drawings. Load them with a real CLIP model to search photographs."
        )
    recent = services.database.listed.recent(collection.name, whose=whose_to_see(current()))
    if recent:
        st.subheader("Go on with")
        with st.container(horizontal=True, gap="small"):
            for summary in recent:
                words = f"{escaped(summary.row.title)} · {counted(summary.rounds, 'round')}"
                if st.button(words, key=f"recent-{summary.row.id}"):
                    _open(summary.row.id)
    st.subheader(f"Some photos of {escaped(collection.name)}")
    show_photos(random_photos(services, collection, 10), services.thumbnails)
    services.warm_up(collection)
