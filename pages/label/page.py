"""The labelling screen: prompt, photos, thumbs, Refine."""

from collections.abc import Callable, Sequence

import altair as alt
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from classifier.prompt import PHOTO, parse
from classifier.refit import DEFAULT_METHOD, METHOD_NAMES, METHODS
from classifier.session import Round, Session
from db.collections import Collection
from db.errors import ExplorerError
from db.photos import Filter, Photo
from db.sessions import DOWN, NONE, UP
from ingest.models import SAMPLE
from ingest.sample import EXAMPLE_PROMPTS
from pages.loading import show_loading
from pages.photo_grid import random_photos, show_photos
from pages.services import Services
from pages.thumbs import clicked, remember, show_thumbs

PAGE_SIZES = (9, 18, 36)
UNMOVED = 0.05  # degrees
_FACTS = ("country", "photographer", "keyword")  # in the order of Filter's fields
_REAL_PROMPTS = ("a house by a lake", "people dancing at night", "a red umbrella in the rain")


def show(services: Services) -> None:
    """Draw the screen."""
    if not show_loading(services):
        return
    collections, away = _collections(services)
    if not collections:
        _show_notices()
        st.info("There are no photos yet: load some on the **Collection** page.")
        return
    session = _session_in_address(services, collections, away)
    collection, bar = _search_bar(services, collections, session, away)
    _show_notices()
    if session is None:
        _welcome(services, collection)
        return
    if session.unstored:
        _show_unstored(session)
    elif away is not None:
        st.warning(f"{away}. Thumbs can be given meanwhile", icon=":material/cloud_off:")
    _rounds(services, session, bar, away)


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


# ---- searching


def _search_bar(
    services: Services,
    collections: Sequence[Collection],
    session: Session | None,
    away: ExplorerError | None,
) -> tuple[Collection, DeltaGenerator]:
    """The prompt box with its options; returns the collection it searches and the row below."""
    st.session_state.setdefault("page_size", PAGE_SIZES[0])
    _recall(session)
    # A form, because a box of its own would also search when another button is clicked.
    with (
        st.form("ask", border=False),
        st.container(horizontal=True, vertical_alignment="center", gap="small"),
    ):
        st.text_input(
            "Prompt",
            key="prompt",
            placeholder="What should the photos show?",
            help="Several things, separated by commas, are added up; one after a minus sign is "
            "taken away: lake, cabin -people",
            label_visibility="collapsed",
            icon=":material/search:",
            max_chars=500,
            persist_state="session",
        )
        st.form_submit_button("Search", type="primary", key="search", on_click=_ask)
    bar = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    st.session_state.setdefault("method", DEFAULT_METHOD)
    with bar:
        with st.popover("Options", icon=":material/tune:"):
            collection = _options(services, collections, away)
        if session is None:
            _examples(collection)
    if st.session_state.pop("asked", False):
        _search(services, collection)
    return collection, bar


def _ask() -> None:
    st.session_state["asked"] = True


def _recall(session: Session | None) -> None:
    """Fill the box with what the session asked, once, when the session comes on screen."""
    shown = session.row.id if session else None
    if st.session_state.get("recalled") == shown:
        return
    st.session_state["recalled"] = shown
    if session is not None:
        only = session.row.only
        st.session_state["prompt"] = session.row.prompt
        st.session_state["page_size"] = session.row.page_size
        st.session_state["method"] = session.row.method
        st.session_state["collection"] = session.row.collection
        st.session_state["only_country"] = list(only.countries)
        st.session_state["only_photographer"] = list(only.photographers)
        st.session_state["only_keyword"] = list(only.keywords)


def _options(
    services: Services, collections: Sequence[Collection], away: ExplorerError | None
) -> Collection:
    by_name = {collection.name: collection for collection in collections}
    name = st.selectbox(
        "Collection",
        list(by_name),
        key="collection",
        persist_state="session",
        on_change=_any_facts,
    )
    collection = by_name[name]
    st.segmented_control(
        "Photos a round",
        PAGE_SIZES,
        key="page_size",
        required=True,
        persist_state="session",
    )
    st.segmented_control(
        "Refine by",
        METHODS,
        key="method",
        format_func=lambda method: METHOD_NAMES[method],
        required=True,
        persist_state="session",
        help="Checked steps go from the prompt only as far as your thumbs bear out. The article's "
        "update always goes on from the last round.",
    )
    for fact, label in (
        ("keyword", "Keywords"),
        ("country", "Countries"),
        ("photographer", "Photographers"),
    ):
        values = [] if away else _common(services, name, fact)
        chosen = st.session_state.get(f"only_{fact}", [])
        if values or chosen:
            st.multiselect(
                label,
                [*values, *(value for value in chosen if value not in values)],
                key=f"only_{fact}",
                placeholder="any",
                accept_new_options=True,
                persist_state="session",
            )
    st.caption("They count from the next search on.")
    return collection


def _any_facts() -> None:
    """Another collection has other facts."""
    for fact in _FACTS:
        st.session_state[f"only_{fact}"] = []


@st.cache_data(ttl=60, show_spinner=False)
def _common(_services: Services, collection: str, fact: str) -> list[str]:
    found = _services.database.collections.find(collection)
    return _services.database.collections.photos(found).common(fact) if found else []


def _examples(collection: Collection) -> None:
    prompts = EXAMPLE_PROMPTS if collection.model == SAMPLE else _REAL_PROMPTS
    for place, prompt in enumerate(prompts):
        st.button(
            prompt,
            type="tertiary",
            key=f"example-{place}",
            on_click=_ask_example,
            args=(prompt,),
        )


def _ask_like(session: Session, photo: Photo) -> None:
    _ask_example(f"{session.row.prompt}, {PHOTO}{photo.id}")


def _ask_example(prompt: str) -> None:
    st.session_state["prompt"] = prompt
    _ask()


def _search(services: Services, collection: Collection) -> None:
    """Start a session with what stands in the box, and put it into the address."""
    prompt = st.session_state["prompt"]
    try:
        terms = parse(prompt)
        with st.spinner(f"Loading {collection.model} and searching …", show_time=True):
            clip = services.load_model(collection.model)
            session = Session.start(
                services.database,
                collection,
                clip,
                prompt,
                st.session_state["page_size"],
                _chosen_filter(),
                st.session_state["method"],
            )
    except ExplorerError as error:
        _notify(str(error))
        return
    if any(clip.too_long(term.text) for term in terms if not term.photo):
        _notify("The prompt is longer than the model reads: only its beginning was searched.")
    st.session_state["recalled"] = session.row.id
    _open(session.row.id)


def _chosen_filter() -> Filter:
    return Filter(*(tuple(st.session_state.get(f"only_{fact}", ())) for fact in _FACTS))


# ---- sessions


def _open(session_id: str) -> None:
    st.query_params["session"] = session_id
    st.rerun()


def _leave() -> None:
    """Go back to the front page; the session stays stored."""
    st.session_state.pop("session", None)
    st.query_params.pop("session", None)
    st.session_state["prompt"] = ""


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
        session = _reopened(services, session_id)
        if session.collection not in collections:
            # It was deleted, or made anew, since the session was opened.
            _reopened.clear()
            session = _reopened(services, session_id)
    except ExplorerError as error:
        if away is not None:
            raise  # the session stays in the address, for a reload
        _notify(str(error))
        _leave()
        return None
    st.query_params["session"] = st.session_state["session"] = session_id
    return session


@st.cache_resource(max_entries=200, show_spinner="Opening the session…")
def _reopened(_services: Services, session_id: str) -> Session:
    """One object a session, so that two tabs on it see the same thumbs."""
    return Session.reopen(_services.database, session_id)


def _notify(text: str) -> None:
    """Show a line above the photos, in this run or, if it ends early, in the next."""
    st.session_state.setdefault("notices", []).append(text)


def _show_notices() -> None:
    for text in st.session_state.pop("notices", []):
        st.warning(text, icon=":material/info:")


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
    recent = services.database.sessions.recent(collection.name)
    if recent:
        st.subheader("Go on with")
        with st.container(horizontal=True, gap="small"):
            for summary in recent:
                rounds = "1 round" if summary.rounds == 1 else f"{summary.rounds} rounds"
                if st.button(f"{summary.prompt} · {rounds}", key=f"recent-{summary.id}"):
                    _open(summary.id)
    st.subheader(f"Some photos of {collection.name}")
    show_photos(random_photos(services, collection, 10), services.thumbnails)
    services.warm_up(collection.model)


# ---- labelling


@st.fragment(run_every=2)
def _show_unstored(session: Session) -> None:
    """Say which thumbs wait for the database, and try again by itself."""
    session.store()
    if not session.unstored:
        st.rerun()
    thumbs = "1 thumb is" if session.unstored == 1 else f"{session.unstored} thumbs are"
    st.warning(
        f"{thumbs} not stored yet. {session.trouble}. Leave this page open: what you click stays, "
        "and is stored as soon as the database takes it",
        icon=":material/cloud_off:",
    )


def _rounds(
    services: Services, session: Session, bar: DeltaGenerator, away: ExplorerError | None
) -> None:
    with bar:
        shown = _progress(session)
    if away is None:
        _verdict(session)
    changed = False

    def below(place: int, photo: Photo) -> None:
        nonlocal changed
        changed |= _thumbs(session, photo, float(shown.scores[place]))

    show_photos(shown.photos, services.thumbnails, below)
    with st.bottom:
        _actions(services, session)
    if changed:
        st.rerun()  # the counts above were written before the thumb was read


def _progress(session: Session) -> Round:
    """The quiet strip; returns the round to show, the latest unless another is asked for."""
    latest = len(session.rounds)
    summary = st.empty()
    number = latest
    if latest > 1:
        # A key of its own for each number of rounds, so that a new round comes on screen.
        number = st.pagination(
            latest, default=latest, key=f"round-{session.row.id}-{latest}", width=280
        )
    turned = f" · turned {session.turns()[number - 2]:.1f}°" if number > 1 else ""
    summary.markdown(
        f"**Round {number}** · :green[{session.count(UP)} up] · :red[{session.count(DOWN)} down]"
        + turned,
        width="content",
        help="Turned: the angle between this round's classifier and the last one's",
    )
    if latest > 1:
        st.caption("share of ups per round", width="content")
        st.altair_chart(_chart(session), width=160, height=40, alt="Share of ups per round")
    return session.rounds[number - 1]


def _verdict(session: Session) -> None:
    """Whether refining still helps, once the thumbs can tell."""
    evidence = session.evidence()
    if evidence is None:
        return
    if evidence.refit - evidence.prompt > 2 * evidence.error:
        words = ":material/trending_up: **Better than the prompt alone**"
    else:
        words = (
            ":material/trending_flat: **About the same as the prompt alone**: try a different "
            "prompt, or stop"
        )
    st.caption(
        f"{words}. Of all pairs of an up and a down, {evidence.refit:.0%} are in the right order "
        f"when the refit doesn't know them; by the prompt alone, {evidence.prompt:.0%}."
    )


def _chart(session: Session) -> alt.Chart:
    rounds = list(range(1, len(session.rounds) + 1))
    turned = [0.0, *session.turns()]
    shares = pd.DataFrame({"Round": rounds, "Ups": session.share_of_ups(), "Turned": turned})
    chart: alt.Chart = (
        alt.Chart(shares)
        .mark_bar(cornerRadius=2)
        .encode(
            x=alt.X("Round:O", axis=None, scale=alt.Scale(domain=rounds)),
            y=alt.Y("Ups:Q", axis=None, scale=alt.Scale(domain=[0, 1])),
            tooltip=[
                "Round:O",
                alt.Tooltip("Ups:Q", format=".0%"),
                alt.Tooltip("Turned:Q", format=".1f", title="Turned (°)"),
            ],
        )
        .properties(padding={"left": 0, "right": 0, "top": 2, "bottom": 0})
        .configure_view(strokeWidth=0)
    )
    return chart


def _thumbs(session: Session, photo: Photo, score: float) -> bool:
    """The row below a photo; True if a thumb was clicked, which is stored at once."""
    key, stored = _key(session, photo), session.labels.get(photo.id, NONE)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        given = show_thumbs(key, stored)
        st.caption(f"score {score:.3f}")
        st.button(
            "",
            key=f"like-{session.row.id}-{photo.id}",
            icon=":material/image_search:",
            type="tertiary",
            help="More like this: a new search that adds this photo to the prompt",
            on_click=_ask_like,
            args=(session, photo),
        )
    return _store(session, photo, given)


def _store(session: Session, photo: Photo, given: int) -> bool:
    if given == session.labels.get(photo.id, NONE):
        return False
    remember(_key(session, photo), given)
    session.label(photo.id, given)
    return True


def _store_clicked(session: Session) -> None:
    """Store the thumbs whose click came together with that of a button."""
    labels = session.labels
    for photo in (photo for shown in session.rounds for photo in shown.photos):
        _store(session, photo, clicked(_key(session, photo), labels.get(photo.id, NONE)))


def _key(session: Session, photo: Photo) -> str:
    return f"thumb-{session.row.id}-{photo.id}"


def _actions(services: Services, session: Session) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Refine",
            type="primary",
            key="refine",
            icon=":material/auto_awesome:",
            shortcut="Shift+Enter",
            help="Refit the classifier on all thumbs, and show the next photos",
            on_click=_refine,
            args=(session, len(session.rounds)),
        )
        unlabelled = sum(photo.id not in session.labels for photo in session.current.photos)
        st.button(
            "Rest are no",
            key="rest",
            disabled=not unlabelled,
            help="Thumb down every photo of the latest round that has no thumb",
            on_click=_do,
            args=(session, session.rest_are_no),
        )
        st.button(
            "Undo",
            key="undo",
            disabled=not session.can_undo(),
            on_click=_do,
            args=(session, session.undo),
        )
        with st.popover("Save classifier", icon=":material/save:"):
            _save(services, session)
        st.button("New search", type="tertiary", key="new", on_click=_leave)


def _do(session: Session, action: Callable[[], None]) -> None:
    try:
        _store_clicked(session)
        action()
    except ExplorerError as error:
        _notify(str(error))


def _refine(session: Session, rounds: int) -> None:
    _do(session, lambda: session.refine(after=rounds))
    if len(session.rounds) == rounds:
        return
    if not session.labels:
        _notify("No thumbs yet, so the classifier stays as it is: these are the next photos.")
    elif not session.count(DOWN):
        _notify("Only thumbs up so far: a few thumbs down show the classifier where to stop.")
    elif not session.count(UP):
        _notify("Only thumbs down so far: if nothing fits, try another prompt.")
    elif session.turns()[-1] < UNMOVED:
        _notify("Your thumbs tell no more than the classifier knew: these are the next photos.")


def _save(services: Services, session: Session) -> None:
    name = st.text_input("Name", value=session.row.prompt, key=f"name-{session.row.id}")
    if not st.button("Save", type="primary", key="save"):
        return
    try:
        saved = session.to_save(name)
        services.database.classifiers.save(saved)
    except ExplorerError as error:
        st.error(str(error))
    else:
        st.success(
            f"Saved, fit on {saved.ups} up and {saved.downs} down. "
            "It is on the **Classifiers** page."
        )
