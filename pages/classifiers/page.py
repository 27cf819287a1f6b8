"""Saved classifiers: ranking, threshold, export."""

from collections.abc import Mapping
from urllib.parse import quote

import streamlit as st

from classifier.ranking import Ranking
from classifier.refit import METHOD_NAMES
from db.classifiers import SavedClassifier
from db.errors import ExplorerError
from db.photo import Photo
from db.photos import PhotoTable
from db.sessions import DOWN, NONE, UP
from db.words import counted
from pages.address import address
from pages.classifiers.bring_in import show_bring_in
from pages.classifiers.check import show_check
from pages.classifiers.choice import choose, leave
from pages.classifiers.label_table import show_label_table
from pages.classifiers.new_photos import show_new
from pages.classifiers.scores import ranking_of
from pages.classifiers.sharpen import session_of, show_sharpening
from pages.classifiers.threshold import choose_threshold
from pages.classifiers.versions import show_versions
from pages.classifiers.view import show_view
from pages.classifiers.ways_out import show_ways_out
from pages.consequences import of_classifier
from pages.label.access import may_see
from pages.label.notices import show_notices
from pages.map.panel import show_map
from pages.markdown import escaped
from pages.messages import show_error, show_info
from pages.people.acting import authorize, barred, hindrance
from pages.people.deeds import Deed
from pages.people.person import current
from pages.photo_grid import show_photos
from pages.services import Services

PAGE = 15
_VIEWS = ("Best", "Just above the threshold", "Just below the threshold")


def show(services: Services) -> None:
    """Draw the screen."""
    st.title("Classifiers")
    show_bring_in(services)
    notices = st.container()
    saved = services.database.classifiers.all()
    classifier = choose(saved)
    with notices:
        show_notices()
    if classifier is None:
        st.info(
            "No classifier is saved yet. On the **Label** page, type a prompt, give thumbs, press "
            "Refine, and then Save classifier."
        )
        return
    _manage(services, classifier)
    collection = services.database.collections.find(classifier.collection)
    if collection is None or collection.fingerprint != classifier.fingerprint:
        show_error(
            f"The collection {classifier.collection} that it was trained on is gone, or was made "
            "anew with another model: its photos can't be ranked."
        )
        return
    table = services.database.collections.photos(collection)
    if not table.count():
        show_info(f"{collection.name} holds no photos.")
        return
    ranking = ranking_of(services, classifier, collection)
    chosen = choose_threshold(services.database, classifier, ranking)
    threshold = chosen.at
    # Once: on a server, others may have labelled in it, so that the database is asked.
    session = session_of(services, classifier)
    # Places of their own: what comes to stand in them moves nothing that has the keyboard's focus.
    with st.container():
        show_new(services, classifier, session, table, ranking, threshold)
    with st.container():
        show_versions(services, classifier, collection, ranking, threshold)
    show_sharpening(services, classifier, session, ranking, threshold)
    show_map(services, classifier, collection, ranking)
    show_ways_out(services, table, classifier, ranking, threshold)
    show_view(services, classifier, services.database.views.of(classifier), threshold)
    show_check(services, table, classifier, ranking, threshold, chosen.use)
    show_label_table(services, collection, saved)
    _photos(services, table, ranking, threshold)


def _manage(services: Services, classifier: SavedClassifier) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"{_origin(services, classifier)}, "
            f"{counted(classifier.rounds, 'round')}, "
            f":green[{classifier.ups} up], :red[{classifier.downs} down], "
            f"refit by {METHOD_NAMES[classifier.method]}, "
            f"saved {classifier.saved:%Y-%m-%d}{_by(classifier)}"
        )
        look = barred(hindrance(Deed.SAVE, classifier.owner))
        with st.popover("Rename", icon=":material/edit:", **look):
            _rename(services, classifier)
        # Another one's box is another box: a second click deletes no second classifier.
        box = f"delete-box-{classifier.id}"
        with st.popover("Delete", icon=":material/delete:", key=box, **look):
            st.markdown(of_classifier(services.database, classifier))
            if st.button("Delete", key=f"delete-{classifier.id}", type="primary"):
                _delete(services, classifier)


def _delete(services: Services, classifier: SavedClassifier) -> None:
    target = f"the classifier {classifier.title}: delete"
    authorize(services.database, Deed.SAVE, target, classifier.owner)
    services.database.delete(classifier)
    leave()
    st.rerun()


def _origin(services: Services, classifier: SavedClassifier) -> str:
    """What it was saved from: its session, to be opened, or else the prompt.

    The name that others gave a session of theirs, and its address, are not everybody's.
    """
    row = services.database.sessions.find(classifier.session)
    if row is None or not may_see(current(), row):
        return f"From the prompt “{escaped(classifier.prompt)}”"
    link = f"{address('/')}?session={quote(row.id)}"
    return f"From the session [“{escaped(row.title)}”]({link})"


def _by(classifier: SavedClassifier) -> str:
    return f" by {escaped(classifier.owner)}" if classifier.owner else ""


def _rename(services: Services, classifier: SavedClassifier) -> None:
    name = st.text_input("New name", value=classifier.name, key=f"rename-{classifier.id}")
    if st.button("Rename", key="rename", type="primary"):
        try:
            target = f"the classifier {classifier.title}: rename to {name}"
            authorize(services.database, Deed.SAVE, target, classifier.owner)
            services.database.classifiers.rename(classifier, name)
        except ExplorerError as error:
            show_error(error)
        else:
            st.rerun()


def _photos(services: Services, table: PhotoTable, ranking: Ranking, threshold: float) -> None:
    view = st.segmented_control(
        "Photos", _VIEWS, default=_VIEWS[0], required=True, label_visibility="collapsed", key="view"
    )
    places = _places(str(view), ranking.kept(threshold), len(ranking.ids))
    if not places:
        st.caption("No photo is there.")
        return
    page = st.pagination(-(-len(places) // PAGE), key=f"page-{view}")
    on_page = places[(page - 1) * PAGE : page * PAGE]
    photos = [n.photo for n in table.get([ranking.ids[place] for place in on_page])]
    score = {ranking.ids[place]: ranking.scores[place] for place in on_page}
    marks: Mapping[int, str] = {UP: " · up", DOWN: " · down"}

    def below(_: int, photo: Photo) -> None:
        st.caption(f"{score[photo.id]:.3f}{marks.get(ranking.labels.get(photo.id, NONE), '')}")

    show_photos(photos, services.thumbnails, below)


def _places(view: str, kept: int, total: int) -> range:
    """The places in the ranking that a view shows, in its order."""
    return {
        _VIEWS[0]: range(total),
        _VIEWS[1]: range(kept - 1, -1, -1),
        _VIEWS[2]: range(kept, total),
    }[view]
