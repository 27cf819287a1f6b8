"""How far the people agree who labelled in one session, and where they don't."""

from collections.abc import Callable

import streamlit as st

from classifier.agreement import Agreement, agreement_of, answers_of
from classifier.session import Session
from db.words import counted
from pages.markdown import escaped

_NAMED = 3  # names in a sentence


def show_agreement(session: Session, look: Callable[[str], None]) -> Agreement | None:
    """Tell how far people agree; nothing, and None, where no two labelled the same photo.

    Args:
        session: what they labelled in.
        look: called with the session's id to have the photos shown on which they differ.
    """
    agreement = agreement_of(answers_of(session.thumbs))
    if agreement is None:
        return None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(told(agreement), width="stretch", help=_HELP)
        if agreement.disputed:
            st.button(
                "Look at the disagreements",
                key=f"disputed-{session.row.id}",
                icon=":material/compare_arrows:",
                on_click=look,
                args=(session.row.id,),
            )
    return agreement


def told(agreement: Agreement) -> str:
    """One line of Markdown."""
    people = [escaped(name) for name in agreement.people[:_NAMED]]
    more = len(agreement.people) - _NAMED
    names = f"{', '.join(people)} and {more} more" if more > 0 else " and ".join(people)
    same = agreement.photos - len(agreement.disputed)
    value = "can't be told, since all thumbs are the same"
    if agreement.value is not None:
        value = f"is **{agreement.value:.2f}**"
    return (
        f"{names} labelled {counted(agreement.photos, 'photo')} in common, {same} of them alike: "
        f"{agreement.measure} {value}"
    )


_HELP = (
    "1 where people agree on all photos, 0 where as often as chance would have it. Of each person "
    "the latest yes or no on a photo counts; unsure is no answer. People here see one another's "
    "marks, so they agree more than they would apart."
)
