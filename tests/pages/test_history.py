import pytest
from streamlit.testing.v1 import AppTest

from classifier.clip import Clip
from classifier.session import Session
from db.collections import Collection
from db.sessions import DOWN, UP
from pages.services import Services
from tests.pages.desks import desk, desks
from tests.pages.plain import plain


def script(services: object) -> None:
    import streamlit as st

    from pages.label import history

    def label() -> None:
        st.markdown("the label page")

    label_page = st.Page(label, title="Label", url_path="label")

    def listed() -> None:
        history.show(services, label_page)  # type: ignore[arg-type]

    st.navigation([st.Page(listed, title="History", default=True), label_page]).run()


@pytest.fixture
def session(services: Services, collection: Collection, clip: Clip) -> Session:
    started = Session.start(services.database, collection, clip, "a [lake](https://x.example)")
    services.sessions.put(started)
    first, second, third, *_ = (photo.id for photo in started.current.photos)
    started.label(first, UP)
    started.label(second, DOWN)
    started.label(third, DOWN)
    return started


def page_of(services: Services) -> AppTest:
    return AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)


def healthy(page: AppTest) -> AppTest:
    assert [error.value for error in page.exception] == []
    return page


def lines(page: AppTest) -> list[str]:
    return [m.value for m in page.markdown]


def listed(page: AppTest) -> list[str]:
    """The sessions' names."""
    return [line.split("  \n")[0] for line in lines(page) if "UTC" in line]


def test_without_sessions_it_says_where_they_come_from(
    services: Services, collection: Collection
) -> None:
    page = healthy(page_of(services).run())
    assert plain(page.info[0].value).startswith("No session yet")


def test_a_session_is_one_line_with_its_thumbs(services: Services, session: Session) -> None:
    session.refine()
    page = healthy(page_of(services).run())
    (line,) = (line for line in lines(page) if "UTC" in line)
    assert line.startswith(r"**a \[lake\]\(https\:")
    assert "2 rounds · 1 up, 2 down" in line


def test_a_session_is_renamed(services: Services, session: Session) -> None:
    page = healthy(page_of(services).run())
    page.text_input(key=f"name-of-{session.row.id}").set_value("Lakes")
    page.button(key=f"do-rename-{session.row.id}").click()
    healthy(page.run())
    assert lines(page)[0].startswith("**Lakes** · “a ")
    assert session.row.title == "Lakes", "in the tabs that show it too"


def test_a_session_is_deleted(services: Services, session: Session) -> None:
    services.database.classifiers.save(session.to_save("Lakes"))
    page = healthy(page_of(services).run())
    (saved,) = services.database.classifiers.all()
    link = "(/classifiers?classifier=Lakes%20%C2%B7%20drawings)"
    assert lines(page)[0].endswith(f"saved as [Lakes]{link}")
    assert saved.title == "Lakes · drawings"
    told = "with its 3 thumbs?\n\nWhat was saved from it stays: **Lakes**. It can't be sharpened"
    assert any(told in line for line in lines(page))
    page.button(key=f"do-delete-{session.row.id}").click()
    healthy(page.run())
    assert plain(page.info[0].value).startswith("No session yet")
    assert [one.name for one in services.database.classifiers.all()] == ["Lakes"]


def test_answers_are_a_page_of_its_own_where_each_can_be_changed(
    services: Services, session: Session
) -> None:
    page = healthy(page_of(services).run())
    page.button(key=f"answers-of-{session.row.id}").click()
    healthy(page.run())
    assert page.query_params["of"] == session.row.id
    assert [photo["id"] for photo in desk(page)["photos"]] == [session.current.photos[0].id]
    assert desks(page)[0]["mark"] == UP
    page.segmented_control[0].set_value("No")
    healthy(page.run())
    assert len(desk(page)["photos"]) == 2
    page.segmented_control[0].set_value("Unsure")
    healthy(page.run())
    assert plain(page.info[0].value) == "No photo of this session is marked unsure."


def test_going_on_opens_the_label_page(services: Services, session: Session) -> None:
    page = healthy(page_of(services).run())
    page.button(key=f"go-{session.row.id}").click()
    healthy(page.run())
    assert lines(page) == ["the label page"]
    assert page.query_params["session"] == session.row.id


def test_an_unknown_session_is_one_line(services: Services, collection: Collection) -> None:
    page = page_of(services)
    page.query_params["of"] = "![x](https://evil.example/x.png)"
    healthy(page.run())
    assert plain(page.warning[0].value).startswith("There is no session '![x]")


def test_many_sessions_come_in_pages(
    services: Services, collection: Collection, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.label.history.PAGE", 2)
    for number in range(3):
        Session.start(services.database, collection, clip, f"lake {number}")
    page = healthy(page_of(services).run())
    assert listed(page) == ["**lake 2**", "**lake 1**"]
    page.pagination[0].set_value(2)
    healthy(page.run())
    assert listed(page) == ["**lake 0**"]
