"""The map of a classifier's collection, on its page."""

import time

import streamlit as st

from classifier.map.job import MapJob
from classifier.ranking import Ranking
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.errors import ExplorerError
from db.maps import MOST, PhotoMap
from db.sessions import MAP
from db.words import counted
from pages.classifiers.sharpen import label, session_of
from pages.map.component import show_points
from pages.map.points import Points
from pages.messages import show_error
from pages.people.acting import authorize, barred, hindrance
from pages.people.deeds import Deed
from pages.photo_grid import show_photos
from pages.services import Services

_CHOSEN = "map-chosen"


@st.fragment
def show_map(
    services: Services, classifier: SavedClassifier, collection: Collection, ranking: Ranking
) -> None:
    """Show a collection in two dimensions, where it was laid out, or offer to do that.

    Args:
        services: the app's.
        classifier: its scores colour the points.
        collection: the classifier's.
        ranking: of the collection under it.
    """
    # Only when it is opened: a run of the page is not to wait for it.
    with st.expander("Map", icon=":material/scatter_plot:", key="map", on_change="rerun") as panel:
        if not panel.open:
            return
        job = services.mapper.job
        if job is not None and job.collection == collection:
            if job.running:
                _progress(services, job)
                return
            if job.error:
                show_error(job.error)
        laid_out = services.mapper.maps.get(collection)
        if laid_out is None:
            st.caption("Photos that look alike come to lie side by side. It takes some minutes.")
            _offer(services, collection, "Lay the photos out")
        else:
            _show(services, classifier, collection, ranking, laid_out)


def _show(
    services: Services,
    classifier: SavedClassifier,
    collection: Collection,
    ranking: Ranking,
    laid_out: PhotoMap,
) -> None:
    session = session_of(services, classifier)
    points = Points.of(laid_out, ranking, ranking.labels if session is None else session.marks)
    if len(points.ids) < len(ranking.ids):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(_left_out(len(points.ids), len(ranking.ids)))
            _offer(services, collection, "Lay out anew")

    def choose(photos: list[str]) -> None:
        st.session_state[_CHOSEN] = classifier.id, photos

    show_points(points, choose)
    owner, photos = st.session_state.get(_CHOSEN, ("", []))
    if owner != classifier.id or not photos:
        return
    if session is None:
        table = services.database.collections.photos(collection)
        show_photos([found.photo for found in table.get(photos)], services.thumbnails)
        return
    del st.session_state[_CHOSEN]
    label(services.database, session, classifier, photos, MAP)


def _left_out(on_it: int, photos: int) -> str:
    """How many photos a map lacks, and, where it always will, why."""
    lacks = photos - on_it
    words = f"{counted(lacks, 'photo')} {'is' if lacks == 1 else 'are'} not on it"
    return f"{words}: it holds {MOST:,} at most, drawn by chance" if photos > MOST else words


def _offer(services: Services, collection: Collection, words: str) -> None:
    look = barred(hindrance(Deed.LAY_OUT))
    if not st.button(words, key="lay_out", icon=":material/scatter_plot:", **look):
        return
    try:
        person = authorize(services.database, Deed.LAY_OUT, f"the map of {collection.name}")
        services.mapper.start(collection, person.name)
    except ExplorerError as error:
        show_error(error)
    else:
        st.rerun()


@st.fragment(run_every=1)
def _progress(services: Services, job: MapJob) -> None:
    """A bar that follows the job by itself, and redraws the page when it is done."""
    if not job.running:
        st.rerun()
    seconds = time.monotonic() - job.started
    st.progress(job.done, text=f"Laying the photos out · {seconds:.0f} s so far")
    why_not = hindrance(Deed.LAY_OUT, job.by)
    if st.button("Stop", icon=":material/stop:", key="map_stop", disabled=bool(why_not)):
        target = f"the map of {job.collection.name}: stop"
        authorize(services.database, Deed.LAY_OUT, target, job.by)
        job.stop()
        job.wait(5)
        st.rerun()
