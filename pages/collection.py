"""What is stored, and loading more."""

from pathlib import Path

import streamlit as st

from db.collections import Collection
from db.errors import ExplorerError
from db.faults import shown_url
from db.photos import IndexState
from ingest.models import SAMPLE
from ingest.pipeline import Order
from ingest.sources import FolderSource, Source, UnsplashSource
from pages.loading import progress_of_job
from pages.photo_grid import random_photos, show_photos
from pages.services import Services, sample_order

_SHOWN_SKIPS = 200


def show(services: Services) -> None:
    """Draw the screen."""
    st.title("Collection")
    collections = services.database.collections.all()
    if collections:
        _stored(services, collections)
    else:
        st.info("There are no photos yet: load some below.")
    st.subheader("Load photos")
    _job(services)
    _load_forms(services)
    connection = services.database.connection
    st.caption(
        f"Database: {connection.dialect.name} at `{shown_url(connection.url)}` · "
        f"caches in `{services.settings.data}`"
    )


# ---- what is being loaded


def _job(services: Services) -> None:
    job = services.loader.job
    if job is None:
        return
    if job.running:
        st.markdown(f"Loading **{job.order.collection}** from {job.order.source.name}")
        progress_of_job(services)
    elif job.error:
        st.error(job.error, icon=":material/error:")
    elif job.report is not None:
        st.success(job.report.summary(), icon=":material/check_circle:")
    if job.skipped:
        with st.expander(f"{len(job.skipped):,} skipped"):
            rows = job.skipped[:_SHOWN_SKIPS]
            st.dataframe(
                [{"photo": skip.photo.url, "reason": skip.reason} for skip in rows],
                hide_index=True,
            )


# ---- what is stored


def _stored(services: Services, collections: list[Collection]) -> None:
    by_name = {collection.name: collection for collection in collections}
    if st.session_state.get("ordered") in by_name:
        # What this person has just loaded comes on screen, here and on the Label page.
        ordered = st.session_state.pop("ordered")
        st.session_state["shown_collection"] = st.session_state["collection"] = ordered
    name = st.selectbox(
        "Collection",
        list(by_name),
        key="shown_collection",
        label_visibility="collapsed",
    )
    collection = by_name[name]
    table = services.database.collections.photos(collection)
    rows = table.count()
    with st.container(horizontal=True, gap="medium"):
        st.metric("Photos", f"{rows:,}")
        st.metric("Index", _state(table.index_state()))
        st.metric("Since", f"{collection.created:%Y-%m-%d}")
    st.markdown(
        f"Vectors by `{collection.model}` ({collection.dimension} numbers each), "
        f"from {collection.source}."
    )
    if collection.model == SAMPLE:
        st.caption("The sample's model knows only drawings: photographs need a real CLIP model.")
    show_photos(random_photos(services, collection, 5), services.thumbnails)
    with st.popover("Delete this collection", icon=":material/delete:"):
        _delete(services, collection, rows)


def _state(state: IndexState) -> str:
    if state.state == "building" and state.progress:
        return f"building, {state.progress:.0%}"
    return {"none": "none: exact search"}.get(state.state, state.state)


def _delete(services: Services, collection: Collection, rows: int) -> None:
    st.markdown(
        f"Delete **{collection.name}** with the vectors of its {rows:,} photos? "
        "The photos themselves are not touched."
    )
    if services.loader.running:
        st.caption("Wait until loading is done.")
    elif st.button("Delete", type="primary", key="delete_collection"):
        services.database.collections.drop(collection)
        st.rerun()


# ---- loading


def _load_forms(services: Services) -> None:
    folder, unsplash, sample = st.tabs(["A folder", "Unsplash table", "Sample"])
    with folder, st.form("folder", border=False):
        path = st.text_input("Folder on this computer", placeholder="/home/me/Pictures")
        name, model, limit = _options(services, "photos")
        if st.form_submit_button("Load the folder", type="primary"):
            source = FolderSource(Path(path)) if path.strip() else None
            _start(services, source, "Type the path of a folder", name, model, limit)
    with unsplash, st.form("unsplash", border=False):
        path = st.text_input(
            "Photos table on this computer",
            placeholder="/home/me/unsplash/photos.csv000",
            help="From the Unsplash Lite dataset; the images are fetched from their addresses",
        )
        name, model, limit = _options(services, "unsplash_25k")
        if st.form_submit_button("Load the photos", type="primary"):
            table = UnsplashSource([Path(path)]) if path.strip() else None
            _start(services, table, "Type the path of a photos table", name, model, limit)
    with sample:
        st.markdown("Drawn scenes with their own tiny CLIP model; only what is missing is added.")
        if st.button("Load the sample", type="primary"):
            _run(services, sample_order())


def _options(services: Services, collection: str) -> tuple[str, str, int | None]:
    left, middle, right = st.columns(3)
    name = left.text_input("Collection", collection)
    model = middle.text_input(
        "CLIP model",
        placeholder=f"the collection's own, or {services.settings.clip_model}",
        help="A hub id (downloaded once), a folder with a checkpoint, or sample",
    )
    limit = right.number_input("At most", min_value=1, value=None, placeholder="all", step=1)
    return name.strip(), model.strip(), int(limit) if limit else None


def _start(
    services: Services,
    source: Source | None,
    otherwise: str,
    name: str,
    model: str,
    limit: int | None,
) -> None:
    if source is None:
        st.error(otherwise)
        return
    _run(services, Order(source, name, model or None, services.settings.clip_model, limit))


def _run(services: Services, order: Order) -> None:
    try:
        services.loader.start(order)
    except ExplorerError as error:
        st.error(str(error))
    else:
        st.session_state["ordered"] = order.collection
        st.rerun()
