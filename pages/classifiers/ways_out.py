"""What leaves with a classifier, on the Classifiers page."""

import re

import streamlit as st

from classifier.exports.scores import to_csv
from classifier.ranking import Ranking
from classifier.weight import to_safetensors
from db.classifiers import SavedClassifier
from db.photos import PhotoTable


def show_ways_out(
    table: PhotoTable, classifier: SavedClassifier, ranking: Ranking, threshold: float
) -> None:
    """Offer the files."""
    name = re.sub(r"[^\w-]+", "-", classifier.name).strip("-") or "classifier"
    with st.container(horizontal=True):
        st.download_button(
            "Scores and labels (CSV)",
            lambda: to_csv(ranking, table.urls(), threshold),
            file_name=f"{name}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Weight (safetensors)",
            lambda: to_safetensors(classifier, threshold),
            file_name=f"{name}.safetensors",
            mime="application/octet-stream",
            icon=":material/download:",
            on_click="ignore",
        )
