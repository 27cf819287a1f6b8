from collections.abc import Iterator
from dataclasses import replace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from classifier.clip import Clip
from classifier.session import Session
from db.collections import Collection
from db.database import open_database
from db.sessions import DOWN, UP
from ingest.job import Loader
from pages import thumbs
from pages.label import _reopened
from pages.services import Services
from tests.clickhouse_server import ClickHouseServer
from tests.pages.conftest import add_collection


def script(services: object) -> None:
    from pages import label

    label.show(services)  # type: ignore[arg-type]


@pytest.fixture
def page(services: Services, collection: Collection) -> AppTest:
    return AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()


def search(page: AppTest, prompt: str) -> AppTest:
    page.text_input(key="prompt").set_value(prompt)
    page.button(key="search").click()
    return healthy(page.run())


def healthy(page: AppTest) -> AppTest:
    assert [error.value for error in page.exception] == []
    return page


def session_of(page: AppTest, services: Services) -> Session:
    return Session.reopen(services.database, page.query_params["session"])


def notices(page: AppTest) -> list[str]:
    return [warning.value for warning in page.warning]


def thumb(page: AppTest, place: int, value: int | None) -> AppTest:
    page.feedback[place].set_value(value)
    return healthy(page.run())


def test_before_the_first_search_there_are_photos_and_example_prompts(page: AppTest) -> None:
    healthy(page)
    assert [s.value for s in page.subheader] == ["Some photos of drawings"]
    assert page.button(key="example-0").label == "a house by a lake"
    assert len(page.feedback) == 0


def test_a_search_shows_nine_photos_and_puts_the_session_into_the_address(
    page: AppTest, services: Services
) -> None:
    search(page, "a house by a lake")
    assert len(page.feedback) == 9
    session = session_of(page, services)
    assert session.row.prompt == "a house by a lake"
    assert any("**Round 1**" in text.value for text in page.markdown)


def test_an_example_is_searched_with_one_click(page: AppTest, services: Services) -> None:
    page.button(key="example-0").click()
    healthy(page.run())
    assert session_of(page, services).row.prompt == "a house by a lake"


def test_thumbs_are_stored_as_they_are_clicked_and_can_be_taken_away(
    page: AppTest, services: Services
) -> None:
    search(page, "a lake")
    first, second = (photo.id for photo in session_of(page, services).current.photos[:2])
    thumb(page, 0, 1)
    thumb(page, 1, 0)
    assert session_of(page, services).labels == {first: UP, second: DOWN}
    thumb(page, 0, None)
    assert session_of(page, services).labels == {second: DOWN}


def test_undo_and_rest_are_no_show_in_the_thumbs(page: AppTest, services: Services) -> None:
    search(page, "a lake")
    thumb(page, 2, 1)
    page.button(key="rest").click()
    healthy(page.run())
    assert [f.value for f in page.feedback] == [0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert page.button(key="rest").disabled
    page.button(key="undo").click()
    healthy(page.run())
    assert [f.value for f in page.feedback] == [None, None, 1, *[None] * 6]
    assert len(session_of(page, services).labels) == 1


def test_refining_shows_other_photos(page: AppTest, services: Services) -> None:
    search(page, "a lake")
    thumb(page, 0, 1)
    thumb(page, 1, 0)
    page.button(key="refine").click()
    healthy(page.run())
    session = session_of(page, services)
    first, second = ({p.id for p in r.photos} for r in session.rounds)
    assert not first & second
    assert [f.value for f in page.feedback] == [None] * 9
    assert notices(page) == []


def test_an_earlier_round_is_shown_when_asked_for(page: AppTest, services: Services) -> None:
    search(page, "a lake")
    thumb(page, 3, 1)
    page.button(key="refine").click()
    healthy(page.run())
    page.pagination[0].set_value(1)
    healthy(page.run())
    assert page.feedback[3].value == 1
    thumb(page, 4, 0)
    session = session_of(page, services)
    assert session.labels[session.rounds[0].photos[4].id] == DOWN


@pytest.mark.parametrize(
    ("value", "notice"),
    [
        (None, "No thumbs yet"),
        (1, "Only thumbs up so far"),
        (0, "Only thumbs down so far"),
    ],
)
def test_one_sided_thumbs_are_explained(page: AppTest, value: int | None, notice: str) -> None:
    search(page, "a lake")
    if value is not None:
        thumb(page, 0, value)
    page.button(key="refine").click()
    healthy(page.run())
    assert [text[: len(notice)] for text in notices(page)] == [notice]
    page.button(key="rest").click()
    page.run()
    assert notices(page) == [], "a notice is shown once"


def test_refining_past_the_last_photo_says_so(page: AppTest) -> None:
    search(page, "a lake")
    thumb(page, 0, 1)
    thumb(page, 1, 0)
    for _ in range(5):
        page.button(key="refine").click()
        healthy(page.run())
    assert notices(page) == [
        "Every photo that passes the filter has been shown: save the classifier, "
        "or start a new search"
    ]
    assert len(page.feedback) == 4


@pytest.mark.parametrize("prompt", ["", "   "])
def test_an_empty_prompt_is_refused(page: AppTest, prompt: str) -> None:
    search(page, prompt)
    assert notices(page) == ["The prompt is empty: type what the photos should show"]
    assert "session" not in page.query_params


def test_a_long_prompt_is_cut_and_that_is_said(page: AppTest) -> None:
    search(page, "a house by a lake " * 20)
    assert notices(page) == [
        "The prompt is longer than the model reads: only its beginning was searched."
    ]
    assert len(page.feedback) == 9


def test_a_reload_brings_the_session_back(page: AppTest, services: Services) -> None:
    search(page, "a lake")
    thumb(page, 0, 1)
    address = page.query_params["session"]
    again = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)
    again.query_params["session"] = address
    healthy(again.run())
    assert again.text_input(key="prompt").value == "a lake"
    assert [f.value for f in again.feedback] == [1, *[None] * 8]


def test_an_unknown_session_leads_to_the_front_page(
    services: Services, collection: Collection
) -> None:
    page = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)
    page.query_params["session"] = "nope"
    healthy(page.run())
    assert notices(page) == [
        "There is no session 'nope' in this database: type a prompt to start one"
    ]
    assert "session" not in page.query_params


def test_a_session_whose_collection_is_deleted_meanwhile_leads_to_the_front_page(
    page: AppTest, services: Services, collection: Collection, clip: Clip
) -> None:
    search(page, "a lake")
    add_collection(services, clip, "others", 12)
    services.database.collections.drop(collection)
    healthy(page.run())
    assert "belongs to a collection that is gone" in notices(page)[0]
    assert [s.value for s in page.subheader] == ["Some photos of others"]


def test_a_thumb_and_refine_clicked_together_are_both_kept(
    page: AppTest, services: Services
) -> None:
    search(page, "a lake")
    photo = session_of(page, services).current.photos[2].id
    page.feedback[2].set_value(1)
    page.button(key="refine").click()
    healthy(page.run())
    session = session_of(page, services)
    assert session.labels == {photo: UP}
    assert len(session.rounds) == 2


def test_coming_back_from_another_page_goes_on_with_the_session(
    page: AppTest, services: Services
) -> None:
    search(page, "a lake")
    session = page.query_params["session"]
    del page.query_params["session"]
    healthy(page.run())
    assert page.query_params["session"] == session
    page.button(key="new").click()
    healthy(page.run())
    assert "session" not in page.query_params
    assert page.text_input(key="prompt").value == ""
    assert len(page.feedback) == 0


def test_a_database_that_fails_under_a_click_is_one_line(
    page: AppTest, services: Services, collection: Collection
) -> None:
    search(page, "a lake")
    services.database.collections.photos(collection).drop()
    page.button(key="refine").click()
    healthy(page.run())
    assert notices(page)[0].startswith("The database failed: Code: 60.")


def test_recent_sessions_are_offered(page: AppTest, services: Services) -> None:
    search(page, "a lake")
    session = page.query_params["session"]
    again = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()
    again.button(key=f"recent-{session}").click()
    healthy(again.run())
    assert again.query_params["session"] == session
    assert len(again.feedback) == 9


def test_a_filter_and_a_page_size_count_from_the_next_search_on(
    page: AppTest, services: Services
) -> None:
    page.multiselect(key="only_country").set_value(["Peru"])
    page.segmented_control(key="page_size").set_value(18)
    healthy(page.run())
    search(page, "a lake")
    assert len(page.feedback) == 18
    session = session_of(page, services)
    assert {photo.country for photo in session.current.photos} == {"Peru"}


def test_the_filter_is_offered_for_facts_that_the_collection_has(page: AppTest) -> None:
    assert page.multiselect(key="only_keyword").options == ["lake"]
    assert page.multiselect(key="only_photographer").options == ["Ana *Bold*"]


def test_another_collection_can_be_searched(page: AppTest, services: Services, clip: Clip) -> None:
    add_collection(services, clip, "others", 12)
    page.run()
    page.selectbox(key="collection").set_value("others")
    healthy(page.run())
    search(page, "a lake")
    assert session_of(page, services).collection.name == "others"


def test_a_classifier_is_saved_under_a_name(page: AppTest, services: Services) -> None:
    search(page, "a lake")
    thumb(page, 0, 1)
    thumb(page, 1, 0)
    session = page.query_params["session"]
    page.text_input(key=f"name-{session}").set_value("Lakes")
    page.button(key="save").click()
    healthy(page.run())
    assert page.success[0].value.startswith("Saved, fit on 1 up and 1 down.")
    assert [c.name for c in services.database.classifiers.all()] == ["Lakes"]
    page.button(key="save").click()
    healthy(page.run())
    assert "is there already" in page.error[0].value


def test_photographers_are_credited_with_a_link(page: AppTest) -> None:
    search(page, "a lake")
    found = [caption.value for caption in page.caption if "Photo by" in caption.value]
    assert found
    assert set(found) == {
        "Photo by [Ana \\*Bold\\*](https://unsplash.com/@ana?utm_source=visual_dataset_explorer"
        "&utm_medium=referral) on [Unsplash](https://unsplash.com/?utm_source="
        "visual_dataset_explorer&utm_medium=referral)"
    }


def test_a_model_that_cannot_be_loaded_is_one_line(services: Services, clip: Clip) -> None:
    collection = add_collection(services, clip, "drawings", 12)
    services.database.collections.drop(collection)
    gone = Collection("drawings", "/nowhere/model", "f", "a test")
    services.database.collections.open(gone)
    page = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()
    search(page, "a lake")
    assert len(notices(page)) == 1
    assert notices(page)[0].startswith("Can't load the CLIP model /nowhere/model: there is no such")


def test_a_database_without_collections_points_to_the_collection_page(
    services: Services,
) -> None:
    page = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()
    healthy(page)
    assert "load some on the **Collection** page" in page.info[0].value


def test_no_verdict_from_few_thumbs_and_one_from_many(page: AppTest, services: Services) -> None:
    search(page, "a lake")
    for _ in range(2):
        thumb(page, 0, 1)
        thumb(page, 1, 1)
        page.button(key="refine").click()
        healthy(page.run())
    assert not any("the prompt alone" in caption.value for caption in page.caption)
    thumb(page, 0, 1)
    page.button(key="rest").click()
    healthy(page.run())
    (verdict,) = [c.value for c in page.caption if "the prompt alone" in c.value]
    assert "are in the right order" in verdict
    evidence = session_of(page, services).evidence()
    assert evidence is not None
    assert f"by the prompt alone, {evidence.prompt:.0%}" in verdict


def test_the_articles_update_can_be_chosen_and_is_remembered(
    page: AppTest, services: Services
) -> None:
    page.segmented_control(key="method").set_value("article")
    search(page, "a lake")
    assert session_of(page, services).row.method == "article"
    again = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)
    again.query_params["session"] = page.query_params["session"]
    assert healthy(again.run()).segmented_control(key="method").value == "article"


def test_more_like_this_adds_the_photo_to_the_prompt(page: AppTest, services: Services) -> None:
    search(page, "a lake")
    first = session_of(page, services)
    photo = first.current.photos[4].id
    page.button(key=f"like-{first.row.id}-{photo}").click()
    healthy(page.run())
    second = session_of(page, services)
    assert second.row.prompt == f"a lake, photo:{photo}"
    assert photo in [p.id for p in second.current.photos[:2]]


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("-people", "says only what to keep away from"),
        ("a lake, photo:nothing", "drawings has no photo 'nothing': take it away"),
        ("a lake -a lake", "cancel each other out"),
    ],
)
def test_a_prompt_that_makes_no_sense_is_refused(page: AppTest, prompt: str, text: str) -> None:
    search(page, prompt)
    assert len(notices(page)) == 1
    assert text in notices(page)[0]
    assert not page.feedback


def test_a_second_thought_that_cuts_the_run_of_the_first_one_short_counts(
    page: AppTest, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    search(page, "a lake")
    stored = []
    label, seen = Session.label, thumbs._seen

    def label_once(session: Session, photo: str, thumb: int) -> None:
        label(session, photo, thumb)
        stored.append(thumb)

    def cut_short() -> dict[str, int]:
        if stored == [UP]:
            st.stop()
        return seen()

    monkeypatch.setattr(Session, "label", label_once)
    monkeypatch.setattr(thumbs, "_seen", cut_short)
    thumb(page, 0, 1)
    assert stored == [UP]
    monkeypatch.setattr(thumbs, "_seen", seen)
    thumb(page, 0, 0)
    assert page.feedback[0].value == 0
    assert list(session_of(page, services).labels.values()) == [DOWN]


@pytest.fixture
def away(
    server: ClickHouseServer, server_url: str, services: Services, clip: Clip
) -> Iterator[AppTest]:
    """The page on a database server, with one session on screen; the server is there at first."""
    database = open_database(server_url)
    served = replace(services, database=database, loader=Loader(database, services.thumbnails))
    add_collection(served, clip, "drawings", 40)
    page = AppTest.from_function(script, kwargs={"services": served}, default_timeout=60)
    yield search(page.run(), "a lake")
    database.close()


def stored(server_url: str, page: AppTest) -> dict[str, int]:
    database = open_database(server_url)
    labels = Session.reopen(database, page.query_params["session"]).labels
    database.close()
    return labels


def test_thumbs_given_while_the_database_is_away_stay_and_are_stored_when_it_is_back(
    away: AppTest, server: ClickHouseServer, server_url: str
) -> None:
    page = away
    thumb(page, 0, 1)
    server.stop()
    thumb(page, 1, 0)
    thumb(page, 2, 1)
    thumb(page, 2, None)
    assert [f.value for f in page.feedback][:4] == [1, 0, None, None]
    assert notices(page)[0].startswith("3 thumbs are not stored yet. Nothing answers at http://")
    assert notices(page)[0].endswith(
        "Leave this page open: what you click stays, and is stored as soon as the database takes it"
    )
    server.start()
    healthy(page.run())
    assert notices(page) == []
    assert [f.value for f in page.feedback][:4] == [1, 0, None, None]
    assert sorted(stored(server_url, page).values()) == [DOWN, UP]


def test_while_the_database_is_away_nothing_else_is_lost(
    away: AppTest, server: ClickHouseServer, server_url: str
) -> None:
    page = away
    thumb(page, 0, 1)
    server.stop()
    healthy(page.run())
    assert notices(page)[0].endswith("Thumbs can be given meanwhile")
    page.button(key="rest").click()
    healthy(page.run())
    page.button(key="refine").click()
    healthy(page.run())
    assert any("**Round 1** · :green[1 up] · :red[8 down]" in m.value for m in page.markdown)
    assert len(page.feedback) == 9
    server.start()
    page.button(key="refine").click()
    healthy(page.run())
    assert any("**Round 2**" in m.value for m in page.markdown)
    assert sorted(stored(server_url, page).values()) == [DOWN] * 8 + [UP]


def test_a_session_that_was_not_open_stays_in_the_address_while_the_database_is_away(
    away: AppTest, server: ClickHouseServer
) -> None:
    session = away.query_params["session"]
    _reopened.clear()
    server.stop()
    away.run()
    assert "Nothing answers at" in away.exception[0].value
    server.start()
    assert healthy(away.run()).query_params["session"] == session
    assert len(away.feedback) == 9
