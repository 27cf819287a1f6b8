"""How good a classifier is, on the Classifiers page: a check sample, and what its marks tell."""

from collections.abc import Callable

import streamlit as st

from classifier.estimates.population import ABOVE, BELOW, Population
from classifier.ranking import Ranking
from classifier.versions import has_learnt_from
from db.checks import Check
from db.classifiers import SavedClassifier
from db.photos import PhotoTable
from pages.classifiers.check_board import PAGE, CheckBoard
from pages.classifiers.clicks import pressed
from pages.classifiers.curve import show_curve
from pages.classifiers.populations import populations
from pages.desk.component import show_desk
from pages.people.acting import authorize
from pages.people.deeds import Deed
from pages.people.person import current
from pages.services import Services

MORE_ABOVE, MORE_BELOW = 20, 60


def show_check(
    services: Services,
    table: PhotoTable,
    classifier: SavedClassifier,
    ranking: Ranking,
    threshold: float,
    use: Callable[[float], None],
) -> None:
    """Offer a random sample of the collection, and say what its marks tell.

    Args:
        services: the app's.
        table: the classifier's collection.
        classifier: the one that is judged.
        ranking: the collection under it.
        threshold: a score.
        use: makes another score the threshold, before the next run of the page.
    """
    check = services.database.checks.latest(classifier.id)
    # Its state is kept by a key: what appears above it must not close it under somebody's hand.
    with st.expander(
        "How good is it?", icon=":material/fact_check:", key="good", on_change="rerun"
    ):
        st.caption(
            "The photos that you gave thumbs to were chosen by the ranking, so they tell nothing "
            "of how good it is. Photos that chance chose do, above and below the threshold; their "
            "marks are kept apart, and hold when the threshold moves and when photos come in."
        )
        about = (classifier.id, check and check.drawn)
        if check is None:
            if pressed("Draw a sample", "draw_check", about, type="primary"):
                _draw(services, classifier, ranking, threshold)
            return
        if has_learnt_from(services.database, classifier, check):
            st.markdown(
                f"Version {classifier.number} learnt from this sample, which flatters it now: draw "
                "a new one."
            )
            if pressed("Draw a new sample", "draw_check", about, type="primary"):
                _draw(services, classifier, ranking, threshold)
            return
        population = populations.get(services.database, classifier, check, table)
        _sample(services, classifier, check, threshold, population)
        _larger(services, classifier, ranking, threshold, check, population)
        show_curve(population.evidence(check.labels), threshold, use)


def _sample(
    services: Services,
    classifier: SavedClassifier,
    check: Check,
    threshold: float,
    population: Population,
) -> None:
    there = population.there(check.labels)
    if not there:
        st.markdown("None of this sample's photos is in the collection any more: draw a new one.")
        return
    pages = -(-len(there) // PAGE)
    key = f"check-page-{check.drawn}"
    if (asked := st.session_state.pop(f"{key}-asked", 0)) and asked <= pages > 1:
        st.session_state[key] = asked
    page = st.pagination(pages, key=key) if pages > 1 else 1
    board = CheckBoard(services.database, classifier, check, threshold, current(), page)
    # Whoever moves the threshold stays at the slider.
    name = f"{classifier.id}-{check.drawn}-{page}"
    show_desk("check", board.key, board, followed=True, name=name)


def _larger(
    services: Services,
    classifier: SavedClassifier,
    ranking: Ranking,
    threshold: float,
    check: Check,
    population: Population,
) -> None:
    """Buttons that put more photos into the sample, or draw another one."""
    with st.container(horizontal=True):
        if check.strata is None:
            st.markdown(
                "This sample is of an earlier version of the explorer and has no photo from below "
                "the threshold: draw a new one to see what is missed."
            )
        else:
            came = population.came(check.labels)
            if came and st.button(
                f"Add {len(came):,} that came in since",
                key="check_came",
                help="Of the photos that were loaded later, as many as chance chooses",
            ):
                _enlarge(services, classifier, check, population, 0, 0)
            # Where the sample was drawn around, which the threshold may have left since.
            at = f"{check.threshold:.3f}"
            above, below = population.left()
            more = f"{MORE_ABOVE} more above {at}"
            if st.button(more, key="check_above", help=_MORE_ABOVE, disabled=not above):
                _enlarge(services, classifier, check, population, MORE_ABOVE, 0)
            more = f"{MORE_BELOW} more below {at}"
            if st.button(more, key="check_below", help=_MORE_BELOW, disabled=not below):
                _enlarge(services, classifier, check, population, 0, MORE_BELOW)
        about = (classifier.id, check.drawn)
        if pressed("Draw a new sample", "draw_check", about, help=_NEW):
            _draw(services, classifier, ranking, threshold)


_MORE_ABOVE = "The precision is told more closely"
_MORE_BELOW = (
    "What is missed is told more closely. Nearly all of them are no: mark the few that are not, "
    "and then the rest at once"
)
_NEW = "Around this threshold; the marks of this sample are left behind"


def _draw(
    services: Services, classifier: SavedClassifier, ranking: Ranking, threshold: float
) -> None:
    checks = services.database.checks
    target = f"the sample of {classifier.title}: draw anew"
    authorize(services.database, Deed.LABEL, target, classifier.owner)
    drawn = checks.moment(classifier.id)
    ranked = (classifier.weight, ranking.ids, ranking.scores)
    population = Population.new(*ranked, drawn, threshold).enlarged(ABOVE, BELOW)
    checks.draw(classifier.id, drawn, threshold, population.sample(), population.strata)
    st.rerun()


def _enlarge(
    services: Services,
    classifier: SavedClassifier,
    check: Check,
    population: Population,
    above: int,
    below: int,
) -> None:
    target = f"the sample of {classifier.title}: enlarge"
    authorize(services.database, Deed.LABEL, target, classifier.owner)
    larger = population.enlarged(above, below)
    services.database.checks.extend(classifier.id, check, larger.sample(), larger.strata)
    # To the page on which the new ones begin, which comes about in the next run.
    first = 1 + len(population.there(check.labels)) // PAGE
    st.session_state[f"check-page-{check.drawn}-asked"] = first
    st.rerun()
