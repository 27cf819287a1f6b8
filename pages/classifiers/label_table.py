"""Several classifiers of a collection as a table of labels, on the Classifiers page."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import chain

import pandas as pd
import streamlit as st

from classifier.exports.cells import csv_text
from classifier.exports.scores import fixed
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.errors import ExplorerError
from db.label_tables import MOST, LabelTable, PublishedTable
from db.views import view_name
from db.words import counted
from pages.classifiers.scores import ranking_of
from pages.classifiers.threshold import current_threshold
from pages.markdown import code, escaped
from pages.messages import show_error
from pages.people.acting import authorize, barred, hindrance
from pages.people.deeds import Deed
from pages.photo_grid import show_photos
from pages.services import Services
from pages.tables import offer_csv

_PHOTOS = 10
_ROWS = 500
_NONE = "no label"


def show_label_table(
    services: Services, collection: Collection, saved: Sequence[SavedClassifier]
) -> None:
    """Offer several classifiers as one table, each at its own threshold.

    Args:
        services: the app's.
        collection: theirs.
        saved: all classifiers there are.
    """
    own = {
        one.id: one
        for one in saved
        if (one.collection, one.fingerprint) == (collection.name, collection.fingerprint)
    }
    published = services.database.label_tables.published(collection.name)
    if len(own) < 2 and not published:
        return
    box = st.expander(
        "Table of labels: several classifiers at once",
        icon=":material/label:",
        key="labels",
        on_change="rerun",
    )
    if not box.open:  # scoring by several classifiers takes its time
        return
    with box:
        chosen = _chosen(f"labels-{collection.name}", own)
        exclusive = st.toggle(
            "At most one of these",
            key="exclusive",
            help="A photo that several keep has the label of the one over whose threshold it is "
            "the furthest",
        )
        if chosen:
            _table(services, collection, [own[key] for key in chosen], exclusive)
        _published(services, collection)


def _chosen(key: str, own: Mapping[str, SavedClassifier]) -> list[str]:
    """The ids of those that are in the table; one that gets another name stays in it."""
    if key in st.session_state:  # where they are ids still, and not the names on screen
        st.session_state[key] = [one for one in st.session_state[key] if one in own]
    else:
        st.session_state[key] = list(own)[:MOST]
    return st.multiselect(
        "Classifiers of the table",
        list(own),
        max_selections=MOST,
        format_func=lambda one: own[one].name,
        key=key,
    )


def _table(
    services: Services,
    collection: Collection,
    classifiers: Sequence[SavedClassifier],
    exclusive: bool,
) -> None:
    thresholds = [
        current_threshold(services.database, one, ranking_of(services, one, collection))
        for one in classifiers
    ]
    table = LabelTable(collection.name, classifiers, thresholds, exclusive)
    rows = services.database.label_tables.rows(table).to_pandas()
    _look(services, collection, table, rows)
    offer_csv("Table of labels (CSV)", lambda: to_csv(rows), f"{collection.name}-labels")
    _publish(services, table)


def to_csv(rows: pd.DataFrame) -> str:
    """A row a photo, in the columns of the view."""
    cells = ([_cell(cell) for cell in row] for row in rows.itertuples(index=False))
    return csv_text(chain([rows.columns.tolist()], cells))


def _cell(value: str | float) -> str | Decimal | int:
    """A score with six digits; texts and labels as they are."""
    return fixed(value) if isinstance(value, float) else value


def _look(
    services: Services, collection: Collection, table: LabelTable, rows: pd.DataFrame
) -> None:
    """How many photos have each label, the best of one, and the rows as they are."""
    titles = dict(zip(table.columns, (one.name for one in table.classifiers), strict=True))
    labels = rows[table.columns]
    counts = {name: int(labels[name].sum()) for name in table.columns}
    counts[_NONE] = int((labels.sum(axis=1) == 0).sum())
    name = st.pills(
        "Photos of a label",
        list(counts),
        format_func=lambda name: f"{counts[name]:,} · {escaped(titles.get(str(name), str(name)))}",
        label_visibility="collapsed",
        key=f"label-{collection.name}",
    )
    several = int((labels.sum(axis=1) > 1).sum())
    if several:
        have = "has" if several == 1 else "have"
        st.caption(f"{counted(several, 'photo')} {have} more than one label.")
    if name is not None:
        found = services.database.collections.photos(collection).get(best(table, rows, str(name)))
        show_photos([near.photo for near in found], services.thumbnails)
    labelled = rows[labels.sum(axis=1) > 0].head(_ROWS)
    if len(labelled):
        short = st.column_config.NumberColumn(format="%.3f")
        scores = {f"{column}_score": short for column in table.columns}
        st.dataframe(
            labelled.drop(columns="url"), hide_index=True, height=240, column_config=scores
        )


def best(table: LabelTable, rows: pd.DataFrame, name: str) -> list[str]:
    """The ids of the best photos of a label; of those without one, of the nearest to have one."""
    if name in table.columns:
        return list(rows[rows[name] == 1].nlargest(_PHOTOS, f"{name}_score")["id"])
    scores = rows.loc[rows[table.columns].sum(axis=1) == 0, [f"{c}_score" for c in table.columns]]
    missing = (scores - list(table.thresholds)).max(axis=1)
    return list(rows.loc[missing.nlargest(_PHOTOS).index, "id"])


def _publish(services: Services, table: LabelTable) -> None:
    name = st.text_input(
        "Name of the view",
        value=f"{view_name(table.collection)}_labels",
        key=f"labels-view-{table.collection}",
        help="Whoever reads this database finds the table under it, with photos that come later",
    ).strip()
    try:
        statement = services.database.label_tables.statement(table, name)
        look = barred(hindrance(Deed.PUBLISH))
        if st.button("Publish the table", key="publish_labels", icon=":material/publish:", **look):
            target = f"the table of labels {name} of {table.collection}: publish"
            authorize(services.database, Deed.PUBLISH, target)
            services.database.label_tables.publish(table, name)
            st.rerun()
    except ExplorerError as error:
        show_error(error)
        return
    with st.popover("The statement"):
        st.code(statement, "sql")


def _published(services: Services, collection: Collection) -> None:
    for published in services.database.label_tables.published(collection.name):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(_words(published))
            if st.button(
                "Unpublish",
                key=f"unpublish-{published.name}",
                disabled=bool(hindrance(Deed.PUBLISH)),
            ):
                _drop(services, collection, published)
        st.code(published.example, "sql")


def _words(published: PublishedTable) -> str:
    labels = counted(len(published.classifiers), "classifier")
    one = ", at most one a photo" if published.exclusive else ""
    more = "" if published.follows else ". Publish it again, and it follows their versions"
    return f"Published as the view **{code(published.name)}**: {labels}{one}{more}"


def _drop(services: Services, collection: Collection, published: PublishedTable) -> None:
    try:
        target = f"the table of labels {published.name} of {collection.name}: unpublish"
        authorize(services.database, Deed.PUBLISH, target)
        services.database.label_tables.drop(collection.name, published)
    except ExplorerError as error:
        show_error(error)
    else:
        st.rerun()
