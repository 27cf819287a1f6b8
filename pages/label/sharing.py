"""Whom a session is shared with: told above its photos, and changed there by whose it is."""

from urllib.parse import quote

import streamlit as st

from classifier.agreement import answers_of
from classifier.session import Session
from db.database import Database
from db.sessions import LABELLING, NOBODY, READING, SessionRow
from db.words import counted
from pages.address import address
from pages.label.access import authorize_change, may_change
from pages.markdown import escaped
from pages.people.person import Person

_WAYS = {NOBODY: "Nobody", READING: "To look", LABELLING: "To label"}
_WORDS = {NOBODY: "not shared", READING: "shared to look at", LABELLING: "shared for labelling"}


def show_sharing(database: Database, person: Person, session: Session) -> None:
    """Offer to share a session; nothing where nobody signs in."""
    if not person.name:
        return
    row = session.row
    with st.popover("Share", icon=":material/group:", key=f"share-{row.id}"):
        if may_change(person, row):
            _choose(database, person, session)
        else:
            st.markdown(f"{_started(row)}, {_WORDS[row.shared]}.")
        _link_to_agreement(session)
        st.caption("Its address:" if row.shared else "Its address, for when it is shared:")
        here = (st.context.url or "").rstrip("/")
        st.code(f"{here}/?session={quote(row.id)}", language=None, wrap_lines=True)


def _link_to_agreement(session: Session) -> None:
    common = len(answers_of(session.thumbs))
    if common:
        answers = f"{address('/history')}?of={quote(session.row.id)}"
        st.markdown(f"Several of you labelled [{counted(common, 'photo')} in common]({answers}).")


def whose(person: Person, row: SessionRow) -> str:
    """Whose a session is and whom it is shared with, for a line of a list; Markdown, or ""."""
    if not person.name:
        return ""
    by = "" if row.owner == person.name else f" · by {escaped(row.owner) or 'nobody who signed in'}"
    return f"{by} · {_WORDS[row.shared]}" if row.shared or not by else by


def _choose(database: Database, person: Person, session: Session) -> None:
    row = session.row
    if row.owner != person.name:
        st.markdown(f"{_started(row)}.")
    chosen = st.segmented_control(
        "Share with all who have its address",
        list(_WAYS),
        format_func=lambda way: _WAYS[way],
        default=row.shared,
        required=True,
        key=f"shared-{row.id}-{row.version}",
        help="Who looks sees the photos and everybody's thumbs. Who labels gives thumbs too: of "
        "several people's on one photo the latest counts for the fit, and each one's own is kept.",
    )
    if chosen != row.shared:
        authorize_change(database, person, row, f"share ({_WAYS[str(chosen)].lower()})")
        session.terms.share(str(chosen))
        st.rerun()


def _started(row: SessionRow) -> str:
    return (
        f"{escaped(row.owner)} started it"
        if row.owner
        else "It was started before people signed in"
    )
