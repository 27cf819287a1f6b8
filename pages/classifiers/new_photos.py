"""Photos that came in since a classifier was saved, on its page."""

import streamlit as st

from classifier.ranking import Ranking
from classifier.session import Session
from db.arrivals import arrived
from db.classifiers import SavedClassifier
from db.photos import PhotoTable
from db.sessions import NEW
from db.words import counted
from pages.classifiers.sharpen import label
from pages.photo_grid import show_photos
from pages.services import Services

PAGE = 15
MOST = 36  # photos on a desk


def show_new(
    services: Services,
    classifier: SavedClassifier,
    session: Session | None,
    table: PhotoTable,
    ranking: Ranking,
    threshold: float,
) -> None:
    """Say how many photos are new, and show those above the threshold, best first."""
    fresh = arrived(services.database.connection, table.name, classifier.seen)
    if not fresh:
        return
    kept = [photo for photo in ranking.ids[: ranking.kept(threshold)] if photo in fresh]
    st.markdown(
        f"**{len(fresh):,} new** since version {classifier.number} was saved, "
        f"**{len(kept):,}** of them above the threshold"
    )
    if not kept:
        return
    photos = counted(len(kept), "new photo")
    with st.expander(f"Look at {photos}", icon=":material/fiber_new:"):
        unmarked = [] if session is None else [p for p in kept if p not in session.marks][:MOST]
        if session is not None and unmarked and _wants_to_label(len(unmarked)):
            label(services.database, session, classifier, unmarked, NEW)
        page = st.pagination(-(-len(kept) // PAGE), key=f"new-{classifier.id}-{len(kept)}")
        here = kept[(page - 1) * PAGE : page * PAGE]
        show_photos([found.photo for found in table.get(here)], services.thumbnails)


def _wants_to_label(photos: int) -> bool:
    return st.button(
        f"Label {photos} of them" if photos > 1 else "Label it",
        key="label_new",
        icon=":material/thumbs_up_down:",
        help="On the desk under “Sharpen it at the threshold”",
    )
