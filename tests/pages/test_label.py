from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from classifier.clip import Clip
from classifier.session import Session
from classifier.text_tower import load_text_tower
from db.collections import Collection
from db.database import open_database
from db.sessions import DOWN, NONE, UP
from ingest.job import Loader
from pages.desk.board import Act, Show
from pages.desk.routes import answer
from pages.label.board import SessionBoard
from pages.people.person import ANYBODY
from pages.services import Services
from tests.clickhouse_server import ClickHouseServer
from tests.pages.conftest import add_collection
from tests.pages.desks import desk, desks
from tests.pages.plain import plain
from tests.text_towers import make_modules


def script(services: object) -> None:
    from pages.label import page

    page.show(services)  # type: ignore[arg-type]


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
    return [plain(warning.value) for warning in page.warning]


def board_of(services: Services, page: AppTest) -> SessionBoard:
    session = services.sessions.get(page.query_params["session"])
    return SessionBoard(session, services.database, ANYBODY)


def give(services: Services, page: AppTest, place: int, label: int) -> None:
    """What the desk in the browser does on a click: it asks its route, and the page doesn't run."""
    board = board_of(services, page)
    photo = desk(page)["photos"][place]["id"]
    answer(board, [Act("mark", f"click-{place}-{label}", (photo,), label)], Show())


def test_before_the_first_search_there_are_photos_and_example_prompts(page: AppTest) -> None:
    healthy(page)
    assert [s.value for s in page.subheader] == ["Some photos of drawings"]
    assert page.button(key="example-0").label == "a house by a lake"
    assert desks(page) == []


def test_a_search_shows_nine_photos_and_puts_the_session_into_the_address(
    page: AppTest, services: Services
) -> None:
    search(page, "a house by a lake")
    assert len(desk(page)["photos"]) == 9
    session = session_of(page, services)
    assert session.row.prompt == "a house by a lake"
    assert desk(page)["round"] == 1


def test_an_example_is_searched_with_one_click(page: AppTest, services: Services) -> None:
    page.button(key="example-0").click()
    healthy(page.run())
    assert session_of(page, services).row.prompt == "a house by a lake"


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
    assert len(desk(page)["photos"]) == 9


def test_a_prompt_in_another_script_than_the_models_gets_a_hint(page: AppTest) -> None:
    search(page, "лодка, a lake")
    (told,) = notices(page)
    assert "was taught English: for other languages set CLIP_TEXT_MODEL, as the README" in told
    assert len(desk(page)["photos"]) == 9


def test_the_text_model_of_the_settings_reads_the_prompt(
    services: Services, clip: Clip, collection: Collection, tmp_path: Path
) -> None:
    setting = f"{make_modules(tmp_path / 'tower')} for {clip.model_id}"
    speaking = replace(services, settings=replace(services.settings, clip_text_model=setting))
    page = AppTest.from_function(script, kwargs={"services": speaking}, default_timeout=60)
    search(page.run(), "дом")
    assert notices(page) == []
    tower = load_text_tower(setting, clip.model_id)
    weight = session_of(page, services).current.weight
    assert weight == pytest.approx(tower.encode_text(["дом"])[0], abs=1e-5)


def test_a_reload_brings_the_session_back(page: AppTest, services: Services) -> None:
    search(page, "a lake")
    give(services, page, 0, UP)
    address = page.query_params["session"]
    again = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)
    again.query_params["session"] = address
    healthy(again.run())
    assert again.text_input(key="prompt").value == "a lake"
    assert list(desk(again)["marks"].values()) == [UP]


@pytest.mark.parametrize("drawn", ["RlKjIN__m6bd", "____________", "_a-_b-__", "-_"])
def test_a_session_may_have_any_name_that_is_drawn_for_it(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, drawn: str
) -> None:
    monkeypatch.setattr("classifier.session.secrets.token_urlsafe", lambda _: drawn)
    search(page, "a lake")
    assert page.query_params["session"] == drawn
    assert len(desk(page)["photos"]) == 9


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
    assert desks(page) == []


def test_recent_sessions_are_offered(page: AppTest, services: Services) -> None:
    search(page, "a lake")
    session = page.query_params["session"]
    again = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()
    again.button(key=f"recent-{session}").click()
    healthy(again.run())
    assert again.query_params["session"] == session
    assert len(desk(again)["photos"]) == 9


def test_a_filter_and_a_page_size_count_from_the_next_search_on(
    page: AppTest, services: Services
) -> None:
    page.multiselect(key="only_country").set_value(["Peru"])
    page.segmented_control(key="page_size").set_value(18)
    healthy(page.run())
    search(page, "a lake")
    assert len(desk(page)["photos"]) == 18
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
    assert "load some on the **Collection** page" in plain(page.info[0].value)


def test_the_articles_update_can_be_chosen_and_is_remembered(
    page: AppTest, services: Services
) -> None:
    page.segmented_control(key="method").set_value("article")
    search(page, "a lake")
    assert session_of(page, services).row.method == "article"
    again = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)
    again.query_params["session"] = page.query_params["session"]
    assert healthy(again.run()).segmented_control(key="method").value == "article"


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
    assert desks(page) == []


@pytest.fixture
def served(
    server: ClickHouseServer, server_url: str, services: Services, clip: Clip
) -> Iterator[Services]:
    """The services on a database server, which is there at first."""
    database = open_database(server_url)
    served = replace(services, database=database, loader=Loader(database, services.thumbnails))
    add_collection(served, clip, "drawings", 40)
    yield served
    database.close()


@pytest.fixture
def away(served: Services) -> AppTest:
    """The page on a database server, with one session on screen."""
    page = AppTest.from_function(script, kwargs={"services": served}, default_timeout=60)
    return search(page.run(), "a lake")


def stored(server_url: str, page: AppTest) -> dict[str, int]:
    database = open_database(server_url)
    labels = Session.reopen(database, page.query_params["session"]).labels
    database.close()
    return labels


def test_thumbs_given_while_the_database_is_away_stay_and_are_stored_when_it_is_back(
    away: AppTest, served: Services, server: ClickHouseServer, server_url: str
) -> None:
    page = away
    give(served, page, 0, UP)
    server.stop()
    give(served, page, 1, DOWN)
    give(served, page, 2, UP)
    give(served, page, 2, NONE)
    healthy(page.run())
    assert list(desk(page)["marks"].values()) == [UP, DOWN]
    assert desk(page)["unstored"] == 3
    assert desk(page)["trouble"].startswith("Nothing answers at http://")
    assert notices(page) == [], "the desk tells it itself"
    server.start()
    board = board_of(served, page)
    told = answer(board, [Act("store")], Show())
    assert (told["state"]["unstored"], told["state"]["trouble"]) == (0, "")
    assert sorted(stored(server_url, page).values()) == [DOWN, UP]


def test_while_the_database_is_away_nothing_else_is_lost(
    away: AppTest, served: Services, server: ClickHouseServer, server_url: str
) -> None:
    page = away
    give(served, page, 0, UP)
    server.stop()
    healthy(page.run())
    assert notices(page)[0].endswith("Thumbs can be given meanwhile")
    board = board_of(served, page)
    told = answer(board, [Act("rest", "r", round=1), Act("refine", "f", after=1)], Show())
    assert (told["state"]["ups"], told["state"]["downs"], told["state"]["round"]) == (1, 8, 1)
    assert told["refused"]["f"].startswith("Nothing answers at")
    server.start()
    told = answer(board, [Act("store"), Act("refine", "g", after=1)], Show())
    assert told["state"]["round"] == 2
    assert sorted(stored(server_url, page).values()) == [DOWN] * 8 + [UP]


def test_a_session_that_was_not_open_stays_in_the_address_while_the_database_is_away(
    away: AppTest, served: Services, server: ClickHouseServer
) -> None:
    session = away.query_params["session"]
    served.sessions.forget(session)
    server.stop()
    away.run()
    assert "Nothing answers at" in away.exception[0].value
    server.start()
    assert healthy(away.run()).query_params["session"] == session
    assert len(desk(away)["photos"]) == 9


def test_a_condition_taken_away_at_the_desk_is_gone_from_the_options(
    page: AppTest, services: Services
) -> None:
    page.multiselect(key="only_country").set_value(["Peru"])
    healthy(page.run())
    search(page, "a lake")
    board = board_of(services, page)
    answer(board, [Act("without", "c", fact="countries", value="Peru")], Show())
    search(page, "a boat")
    assert page.multiselect(key="only_country").value == []
    row = session_of(page, services).row
    assert (row.prompt, row.only.countries) == ("a boat", ())


def test_stacks_can_be_switched_off(page: AppTest) -> None:
    search(page, "a lake")
    assert desks(page)[0]["stacked"] is True
    page.toggle(key="stacked").set_value(False)
    healthy(page.run())
    assert desks(page)[0]["stacked"] is False


def test_hostile_titles_are_text(page: AppTest, services: Services) -> None:
    search(page, "![x](https://evil.example/x.png) [sign in](https://evil.example)")
    again = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()
    (label,) = [b.label for b in again.button if str(b.key).startswith("recent-")]
    assert label.startswith(r"\!\[x\]\(https\:")
