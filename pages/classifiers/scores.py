"""The scores of a collection under classifiers, kept while a page is looked at."""

import numpy as np
import streamlit as st

from classifier.marks import standing_in
from classifier.ranking import Ranking
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.rows import Rows
from db.sessions import DOWN, UP
from pages.services import Services


def ranking_of(services: Services, classifier: SavedClassifier, collection: Collection) -> Ranking:
    """A collection under one version of a classifier, with the thumbs of its session."""
    table = services.database.collections.photos(collection)
    state = Rows(services.database.connection, table).state()
    version = (classifier.id, classifier.number)
    ids, scores = _scores(services, classifier, collection, version, state, collection.created)
    labels = standing_in(services.database.sessions.labels(classifier.session))
    return Ranking(ids, scores, {p: label for p, label in labels.items() if label in (UP, DOWN)})


@st.cache_data(max_entries=8, show_spinner="Scoring the collection…")
def _scores(
    _services: Services,
    _classifier: SavedClassifier,
    _collection: Collection,
    *state: object,  # noqa: ARG001 -- the key: photos may have come, gone or changed since
) -> tuple[list[str], np.ndarray[tuple[int], np.dtype[np.float32]]]:
    return _services.database.collections.photos(_collection).scores(_classifier.weight)
