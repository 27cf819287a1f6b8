"""A check sample on the Classifiers page: how precise a classifier is above its threshold."""

import numpy as np
import streamlit as st

from classifier.export import Ranking
from classifier.precision import wilson
from db.checks import Check
from db.classifiers import SavedClassifier
from db.photos import Photo, PhotoTable
from db.sessions import DOWN, UP
from pages.photo_grid import show_photos
from pages.services import Services
from pages.thumbs import remember, show_thumbs

SIZE = 20


def show_check(
    services: Services,
    table: PhotoTable,
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
            _sample(services, table, classifier, check, set(kept))
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
    table: PhotoTable,
    classifier: SavedClassifier,
    check: Check,
    kept: set[str],
) -> None:
    found = table.get([photo for photo in check.labels if photo in kept])
    if not found:
        st.markdown("None of the sample is above this threshold: draw a new one.")
        return
    verdict = st.empty()
    labels = dict(check.labels)

    def below(_: int, photo: Photo) -> None:
        labels[photo.id] = _thumbs(services, classifier, check, photo)

    show_photos([neighbour.photo for neighbour in found], services.thumbnails, below)
    given = [labels[neighbour.photo.id] for neighbour in found]
    verdict.markdown(_verdict(given.count(UP), given.count(DOWN), len(given)))


def _verdict(ups: int, downs: int, shown: int) -> str:
    n = ups + downs
    if not n:
        return f"Thumb these {shown} photos up where the classifier is right, down where it is not."
    low, high = wilson(ups, n)
    rest = f", {shown - n} left to thumb" if shown > n else ""
    return (
        f"**Precision {ups / n:.0%}**, with 95 % confidence between {low:.0%} and {high:.0%} "
        f"({ups} of {n} right{rest})"
    )


def _thumbs(services: Services, classifier: SavedClassifier, check: Check, photo: Photo) -> int:
    """The two thumbs of a photo; a click is stored at once."""
    stored = check.labels[photo.id]
    key = f"check-{classifier.id}-{check.drawn}-{photo.id}"
    given = show_thumbs(key, stored)
    if given != stored:
        remember(key, given)
        services.database.checks.label(classifier.id, check, photo.id, given)
    return given
