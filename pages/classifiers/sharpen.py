"""Sharpening a classifier on its page: thumbs where it is unsure, and a version fit on them."""

from collections.abc import Sequence

import streamlit as st

from classifier.ranking import Ranking
from classifier.session import Session
from classifier.versions import add_version, at_threshold, learn_from
from db.checks import Check
from db.classifiers import SavedClassifier
from db.database import Database
from db.errors import ExplorerError, GoneError
from db.sessions import DOWN, RANKED, THRESHOLD, UP
from db.words import counted
from pages.desk.board import Show
from pages.desk.component import show_desk
from pages.label.access import may_label, require_part
from pages.label.board import SessionBoard
from pages.markdown import escaped
from pages.messages import show_error
from pages.people.acting import authorize
from pages.people.deeds import Deed
from pages.people.person import current
from pages.services import Services

AT_ONCE = 18  # photos, half of them on either side of the threshold


def show_sharpening(
    services: Services,
    classifier: SavedClassifier,
    session: Session | None,
    ranking: Ranking,
    threshold: float,
) -> None:
    """Offer the photos at the threshold to be marked, and a refit with all thumbs."""
    versions = services.database.classifiers.versions(classifier)
    asked = None if session is None else _round_asked(session, versions)
    # It stays open once a version is made: what was clicked is not to vanish from under the keys.
    opened = st.session_state.setdefault("sharpened", set())
    if asked is not None:
        opened.add(classifier.id)
    with st.expander(
        "Sharpen it at the threshold",
        icon=":material/exposure:",
        expanded=classifier.id in opened,
    ):
        if session is None:
            st.markdown(
                "Its labelling session was deleted, or is not in this database, so it can't be "
                "refit. Search for the same on the **Label** page, and save that under its name."
            )
            return
        if not may_label(current(), session.row):
            st.markdown(
                f"Its labelling session is {escaped(session.row.owner)}'s, and not shared for "
                "labelling, so only they can refit it."
            )
            return
        coming = 1 + max(version.number for version in versions)
        st.caption(
            "It is least sure of the photos just above and just below the threshold. Thumbs on "
            f"them go into its session, “{escaped(session.row.title)}”, and a refit with all "
            f"thumbs of that makes version {coming}. Version {classifier.number} is kept."
        )
        photos = at_threshold(ranking.ids, ranking.kept(threshold), session.marks, AT_ONCE)
        with st.container(horizontal=True):
            at_it = f"Label {counted(len(photos), 'photo')} at the threshold"
            if st.button(
                at_it if asked is None else "More photos",
                key="sharpen",
                icon=":material/thumbs_up_down:",
                disabled=not photos,
                help=None if photos else "All photos have thumbs",
            ):
                label(services.database, session, classifier, photos, THRESHOLD)
            refit = st.button(f"Make version {coming}", key="refit", type="primary")
        check = _asked_to_learn(services, session, classifier)
        if refit:
            _refit(services, session, classifier, threshold, check)
        if asked is not None:
            board = SessionBoard(session, services.database, current(), SessionBoard.SHARPENING)
            show_desk("sharpen", session.row.id, board, Show(asked))


def session_of(services: Services, classifier: SavedClassifier) -> Session | None:
    """The session that a classifier is refit in; None where it is gone."""
    try:
        return services.sessions.get(classifier.session)
    except GoneError:
        return None


def label(
    database: Database,
    session: Session,
    classifier: SavedClassifier,
    photos: Sequence[str],
    why: str,
) -> None:
    """Have photos marked on the desk below, from the next run on."""
    if not photos:
        st.info("All of these photos have thumbs.")
        return
    try:
        require_part(current(), session.row)
        target = f"the session of {classifier.title}: label"
        authorize(database, Deed.LABEL, target, classifier.owner)
        session.show(photos, classifier.weight, why)
    except ExplorerError as error:
        show_error(error)
    else:
        st.rerun()


def _round_asked(session: Session, versions: Sequence[SavedClassifier]) -> int | None:
    """The latest round that was asked for here, and that no version was made after."""
    # Versions of another session count rounds of their own.
    own = [version.rounds for version in versions if version.session == session.row.id]
    asked = [shown.number for shown in session.rounds if shown.why != RANKED]
    return next((number for number in reversed(asked) if number > max(own, default=0)), None)


def _asked_to_learn(
    services: Services, session: Session, classifier: SavedClassifier
) -> Check | None:
    """The check sample whose thumbs are to be learnt from, if it has any and that is wanted."""
    check, marks = services.database.checks.latest(classifier.id), session.marks
    labels = check.labels if check is not None else {}
    spare = [p for p, label in labels.items() if label in (UP, DOWN) and p not in marks]
    if not spare:
        return None
    wanted = st.checkbox(
        f"Learn from the check sample too: {counted(len(spare), 'thumb')}",
        key=f"learn-{classifier.id}-{classifier.number}",
        help="They were kept apart to tell how good it is. What was learnt from can't tell that "
        "any more, so draw a new sample afterwards.",
    )
    return check if wanted else None


def _refit(
    services: Services,
    session: Session,
    classifier: SavedClassifier,
    threshold: float,
    check: Check | None,
) -> None:
    try:
        require_part(current(), session.row)
        target = f"the classifier {classifier.title}: make a version"
        person = authorize(services.database, Deed.SAVE, target, classifier.owner)
        with st.spinner("Refitting, and scoring the collection …", show_time=True):
            if check is not None:
                learn_from(services.database, session, classifier, check, person.name)
            made = add_version(services.database, session, classifier, threshold)
    except ExplorerError as error:
        show_error(error)
        return
    st.toast(f"Version {made.number:d} is in use, fit on {made.ups:d} up and {made.downs:d} down")
    st.rerun()
