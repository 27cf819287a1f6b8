"""The screens: what `app.py` serves, run for each visit."""

import streamlit as st
from PIL import Image, ImageDraw
from streamlit.navigation.page import StreamlitPage

from db.errors import ExplorerError
from pages import collection
from pages.classifiers import page as classifiers
from pages.label import history
from pages.label import page as label
from pages.messages import show_warning
from pages.open_files import too_few
from pages.people.entrance import admit, show_account
from pages.people.person import Person
from pages.services import Services, opener
from pages.waiting import opened, show_failure


@st.cache_data
def _icon() -> Image.Image:
    """A magnifying glass, drawn here: a named one would be fetched from somebody else's host."""
    icon = Image.new("RGBA", (64, 64))
    draw = ImageDraw.Draw(icon)
    draw.line((40, 40, 58, 58), fill="#0f7f6e", width=11)
    draw.ellipse((5, 5, 47, 47), fill="#fbfaf7", outline="#0f7f6e", width=8)
    return icon


@st.cache_data(ttl=60, show_spinner=False)
def _damage(_services: Services) -> list[str]:
    try:
        return _services.database.damage()
    except ExplorerError:
        # It doesn't answer: the page itself meets that, and says so.
        return []


def _warn(lines: list[str], icon: str = ":material/healing:") -> None:
    for line in lines:
        show_warning(line, icon)


def _account(person: Person) -> list[StreamlitPage]:
    """The page of who one is; none where nobody signs in."""

    def account_page() -> None:
        show_account(person)

    page = st.Page(account_page, title="Account", icon=":material/person:", url_path="account")
    return [page] if person.name else []


# Text in the primary colour, which no option of the theme brings to 4.5 : 1 on both papers.
_STYLE = """<style>
button[data-variant="segmented_control"][data-selected="true"][aria-checked="true"],
[data-testid="stSliderThumbValue"], [data-testid="stSliderThumbValue"] p { color: inherit; }
</style>"""


def main() -> None:
    """Lay the page out, and run the screen that is asked for."""
    st.set_page_config(page_title="Visual Dataset Explorer", page_icon=_icon(), layout="wide")
    st.html(_STYLE)
    try:
        person = admit()
        services = opened(opener)
    except ExplorerError as error:
        show_failure(error, ":material/database_off:")
        st.stop()

    def label_page() -> None:
        label.show(services)

    def history_page() -> None:
        history.show(services, pages[0])

    def classifiers_page() -> None:
        classifiers.show(services)

    def collection_page() -> None:
        collection.show(services)

    pages = [
        st.Page(label_page, title="Label", icon=":material/thumbs_up_down:", default=True),
        st.Page(history_page, title="History", icon=":material/history:", url_path="history"),
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
    page = st.navigation([*pages, *_account(person)], position="top")
    try:
        # The Collection page tells what is the matter now.
        _warn([told] if (told := too_few()) else [], ":material/warning:")
        _warn([] if page is pages[-1] else _damage(services))
        page.run()
    except ExplorerError as error:
        show_failure(error, ":material/error:")


main()
