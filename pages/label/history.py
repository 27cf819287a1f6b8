"""All sessions of a collection, and what was answered in each."""

from collections.abc import Sequence
from urllib.parse import quote

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from db.classifiers import SavedClassifier
from db.collections import Collection
from db.errors import ExplorerError
from db.session_list import SessionSummary
from db.sessions import DOWN, UNSURE, UP
from db.whose import EVERYBODYS, Whose, of_others, shared_with, started_by
from db.words import counted
from pages.address import address
from pages.consequences import of_session
from pages.desk.board import Show
from pages.desk.component import show_desk
from pages.label.access import authorize_change, may_change, may_label, require_sight
from pages.label.agreement import show_agreement
from pages.label.board import DISPUTED, SessionBoard
from pages.label.search import ask_like
from pages.label.sharing import whose
from pages.loading import show_loading
from pages.markdown import escaped
from pages.messages import show_info, show_warning
from pages.people.deeds import Deed
from pages.people.person import Person, current
from pages.services import Services

PAGE = 20
_MARKS = {"Yes": UP, "No": DOWN, "Unsure": UNSURE}
_DISPUTED = "Disagreements"


def show(services: Services, label: StreamlitPage) -> None:
    """Draw the screen: one session's answers where the address names one, or the list.

    Args:
        services: what every page works with.
        label: the page to go on labelling on.
    """
    if not show_loading(services):
        return
    session_id = st.query_params.get("of")
    if session_id is None:
        _list(services, label)
        return
    if st.button("All sessions", icon=":material/arrow_back:", type="tertiary"):
        st.query_params.pop("of", None)
        st.rerun()
    try:
        _answers(services, label, session_id)
    except ExplorerError as error:
        show_warning(str(error))


# ---- one session


def _answers(services: Services, label: StreamlitPage, session_id: str) -> None:
    session, person = services.sessions.get(session_id), current()
    require_sight(person, session.row)
    st.title(escaped(session.row.title))
    rounds = counted(len(session.rounds), "round")
    made = services.database.classifiers.by_session()
    more = " · each photo can be marked otherwise here, and the next refinement knows it"
    more = more if may_label(person, session.row) else ""
    st.markdown(
        f"{escaped(session.collection.name)} · {session.row.created:%Y-%m-%d %H:%M} UTC · {rounds}"
        f"{_saved(made.get(session_id, []))}{whose(person, session.row)}{more}"
    )
    agreement = show_agreement(session, _look_at_disputed)
    counts = {word: session.count(mark) for word, mark in _MARKS.items()}
    if agreement is not None:
        counts[_DISPUTED] = len(agreement.disputed)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = st.segmented_control(
            "Answers",
            list(counts),
            format_func=lambda word: f"{word} · {counts[word]}",
            default="Yes",
            required=True,
            label_visibility="collapsed",
            key=f"answers-{session_id}",
        )
        go = "Go on with it" if may_label(person, session.row) else "See its rounds"
        if st.button(go, type="primary", icon=":material/arrow_forward:"):
            _go_on(label, session_id)
    if not counts[str(words)]:
        what = "disputed" if words == _DISPUTED else f"marked {str(words).lower()}"
        show_info(f"No photo of this session is {what}.")
        return
    show_desk(
        "session",
        session_id,
        SessionBoard(session, services.database, person),
        Show(mark=_MARKS.get(str(words), DISPUTED)),
        on_like=lambda photo: ask_like(services, session, photo),
    )
    if st.session_state.get("asked"):
        st.switch_page(label, query_params={"session": session_id})


def _look_at_disputed(session_id: str) -> None:
    st.session_state[f"answers-{session_id}"] = _DISPUTED


def _go_on(label: StreamlitPage, session_id: str) -> None:
    st.session_state["session"] = session_id
    st.switch_page(label, query_params={"session": session_id})


# ---- all sessions


def _list(services: Services, label: StreamlitPage) -> None:
    st.title("History")
    collections = services.database.collections.all()
    if not collections:
        st.info("There are no photos yet: load some on the **Collection** page.")
        return
    by_name = {collection.name: collection for collection in collections}
    name = st.selectbox(
        "Collection", list(by_name), key="history_collection", label_visibility="collapsed"
    )
    _sessions(services, label, by_name[name])


def _sessions(services: Services, label: StreamlitPage, collection: Collection) -> None:
    sessions, person = services.database.listed, current()
    which = _which(person)
    total = sessions.count(collection.name, which)
    if not total:
        st.info("No session yet: type a prompt on the **Label** page.")
        return
    pages = -(-total // PAGE)
    page = st.pagination(pages, key=f"history-{collection.name}-{pages}") if pages > 1 else 1
    made = services.database.classifiers.by_session()
    for summary in sessions.recent(collection.name, PAGE, (page - 1) * PAGE, which):
        _line(services, label, summary, made.get(summary.row.id, []))


def _which(person: Person) -> Whose:
    """Whose sessions to list, where people sign in."""
    if not person.name:
        return EVERYBODYS
    others = of_others(person.name) if person.may(Deed.MANAGE) else shared_with(person.name)
    words = "Other people's" if person.may(Deed.MANAGE) else "Shared with you"
    chosen = st.segmented_control(
        "Whose",
        ("Yours", words),
        default="Yours",
        required=True,
        label_visibility="collapsed",
        key="history_whose",
    )
    return others if chosen == words else started_by(person.name)


def _line(
    services: Services,
    label: StreamlitPage,
    summary: SessionSummary,
    saved: Sequence[tuple[SavedClassifier, int]],
) -> None:
    row, person = summary.row, current()
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        rounds = counted(summary.rounds, "round")
        prompt = f" · “{escaped(row.prompt)}”" if row.name else ""
        st.markdown(
            f"**{escaped(row.title)}**{prompt}  \n{row.created:%Y-%m-%d %H:%M} UTC · {rounds} · "
            f"{summary.ups} up, {summary.downs} down{_saved(saved)}"
            f"{whose(person, row)}",
            width="stretch",
        )
        title = escaped(row.title)
        go, on = ("Go on", "Label on") if may_label(person, row) else ("Look", "Look at")
        if st.button(go, key=f"go-{row.id}", type="primary", help=f"{on}: {title}"):
            _go_on(label, row.id)
        if st.button("Answers", key=f"answers-of-{row.id}", help=f"Every yes and no of: {title}"):
            st.query_params["of"] = row.id
            st.rerun()
        if not may_change(person, row):
            return
        with st.popover("Rename", icon=":material/edit:", key=f"rename-{row.id}"):
            _rename(services, summary)
        with st.popover("Delete", icon=":material/delete:", key=f"delete-{row.id}"):
            _delete(services, summary, saved)


def _saved(classifiers: Sequence[tuple[SavedClassifier, int]]) -> str:
    """What was saved from a session, to be opened."""
    links = [
        f"[{escaped(found.name)}]({address('/classifiers')}?classifier={quote(found.title)})"
        for found, _ in classifiers
    ]
    return f" · saved as {', '.join(links)}" if links else ""


def _rename(services: Services, summary: SessionSummary) -> None:
    row = summary.row
    name = st.text_input("Name", value=row.name, key=f"name-of-{row.id}", placeholder=row.prompt)
    if st.button("Rename", key=f"do-rename-{row.id}", type="primary"):
        authorize_change(services.database, current(), row, "rename")
        services.sessions.get(row.id).terms.rename(name)
        st.rerun()


def _delete(
    services: Services, summary: SessionSummary, made: Sequence[tuple[SavedClassifier, int]]
) -> None:
    row = summary.row
    st.markdown(of_session(row, summary.ups + summary.downs, made))
    if st.button("Delete", key=f"do-delete-{row.id}", type="primary"):
        authorize_change(services.database, current(), row, "delete")
        services.database.sessions.update(row.id, deleted=True)
        services.sessions.forget(row.id)
        st.rerun()
