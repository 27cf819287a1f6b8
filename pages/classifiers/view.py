"""A classifier as a view in the database, on the Classifiers page."""

import streamlit as st

from db.classifiers import SavedClassifier
from db.errors import ExplorerError
from db.views import View
from pages.markdown import code
from pages.messages import show_error
from pages.people.acting import authorize, barred, hindrance
from pages.people.deeds import Deed
from pages.services import Services


def show_view(
    services: Services, classifier: SavedClassifier, view: View | None, threshold: float
) -> None:
    """Offer to publish the classifier as a view, or show what is published."""
    views, why_not = services.database.views, hindrance(Deed.PUBLISH)
    with st.expander("Use it in SQL", icon=":material/database:"):
        if view is None:
            st.markdown(
                "Publish the classifier as a view, and whoever reads this database can rank its "
                "photos by SQL, those that come in later too."
            )
        else:
            _published(view)
        moved = view is not None and abs(view.threshold - threshold) > 1e-6
        if view is None or moved or view.number != classifier.number:
            label = "Publish" if view is None else f"Publish again, from {threshold:.3f} on"
            if st.button(label, key="publish", icon=":material/publish:", **barred(why_not)):
                _try(services, classifier, threshold)
            st.caption("It runs this statement:")
            st.code(views.statement(classifier, threshold), "sql")
        if view is not None and st.button("Unpublish", key="unpublish", disabled=bool(why_not)):
            _try(services, classifier, None)


def _published(view: View) -> None:
    st.markdown(
        f"Published as the view **{code(view.name)}**: the photos that score at least "
        f"{view.threshold:.3f}. Its name stays when the classifier gets another."
    )
    st.code(view.example, "sql")


def _try(services: Services, classifier: SavedClassifier, threshold: float | None) -> None:
    """Publish from a threshold on, or take the view away."""
    what = "publish" if threshold is not None else "unpublish"
    try:
        authorize(services.database, Deed.PUBLISH, f"the view of {classifier.title}: {what}")
        if threshold is None:
            services.database.views.drop(classifier)
        else:
            services.database.views.publish(classifier, threshold)
    except ExplorerError as error:
        show_error(error)
    else:
        st.rerun()
