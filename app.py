"""The Visual Dataset Explorer: `streamlit run app.py`."""

import streamlit as st

from db.errors import ExplorerError
from db.settings import Settings, load_settings
from pages import classifiers, collection, label
from pages.services import Services, open_services


@st.cache_resource(show_spinner="Opening the database…")
def _services(settings: Settings) -> Services:
    return open_services(settings)


def main() -> None:
    """Lay the page out, and run the screen that is asked for."""
    st.set_page_config(
        page_title="Visual Dataset Explorer", page_icon=":material/image_search:", layout="wide"
    )
    try:
        services = _services(load_settings())
    except ExplorerError as error:
        st.error(str(error), icon=":material/database_off:")
        st.stop()

    def label_page() -> None:
        label.show(services)

    def classifiers_page() -> None:
        classifiers.show(services)

    def collection_page() -> None:
        collection.show(services)

    pages = [
        st.Page(label_page, title="Label", icon=":material/thumbs_up_down:", default=True),
        st.Page(
            classifiers_page,
            title="Classifiers",
            icon=":material/model_training:",
            url_path="classifiers",
        ),
        st.Page(
            collection_page,
            title="Collection",
            icon=":material/photo_library:",
            url_path="collection",
        ),
    ]
    page = st.navigation(pages, position="top")
    try:
        page.run()
    except ExplorerError as error:
        st.error(str(error), icon=":material/error:")


main()
