"""What leaves with a classifier, on the Classifiers page."""

import re
from collections.abc import Callable, Mapping

import streamlit as st

from classifier.exports.entries import Scope, Selection, chosen, select
from classifier.exports.folder import Order
from classifier.exports.formats import FOLDERS, FORMATS, LABEL_STUDIO, FolderFormat, Format
from classifier.exports.label_studio import labelling_config
from classifier.exports.scores import to_csv
from classifier.exports.snippet import scoring_code
from classifier.ranking import Ranking
from classifier.weight import to_safetensors
from db.classifiers import SavedClassifier
from db.errors import ExplorerError
from db.photos import PhotoTable
from db.rows import Rows
from db.sessions import DOWN
from db.words import counted
from ingest.models import SAMPLE
from ingest.originals import fetcher
from ingest.sample import CHECKPOINT
from pages.classifiers.folder_job import show_job
from pages.desk.photos import WIDE
from pages.markdown import escaped
from pages.messages import show_error
from pages.people.acting import authorize, hindrance
from pages.people.deeds import Deed
from pages.people.folders import folder_to_write, may_write_folders
from pages.services import Services
from pages.tables import offer_csv

_FORMS: Mapping[str, Format | FolderFormat] = {each.title: each for each in (*FORMATS, *FOLDERS)}


def show_ways_out(
    services: Services,
    table: PhotoTable,
    classifier: SavedClassifier,
    ranking: Ranking,
    threshold: float,
) -> None:
    """Offer the files, the folders and the code."""
    authorize(services.database, Deed.DOWNLOAD, classifier.title)
    name = _file_name(classifier)
    with st.container(horizontal=True):
        offer_csv("Scores and labels (CSV)", lambda: to_csv(ranking, table.urls(), threshold), name)
        st.download_button(
            "Weight (safetensors)",
            lambda: to_safetensors(classifier, threshold),
            file_name=f"{name}.safetensors",
            mime="application/octet-stream",
            icon=":material/download:",
            on_click="ignore",
        )
    with st.expander("Take the photos elsewhere", icon=":material/move_to_inbox:"):
        _photos(services, table, classifier, ranking, threshold)
    with st.expander("Score other images with it", icon=":material/code:"):
        _code(classifier, services.database.views.query(classifier, threshold), threshold)


def _file_name(classifier: SavedClassifier) -> str:
    return re.sub(r"[^\w-]+", "-", classifier.name).strip("-") or "classifier"


# ---- photos and their labels


def _photos(
    services: Services,
    table: PhotoTable,
    classifier: SavedClassifier,
    ranking: Ranking,
    threshold: float,
) -> None:
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    scope = Scope(left.selectbox("Which", [each.value for each in Scope], key="out_scope"))
    form = _FORMS[right.selectbox("As", list(_FORMS), key="out_format")]
    places = chosen(ranking, threshold, scope)
    st.caption(_counted(ranking, threshold, scope, len(places)))

    def selection() -> Selection:
        photos = Rows(services.database.connection, table).facts([ranking.ids[p] for p in places])
        return select(classifier.name, ranking, threshold, places, photos)

    if classifier.collection == SAMPLE and not isinstance(form, FolderFormat):
        st.caption("Scenes of the sample are drawn, not files: in a folder they become some.")
    if form.hint:
        st.markdown(form.hint)
    if form.title == LABEL_STUDIO:
        st.code(labelling_config(classifier.name), "xml")
    if isinstance(form, FolderFormat):
        _folder(services, form, selection, disabled=not places)
    else:
        st.download_button(
            "Download",
            lambda: form.write(selection()),
            file_name=f"{_file_name(classifier)}{form.ending}",
            mime=form.mime,
            icon=":material/download:",
            on_click="ignore",
            key="out_download",
            disabled=not places,
        )


def _counted(ranking: Ranking, threshold: float, scope: Scope, count: int) -> str:
    photos = counted(count, "photo")
    if scope is Scope.THUMBS:
        return f"Chosen: {photos} with a thumb up or down"
    kept = ranking.kept(threshold)
    downs = sum(ranking.labels.get(photo) == DOWN for photo in ranking.ids[:kept])
    added = count - (kept - downs)
    parts = [f"the {kept:,} from the threshold on"]
    parts += [f"without {downs:,} with a thumb down"] if downs else []
    parts += [f"with {added:,} below it that have a thumb up"] if added else []
    return f"Chosen: {photos} ({', '.join(parts)})"


def _folder(
    services: Services, form: FolderFormat, selection: Callable[[], Selection], *, disabled: bool
) -> None:
    job, why_not = services.exporter.job, hindrance(Deed.EXPORT_FOLDER)
    with st.container():  # a place of its own, so that the form stays where the keyboard's focus is
        if job is not None and not why_not:
            show_job(services, job)
    if not may_write_folders():
        st.caption("No folder of the server can be written into here: EXPORT\\_ROOTS names none.")
        return
    with st.form("out_folder", border=False):
        typed = st.text_input(
            "Folder on the app's machine", placeholder="/home/me/lakes", key="out_path"
        )
        pressed = st.form_submit_button(
            "Write the photos",
            disabled=disabled or services.exporter.running or bool(why_not),
            help=escaped(why_not) or None,
        )
    if not pressed:
        return
    if not typed.strip():
        st.error("Type the path of a folder, new or empty")
        return
    try:
        order = Order(selection(), folder_to_write(typed), form.by_class, form.link)
        person = authorize(services.database, Deed.EXPORT_FOLDER, str(order.folder))
        services.exporter.start(order, fetcher(WIDE), person.name)
    except ExplorerError as error:
        show_error(error)
    else:
        st.rerun()


# ---- other images


def _code(classifier: SavedClassifier, query: str, threshold: float) -> None:
    file = f"{_file_name(classifier)}.safetensors"
    st.markdown(f"With `{file}` beside it and a folder behind it, this needs `transformers` alone:")
    folder = CHECKPOINT if classifier.model == SAMPLE else None
    st.code(scoring_code(file, classifier.model, threshold, folder), "python")
    st.markdown("With this program, which reads every kind of image and turns it upright:")
    st.code(f"python -m classifier score {file} FOLDER", "bash")
    st.markdown("Rows of this database, by SQL:")
    st.code(query, "sql")
