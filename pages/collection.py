"""What is stored, and loading more."""

from dataclasses import dataclass, field, replace
from threading import Event

import streamlit as st

from db.collections import Collection
from db.dsn import unencrypted
from db.errors import ExplorerError
from db.faults import shown_url
from db.photos import PhotoTable
from db.settings import typed_path
from db.vector_index import IndexState
from ingest.archive import VERSION, Archive
from ingest.job import Job
from ingest.models import SAMPLE
from ingest.names import table_name
from ingest.pipeline import Order
from ingest.plan import other_sources, shown_sources
from ingest.retry import Retries
from ingest.sources import FolderSource, Source, UnsplashSource
from pages.consequences import of_collection
from pages.loading import in_words, progress_of_job, show_line, stop_load
from pages.markdown import code, escaped
from pages.messages import show_error, show_info, show_success, show_warning
from pages.people.acting import authorize, hindrance
from pages.people.audit import show_audit
from pages.people.deeds import Deed
from pages.people.folders import folder_to_load, may_load_folders, model_to_load
from pages.people.person import whom_to_ask
from pages.people.team import team
from pages.photo_grid import random_photos, show_photos
from pages.removal import offer_gone, offer_single
from pages.services import Services, sample_order
from pages.tables import show_table
from pages.upload_form import choose_files, kept


def show(services: Services) -> None:
    """Draw the screen."""
    st.title("Collection")
    for line in services.database.damage():
        show_warning(line, ":material/healing:")
    collections = [*services.database.collections.all(), *services.database.collections.lost()]
    if collections:
        _stored(services, collections)
    else:
        st.info("There are no photos yet: load some below.")
    st.header("Load photos")
    _job(services)
    if why_not := hindrance(Deed.LOAD):
        st.caption(f"{why_not}. Ask {escaped(whom_to_ask())}.")
    else:
        try:
            _ask(services)
            _load_forms(services)
        except ExplorerError as error:
            show_error(error)
    if hindrance(Deed.MANAGE):
        return
    show_audit(services.database.audit)
    connection = services.database.connection
    st.caption(
        f"Database: {escaped(str(connection.engine))} at {code(shown_url(connection.url))} · "
        f"caches in {code(str(services.settings.data))}"
    )
    if warning := unencrypted(connection.url):
        show_warning(warning, ":material/lock_open:")


# ---- what is being loaded


def _job(services: Services) -> None:
    job = services.loader.job
    if job is None:
        return
    if job.running:
        st.markdown(f"Loading {in_words(job)}")
        progress_of_job(services)
        stopping = job.order.stop.is_set() or bool(hindrance(Deed.LOAD, job.by))
        if st.button("Stop loading", icon=":material/stop:", disabled=stopping):
            stop_load(services, job)
        show_line(services)
    elif job.error:
        show_error(job.error)
    elif job.report is not None and job.report.stopped:
        show_info(f"Stopped: {job.report.summary()}. Load it again to go on", ":material/stop:")
    elif job.report is not None:
        show_success(job.report.summary())
    _noticed(services, job)


def _noticed(services: Services, job: Job) -> None:
    """What a load found gone, or odd, and what it left out."""
    offer_gone(services, job)
    notices = job.report.notices() if job.report else []
    if notices:
        with st.expander(f"Noticed: {len(notices):,}"):
            show_table([{"noticed": each} for each in notices], "noticed")
    if job.skipped:
        with st.expander(f"{len(job.skipped):,} skipped"):
            rows = [{"photo": skip.photo.url, "reason": skip.reason} for skip in job.skipped]
            show_table(rows, "skipped")


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
        format_func=lambda each: by_name[each].title,
    )
    collection = by_name[name]
    trouble = services.database.collections.trouble(collection)
    if trouble:
        show_error(f"{name} can't be read: {trouble}")
    else:
        _readable(services, collection)
    if not hindrance(Deed.DELETE):
        # Another one's box is another box: a second click, or one in another tab, is for none else.
        key = f"delete-box-{name}"
        with st.popover("Delete this collection", icon=":material/delete:", key=key):
            _delete(services, collection)


def _readable(services: Services, collection: Collection) -> None:
    table = services.database.collections.photos(collection)
    rows, state = table.count(), table.index_state()
    with st.container(horizontal=True, gap="medium"):
        st.metric("Photos", f"{rows:,}")
        st.metric("Index", escaped(_state(state)))
        st.metric("Since", f"{collection.created:%Y-%m-%d}")
    if state.state == "failed":
        show_error(f"The index could not be built: {state.detail}. Load again to build it anew.")
    st.markdown(
        f"Vectors by {code(collection.model)} ({collection.dimension} numbers each), "
        f"from {escaped(collection.source)}."
    )
    if collection.model == SAMPLE:
        st.caption("The sample's model knows only drawings: photographs need a real CLIP model.")
    show_photos(random_photos(services, collection, 5), services.thumbnails)
    _failures(services, table)
    if not hindrance(Deed.TAKE_OUT):
        with st.expander("Take single photos out", icon=":material/remove_circle:"):
            offer_single(services, collection)


def _failures(services: Services, table: PhotoTable) -> None:
    failed = services.database.failures.of(table)
    if not failed:
        return
    with st.expander(f"Not loaded: {len(failed):,} photos"):
        rows = [
            {
                "photo": failure.url,
                "reason": failure.reason,
                "when": failure.at,
                "tried again": "if asked for" if failure.final else "with the next load",
            }
            for failure in failed.values()
        ]
        show_table(rows, f"{table.name}-failed")


def _state(state: IndexState) -> str:
    if state.state == "building" and state.progress:
        return f"building, {state.progress:.0%}"
    if state.state == "built" and state.detail:
        return f"built ({state.detail})"
    return {"none": "none: exact search"}.get(state.state, state.state)


def _delete(services: Services, collection: Collection) -> None:
    st.markdown(of_collection(services.database, collection))
    if services.loader.running:
        st.caption("Wait until loading is done.")
    elif st.button("Delete", type="primary", key=f"delete-{collection.name}"):
        authorize(services.database, Deed.DELETE, f"the collection {collection.name}")
        services.database.drop(collection)
        st.rerun()


# ---- loading


def _ask(services: Services) -> None:
    """Ask whether photos are meant to come beside those of another source."""
    asked: tuple[Order, list[str]] | None = st.session_state.get("mixing")
    if asked is None:
        return
    order, others = asked
    st.warning(
        f"**{escaped(order.collection)}** holds photos from {escaped(shown_sources(others))}, and "
        f"none from {escaped(order.source.name)}. Load them into it all the same, or name another "
        "collection below?",
        icon=":material/help:",
    )
    with st.container(horizontal=True):
        if st.button(f"Load into {escaped(order.collection)} all the same", key="mix"):
            del st.session_state["mixing"]
            _run(services, replace(order, into=True))
        if st.button("Don't load", key="mix_not"):
            del st.session_state["mixing"]
            st.rerun()


def _load_forms(services: Services) -> None:
    folder, unsplash, sample = st.tabs(["A folder", "Unsplash", "Sample"])
    with folder:
        if not team().is_private:
            _upload_form(services)
        if may_load_folders():
            _folder_form(services)
    with unsplash, st.form("unsplash", border=False):
        path = st.text_input(
            "Dataset on this computer",
            placeholder="none: download Unsplash Lite",
            help="Unsplash Lite is downloaded once: 700 MB of tables with 25,000 photos, whose "
            "images are then fetched from their addresses and not kept. Of a dataset that is here "
            "already, name the folder or a photos table such as photos.csv000",
        )
        options = _options(services, "unsplash_25k")
        if st.form_submit_button("Load the photos", type="primary"):
            _run(services, options.order(_unsplash(services, path, Retries(options.stop))))
    with sample:
        st.markdown("Drawn scenes with their own tiny CLIP model; only what is missing is added.")
        if st.button("Load the sample", type="primary"):
            _run(services, sample_order())


def _upload_form(services: Services) -> None:
    with st.form("upload", border=False):
        files = choose_files()
        options = _options(services, "uploads")
        pressed = st.form_submit_button("Upload and load", type="primary")
    if pressed:
        _run(services, options.order(kept(services, files, options.collection)))


def _folder_form(services: Services) -> None:
    with st.form("folder", border=False):
        where = "on this computer" if team().is_private else "of the server"
        path = st.text_input(f"Folder {where}", placeholder="/home/me/Pictures")
        exclude = st.text_input(
            "Leave out",
            placeholder="nothing but hidden files, waste and thumbnails of other programs",
            help="Patterns of names, or of paths below the folder, such as `*.gif, Scans/*`",
        )
        options = _options(services, "")
        if st.form_submit_button("Load the folder", type="primary"):
            if path.strip():
                left_out = [each for each in exclude.split(",") if each.strip()]
                source = FolderSource(folder_to_load(path), left_out, team().photo_roots)
                name = options.collection or table_name(source.folder.name)
                _run(services, replace(options, collection=name).order(source))
            else:
                st.error("Type the path of a folder")


def _unsplash(services: Services, path: str, retries: Retries) -> UnsplashSource:
    given = typed_path(path)
    if given is not None:
        return UnsplashSource([folder_to_load(path)], retries)
    settings = services.settings
    archive = Archive(settings.unsplash_url, VERSION, settings.data / "unsplash", retries)
    return UnsplashSource(archive, retries)


@dataclass(frozen=True)
class _Options:
    """What a form says beside the source."""

    collection: str
    model: str | None
    default_model: str
    limit: int | None
    retry_failed: bool
    stop: Event = field(default_factory=Event)

    def order(self, source: Source) -> Order:
        return Order(
            source,
            self.collection,
            model_to_load(self.model) if self.model else None,
            self.default_model,
            self.limit,
            retry_failed=self.retry_failed,
            stop=self.stop,
        )


def _options(services: Services, collection: str) -> _Options:
    left, middle, right = st.columns(3)
    name = left.text_input("Collection", collection, placeholder="named after the folder")
    model = middle.text_input(
        "CLIP model",
        placeholder=f"the collection's own, or {services.settings.clip_model}",
        help="A hub id (downloaded once), a folder with a checkpoint, or sample",
    )
    limit = right.number_input("At most", min_value=1, value=None, placeholder="all", step=1)
    retry_failed = st.checkbox(
        "Try photos again that failed for good",
        help="Such as those with HTTP 404, or files that are no images; others are tried anyway",
    )
    return _Options(
        name.strip(),
        model.strip() or None,
        services.settings.clip_model,
        int(limit) if limit else None,
        retry_failed,
    )


def _run(services: Services, order: Order) -> None:
    st.session_state.pop("mixing", None)
    existing = services.database.collections.find(order.collection)
    others = [] if order.into else other_sources(order.source, services.database, existing)
    if others:
        st.session_state["mixing"] = (order, others)
        st.rerun()
    try:
        target = f"into {order.collection} from {order.source.name}"
        person = authorize(services.database, Deed.LOAD, target)
        services.loader.start(order, person.name)
    except ExplorerError as error:
        show_error(error)
    else:
        st.session_state["ordered"] = order.collection
        st.rerun()
