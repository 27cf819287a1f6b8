"""Taking photos out of a collection: those that are gone, and single ones."""

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import streamlit as st

from db.collections import Collection
from db.errors import ExplorerError
from db.photo import Photo
from db.rows import Rows
from db.words import counted
from ingest.job import Job
from pages.markdown import escaped
from pages.messages import show_error, show_info
from pages.people.acting import authorize, hindrance
from pages.people.deeds import Deed
from pages.photo_grid import show_photos
from pages.services import Services
from pages.tables import show_table

BY_HAND = "taken out by hand"
_FOUND = 20  # photos of a search


def offer_gone(services: Services, job: Job) -> None:
    """Show what a load found gone from its source, and take it out on request."""
    report = job.report
    if report is None or not report.gone or report.pruned:
        return
    count = counted(len(report.gone), "photo")
    with st.expander(f"Gone from {escaped(job.order.source.name)}: {count}", expanded=True):
        st.caption(
            "They are in the collection still, with their thumbs. Nothing but their rows is "
            "deleted; if they come back, the next load brings them in again."
        )
        show_table([{"photo": unquote(each.url), "id": each.id} for each in report.gone], "gone")
        if st.button(
            f"Take {count} out of {escaped(report.collection)}",
            icon=":material/delete:",
            key="take_out_gone",
            disabled=services.loader.running or bool(hindrance(Deed.TAKE_OUT)),
        ):
            collection = services.database.collections.find(report.collection)
            if collection is not None:
                authorize(services.database, Deed.TAKE_OUT, f"{count} out of {collection.name}")
                services.database.remove(collection, [photo.id for photo in report.gone])
            report.gone = []
            st.rerun()


def offer_single(services: Services, collection: Collection) -> None:
    """Find photos by name or id, and take those out that are chosen."""
    words = st.text_input(
        "Name or id", key=f"remove_words_{collection.name}", placeholder="beach/IMG_0042.jpg"
    ).strip()
    if not words:
        st.caption("Find photos by a part of their name, or by their id.")
        return
    table = services.database.collections.photos(collection)
    found = Rows(services.database.connection, table).find(words, _FOUND)
    if not found:
        show_info(f"No photo of {collection.name} is called that.")
        return
    by_id = {photo.id: photo for photo in found}
    chosen = st.multiselect(
        "Photos" if len(found) < _FOUND else f"Photos (the first {_FOUND})",
        list(by_id),
        default=list(by_id) if len(by_id) == 1 else [],
        format_func=lambda photo: f"{file_name(by_id[photo])} · {photo}",
        key=f"remove_chosen_{collection.name}_{words}",
    )
    show_photos([by_id[photo] for photo in chosen or by_id], services.thumbnails)
    if chosen and services.loader.running:
        st.caption("Wait until loading is done.")
    elif chosen:
        _confirm(services, collection, chosen)


def file_name(photo: Photo) -> str:
    """What to call a photo: its description, or the end of its address, or its id."""
    end = unquote(urlsplit(photo.url).path).rstrip("/").rsplit("/", 1)[-1]
    return photo.description or end or photo.id


def _confirm(services: Services, collection: Collection, chosen: Sequence[str]) -> None:
    count = counted(len(chosen), "photo")
    st.markdown(
        f"Take {count} out of **{escaped(collection.name)}**? Files are not touched, thumbs stay, "
        "and a load leaves them out unless it tries photos again that failed for good."
    )
    if st.button(f"Take {count} out", type="primary", key="take_out_single"):
        try:
            authorize(services.database, Deed.TAKE_OUT, f"{count} out of {collection.name}")
            services.database.remove(collection, list(chosen), BY_HAND)
        except ExplorerError as error:
            show_error(error)
        else:
            st.rerun()
