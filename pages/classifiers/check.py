"""A check sample on the Classifiers page: how precise a classifier is above its threshold."""

import numpy as np
import streamlit as st

from classifier.ranking import Ranking
from db.checks import Check
from db.classifiers import SavedClassifier
from pages.classifiers.check_board import CheckBoard
from pages.desk.component import show_desk
from pages.services import Services

SIZE = 20


def show_check(
    services: Services,
    classifier: SavedClassifier,
    ranking: Ranking,
    threshold: float,
    check: Check | None,
) -> None:
    """Offer a random sample of what is kept, and say what its thumbs tell of the precision."""
    kept = ranking.ids[: ranking.kept(threshold)]
    fresh = [photo for photo in kept if photo not in ranking.labels]
    with st.expander("How precise is it? Check a random sample", icon=":material/fact_check:"):
        st.caption(
            "The photos that you gave thumbs to were chosen by the ranking, so they tell nothing "
            "of its precision. A random sample of the photos above the threshold does."
        )
        # A saved threshold comes back from the slider rounded to its steps.
        if check is not None and check.threshold <= threshold + 1e-6:
            # What was drawn above a lower threshold is a random sample above this one too.
            _sample(services, classifier, check, threshold, set(kept))
        elif check is not None:
            st.markdown("The threshold is lower than when the sample was drawn: draw a new one.")
        if not fresh:
            st.caption("No photo above the threshold is without a thumb.")
        elif st.button(
            "Draw a sample",
            key="draw_check",
            help=f"At most {SIZE} of the {len(fresh):,} photos above the threshold without a thumb",
        ):
            # Chance is what is wanted here, so no seed.
            chosen = np.random.default_rng().choice(fresh, min(SIZE, len(fresh)), replace=False)
            services.database.checks.draw(classifier.id, threshold, chosen.tolist())
            st.rerun()


def _sample(
    services: Services,
    classifier: SavedClassifier,
    check: Check,
    threshold: float,
    kept: set[str],
) -> None:
    if not any(photo in kept for photo in check.labels):
        st.markdown("None of the sample is above this threshold: draw a new one.")
        return
    board = CheckBoard(services.database, classifier, check, threshold)
    show_desk("check", board.key, board)
