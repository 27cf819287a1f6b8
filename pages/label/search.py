"""Searching: the prompt box with its options, and the session that a search starts."""

from collections.abc import Sequence

import streamlit as st

from classifier.centring import SHARES, prompt_mean
from classifier.prompt import parse
from classifier.refit import ARTICLE, DEFAULT_METHOD, METHOD_NAMES, METHODS, known_method
from classifier.session import Session
from db.collections import Collection
from db.errors import ExplorerError
from db.photos import Filter
from ingest.models import SAMPLE
from ingest.sample import EXAMPLE_PROMPTS
from pages.label.notices import notify
from pages.label.pictures import (
    attach_addresses,
    attach_photo,
    brief_prompt,
    encoded,
    recall,
    tray,
)
from pages.markdown import escaped
from pages.people.acting import authorize
from pages.people.deeds import Deed
from pages.services import Services
from pages.waiting import in_turn, may_be_given_up

PAGE_SIZES = (9, 18, 36)
AS_MEASURED = -1.0
_CENTRING = {AS_MEASURED: "as measured", 0.0: "not at all"}
_FACTS = ("country", "photographer", "keyword")  # in the order of Filter's fields
_REAL_PROMPTS = ("a house by a lake", "people dancing at night", "a red umbrella in the rain")


def show_box(services: Services, session: Session | None) -> None:
    """The prompt box. It starts with what the session on screen asked."""
    st.session_state.setdefault("page_size", PAGE_SIZES[0])
    st.session_state.setdefault("method", DEFAULT_METHOD)
    st.session_state.setdefault("centring", AS_MEASURED)
    st.session_state.setdefault("stacked", True)
    st.session_state["centred_by"] = session.row.centring if session is not None else None
    if session is not None:
        _recall(services, session)
    if "next_prompt" in st.session_state:
        st.session_state["prompt"] = st.session_state.pop("next_prompt")
    # A form, because a box of its own would also search when another button is clicked.
    with (
        st.form("ask", border=False, width="stretch"),
        st.container(horizontal=True, vertical_alignment="center", gap="small"),
    ):
        st.text_input(
            "Prompt",
            key="prompt",
            placeholder="What should the photos show?",
            help="Several things, separated by commas, are added up; one after a minus sign is "
            'taken away: lake, 2\\*cabin -people. In quotes a comma is text: "a red, small boat"',
            label_visibility="collapsed",
            icon=":material/search:",
            max_chars=2000,
            persist_state="session",
        )
        st.form_submit_button("Search", type="primary", key="search", on_click=ask)


def ask(prompt: str | None = None) -> None:
    """Have the next run search: with what stands in the box, or with another prompt."""
    if prompt is not None:
        st.session_state["prompt"] = prompt
    st.session_state["asked"] = True


def ask_like(services: Services, session: Session, photo: str) -> None:
    """Have the next run search for what is like a photo of a session's, without its thumbs."""
    st.session_state["recalled"], st.session_state["recalled_only"] = (
        session.row.id,
        session.row.only,
    )
    st.session_state["collection"] = session.collection.name
    st.session_state["prompt"] = ""
    tray().clear()
    try:
        attach_photo(services, session.collection, photo)
    except ExplorerError as error:
        notify(str(error))
        return
    st.session_state["asked"] = True


def _recall(services: Services, session: Session) -> None:
    """Fill the box and the options with what a session asked, when it comes on screen.

    The filter once more when a condition of it was taken away at the desk.
    """
    row = session.row
    if st.session_state.get("recalled") != row.id:
        st.session_state["recalled"] = row.id
        st.session_state["prompt"] = brief_prompt(session)
        recall(services, session)
        st.session_state["page_size"] = row.page_size
        st.session_state["method"] = known_method(row.method)
        st.session_state["collection"] = row.collection
        st.session_state.pop("recalled_only", None)
    if st.session_state.get("recalled_only") != row.only:
        st.session_state["recalled_only"] = row.only
        st.session_state["only_country"] = list(row.only.countries)
        st.session_state["only_photographer"] = list(row.only.photographers)
        st.session_state["only_keyword"] = list(row.only.keywords)


def show_options(
    services: Services, collections: Sequence[Collection], *, away: bool
) -> Collection:
    """What counts from the next search on; returns the collection that it searches."""
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
        help="Whitened SGD starts at the prompt each time, and goes only as far as your thumbs "
        "bear out. The article's update always goes on from the last round.",
    )
    st.segmented_control(
        "Centre the prompt",
        (AS_MEASURED, *SHARES),
        key="centring",
        format_func=lambda share: _CENTRING.get(share, f"{share:.0%}"),
        required=True,
        persist_state="session",
        disabled=st.session_state["method"] == ARTICLE,
        help="Takes off the prompt what all prompts share, which says nothing about a photo and "
        "favours some over others. As measured: all of it, or nothing where the model hardly tells "
        "everyday nouns apart, as the sample's. The article keeps the raw prompt.",
    )
    share = st.session_state["centred_by"]
    if share is not None:
        st.caption(f"The prompt on screen is centred by {share:.0%}.")
    for fact, label in (
        ("keyword", "Keywords"),
        ("country", "Countries"),
        ("photographer", "Photographers"),
    ):
        values = [] if away else _common(services, name, fact, collection.created)
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
    st.toggle(
        "Stack near-duplicates",
        key="stacked",
        persist_state="session",
        help="Photos of one round that hardly differ lie on one another, and one thumb marks them "
        "all. This counts at once.",
    )
    return collection


def _any_facts() -> None:
    """Another collection has other facts."""
    for fact in _FACTS:
        st.session_state[f"only_{fact}"] = []


@st.cache_data(ttl=60, show_spinner=False)
def _common(
    _services: Services,
    collection: str,
    fact: str,
    *state: object,  # noqa: ARG001 -- part of the key: one made anew has other facts
) -> list[str]:
    found = _services.database.collections.find(collection)
    return _services.database.collections.photos(found).common(fact) if found else []


def show_examples(collection: Collection) -> None:
    """Prompts to start with."""
    prompts = EXAMPLE_PROMPTS if collection.model == SAMPLE else _REAL_PROMPTS
    for place, prompt in enumerate(prompts):
        st.button(prompt, type="tertiary", key=f"example-{place}", on_click=ask, args=(prompt,))


def search(services: Services, collection: Collection) -> Session | None:
    """Start a session with what stands in the box; None, and a notice, where that can't be."""
    prompt, before = st.session_state["prompt"], len(tray())
    try:
        person = authorize(services.database, Deed.SEARCH, collection.name)
        prompt = attach_addresses(services, prompt)
        terms = parse(prompt, len(tray()))
        with st.spinner(f"Loading the model {escaped(collection.model)} …", show_time=True):
            clip = services.load_searcher(collection.model)
        with st.spinner("Reading everyday nouns, once for this model …", show_time=True):
            prompt_mean(services.database.prompt_means, clip)
        with (
            may_be_given_up("The search"),
            in_turn(person.name),
            st.spinner(f"Searching {escaped(collection.name)} …", show_time=True),
        ):
            session = Session.start(
                services.database,
                collection,
                clip,
                prompt,
                st.session_state["page_size"],
                _chosen_filter(),
                st.session_state["method"],
                _chosen_centring(),
                encoded(collection, clip),
                owner=person.name,
            )
    except ExplorerError as error:
        # The box still holds the addresses of the pictures that were fetched.
        del tray()[before:]
        notify(str(error))
        return None
    if any(clip.is_strange(term.text) for term in terms if term.is_text):
        notify(
            f"{clip.text_id} was taught English: for other languages set CLIP_TEXT_MODEL, as the "
            "README tells, or write the prompt in English"
        )
    if any(clip.too_long(term.text) for term in terms if term.is_text):
        notify("The prompt is longer than the model reads: only its beginning was searched.")
    st.session_state["next_prompt"] = brief_prompt(session)
    st.session_state["recalled"] = session.row.id
    st.session_state["recalled_only"] = session.row.only
    return services.sessions.put(session)


def _chosen_centring() -> float | None:
    share = float(st.session_state["centring"])
    return None if share == AS_MEASURED else share


def _chosen_filter() -> Filter:
    return Filter(*(tuple(st.session_state.get(f"only_{fact}", ())) for fact in _FACTS))
