"""The desk in a real browser: what was wrong with its forerunner, keys, mouse and other tabs."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from tests.app_process import running_app
from tests.browser.screen import (
    FIRST_LOAD,
    PROMPT,
    WAIT,
    ask,
    give,
    given,
    names,
    photos,
    ready,
    refine,
    round_is,
    settle,
    stored,
    tiles,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]


def focused(page: Page) -> str:
    """What the focused photo is called, or what else has the focus."""
    return str(
        page.evaluate(
            """() => {
                let element = document.activeElement;
                for (let inner; (inner = element.shadowRoot?.activeElement); ) element = inner;
                const label = element.getAttribute('aria-label') ?? element.textContent;
                return element.matches('.photo') ? label.slice(0, label.lastIndexOf(':')) : label;
            }"""
        )
    )


def expect_focus(page: Page, name: str) -> None:
    """Wait until a photo has the focus."""
    for _ in range(50):
        if focused(page) == name:
            return
        page.wait_for_timeout(100)
    assert focused(page) == name


def said(page: Page) -> str:
    """What a screen reader was told last."""
    return page.locator(".live").inner_text()


@pytest.fixture
def desk(app: str, page: Page) -> Page:
    """A page with the first round of a search."""
    ready(page, app)
    ask(page, "a boat at sunset")
    return page


def second_tab(page: Page) -> Page:
    other = page.context.new_page()
    other.set_default_timeout(WAIT)
    other.goto(page.url)
    expect(photos(other)).to_have_count(9)
    return other


# ---- what was broken, by its number


def test_1_the_key_that_refines_takes_no_thumb_away(desk: Page) -> None:
    for place in range(3):
        give(desk, place, up=True)
    give(desk, 3, up=False)
    before = given(desk)
    desk.keyboard.press("Enter")
    round_is(desk, 2)
    desk.get_by_role("button", name="Earlier round").click()
    round_is(desk, 1)
    assert given(desk) == before == ["up"] * 3 + ["down"] + ["none"] * 5


def test_1_in_the_prompt_box_keys_are_letters(desk: Page) -> None:
    address = desk.url
    give(desk, 0, up=True)
    stored(desk)
    box = desk.get_by_placeholder(PROMPT)
    box.fill("")
    box.press_sequentially("axurz?")
    desk.keyboard.press("Backspace")
    desk.keyboard.press(" ")
    desk.keyboard.press("Shift+Enter")
    settle(desk)
    assert desk.url == address, "the session stays"
    assert given(desk) == ["up"] + ["none"] * 8
    assert box.input_value() == "axurz "


def test_2_a_thumb_in_a_tab_that_missed_a_refinement_is_stored(desk: Page) -> None:
    other = second_tab(desk)
    refine(desk, 2)
    give(other, 4, up=True)
    stored(other)
    expect(other.locator(".round")).to_contain_text("Round 1 of 2")
    assert given(other)[4] == "up"
    other.reload()
    round_is(other, 2)
    other.get_by_role("button", name="Earlier round").click()
    round_is(other, 1)
    assert given(other)[4] == "up"
    expect(other.locator(".counts")).to_contain_text("in all 1 up, 0 down")


def test_3_the_rest_are_those_of_the_round_on_screen(desk: Page) -> None:
    give(desk, 0, up=True)
    refine(desk, 2)
    desk.get_by_role("button", name="Earlier round").click()
    round_is(desk, 1)
    desk.get_by_role("button", name="Rest are no").click()
    assert given(desk) == ["up"] + ["down"] * 8
    stored(desk)
    desk.get_by_role("button", name="Later round").click()
    round_is(desk, 2)
    assert given(desk) == ["none"] * 9


def test_4_an_undo_goes_to_what_it_changed_says_it_and_offers_redo(desk: Page) -> None:
    desk.keyboard.press("r")
    refine(desk, 2)
    desk.keyboard.press("z")
    expect(desk.get_by_text("9 thumbs of round 1 taken back")).to_be_visible()
    round_is(desk, 1)
    assert given(desk) == ["none"] * 9
    desk.get_by_role("button", name="Redo").click()
    expect(desk.get_by_text("9 thumbs of round 1 given again")).to_be_visible()
    assert given(desk) == ["down"] * 9


def test_5_a_new_round_starts_at_its_first_photo(desk: Page) -> None:
    for number in (2, 3, 4):
        desk.keyboard.press("Enter")
        round_is(desk, number)
        expect_focus(desk, names(desk)[0])
        assert said(desk) == f"Round {number}, 9 photos"
        expect(photos(desk).first).to_be_in_viewport(ratio=0.99)


@pytest.mark.parametrize("size", [9, 18])
def test_6_the_whole_round_is_in_the_window(desk: Page, size: int) -> None:
    if size != 9:
        desk.get_by_role("button", name="Options").click()
        desk.get_by_text(str(size), exact=True).click()
        desk.keyboard.press("Escape")
        settle(desk)
        ask(desk, "a boat at sunset again")
        expect(desk.locator(".grid")).to_be_visible()
    for number in (2, 3):
        refine(desk, number)
    for width, height in ((1280, 720), (1366, 768), (1440, 900), (1920, 1080), (1024, 768)):
        desk.set_viewport_size({"width": width, "height": height})
        desk.wait_for_timeout(300)
        boxes = [tile.bounding_box() for tile in tiles(desk).all()]
        bottom = max(box["y"] + box["height"] for box in boxes if box is not None)
        bar = desk.locator("footer").bounding_box()
        assert bar is not None
        assert bottom <= bar["y"] + 1, (width, height)
        assert bar["y"] + bar["height"] <= height, (width, height)


@pytest.fixture(scope="module")
def fresh(browser: Browser, app: str) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(WAIT)
    ready(page, app)
    page.close()
    yield context
    context.close()


@pytest.mark.parametrize("path", ["", "history", "classifiers", "collection"])
def test_10_nothing_is_fetched_from_anywhere_else(
    app: str, fresh: BrowserContext, path: str
) -> None:
    page = fresh.new_page()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(f"{app}/{path}")
    settle(page)
    page.wait_for_timeout(1000)
    page.close()
    hosts = {r.url for r in asked if not r.url.startswith((app, "data:", "blob:"))}
    assert hosts == set()
    assert len(asked) > 10


def test_7_the_files_of_pages_are_no_addresses(app: str, fresh: BrowserContext) -> None:
    page = fresh.new_page()
    for path in ("check", "thumbs", "photo_grid", "services", "label", "screens"):
        page.goto(f"{app}/{path}")
        expect(page.get_by_text("Page not found")).to_be_visible()
    page.close()


def test_7_the_first_visit_after_a_start_may_be_to_any_page(
    browser: Browser, tmp_path: Path, sample_data: Path
) -> None:
    shutil.copytree(sample_data, tmp_path / "data", symlinks=True)
    with running_app(tmp_path) as address:
        page = browser.new_page()
        page.goto(f"{address}/collection")
        expect(page.get_by_role("button", name="Load the folder")).to_be_visible(timeout=FIRST_LOAD)
        links = page.get_by_role("navigation").get_by_role("link").all_inner_texts()
        assert [link.split("\n")[-1] for link in links] == [
            "Label", "History", "Classifiers", "Collection",
        ]  # fmt: skip
        page.goto(address)
        ready(page, address)  # its first load is done before it is ended
        page.close()


def test_8_more_like_this_keeps_the_thumbs_and_the_prompt(desk: Page) -> None:
    give(desk, 1, up=True)
    liked = names(desk)[3]
    shown = set(names(desk))
    photos(desk).nth(3).hover()
    tiles(desk).nth(3).get_by_role("button", name="more like this").click()
    desk.get_by_role("button", name="With the 1 thumb").click()
    round_is(desk, 2)
    expect(desk.locator(".round")).to_contain_text(f"like “{liked}”")
    assert desk.get_by_placeholder(PROMPT).input_value() == "a boat at sunset"
    expect(desk.locator(".counts")).to_contain_text("in all 1 up, 0 down")
    assert not set(names(desk)) & shown or liked not in names(desk)


def test_a_thumb_that_is_on_its_way_counts_too(desk: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    desk.route("**/desk/*/*", hold)
    give(desk, 1, up=True)
    photos(desk).nth(3).hover()
    tiles(desk).nth(3).get_by_role("button", name="more like this").click()
    expect(desk.get_by_role("button", name="With the 1 thumb")).to_be_visible()
    assert held, "the thumb is on its way"
    desk.unroute_all(behavior="ignoreErrors")


# ---- keys and mouse


def test_a_round_of_nine_by_ten_keys(desk: Page) -> None:
    for key in "axaxuaxax":
        desk.keyboard.press(key)
    wanted = ["up", "down", "up", "down", "unsure", "up", "down", "up", "down"]
    assert given(desk) == wanted
    desk.keyboard.press("Enter")
    round_is(desk, 2)
    desk.reload()
    round_is(desk, 2)
    desk.get_by_role("button", name="Earlier round").click()
    round_is(desk, 1)
    assert given(desk) == wanted


def test_arrows_move_and_marks_can_be_taken_away(desk: Page) -> None:
    shown = names(desk)
    columns = int(
        desk.locator(".grid").evaluate(
            "grid => getComputedStyle(grid).gridTemplateColumns.split(' ').length"
        )
    )
    for key, place in (
        ("ArrowRight", 1),
        ("ArrowDown", 1 + columns),
        ("ArrowLeft", columns),
        ("ArrowUp", 0),
        ("ArrowLeft", 0),
        ("End", 8),
        ("Home", 0),
    ):
        desk.keyboard.press(key)
        assert focused(desk) == shown[place], key
    desk.keyboard.press("Shift+ArrowUp")
    desk.keyboard.press("Shift+ArrowDown")
    assert given(desk)[:2] == ["up", "down"]
    desk.keyboard.press("Home")
    desk.keyboard.press("c")
    assert given(desk)[:2] == ["none", "down"]
    for _ in range(3):
        desk.keyboard.press("z")
    expect(desk.get_by_text("1 thumb of round 1 taken back")).to_be_visible()
    stored(desk)
    expect(desk.locator(".counts")).to_contain_text("0 up, 0 down")
    desk.keyboard.press("Shift+Z")
    expect(desk.get_by_text("1 thumb of round 1 given again")).to_be_visible()
    assert given(desk)[0] == "up"


def test_clicks_with_each_button_and_a_range(desk: Page) -> None:
    photos(desk).nth(0).click()
    photos(desk).nth(1).click(button="right")
    photos(desk).nth(2).click(modifiers=["Alt"])
    assert given(desk)[:3] == ["up", "down", "down"]
    photos(desk).nth(2).click(modifiers=["Alt"])
    assert given(desk)[2] == "none", "the same click again takes the mark away"
    photos(desk).nth(3).click()
    photos(desk).nth(6).click(modifiers=["Shift"])
    assert given(desk) == ["up", "down", "none"] + ["up"] * 4 + ["none"] * 2
    desk.get_by_role("button", name="Undo").click()
    expect(desk.get_by_text("3 thumbs of round 1 taken back")).to_be_visible()
    assert given(desk) == ["up", "down", "none", "up"] + ["none"] * 5


def test_the_photo_in_full_has_the_same_keys(desk: Page) -> None:
    shown = names(desk)
    desk.keyboard.press(" ")
    box = desk.get_by_role("dialog", name="Photo in full")
    expect(box).to_be_visible()
    expect(box.locator("img")).to_have_attribute("alt", shown[0])
    expect(box.locator("figcaption")).to_contain_text("1 of 9")
    desk.wait_for_function(
        """() => {
            const root = document.querySelector('.stBidiComponent [data-testid]').shadowRoot;
            const picture = root.querySelector('.frame img');
            return picture.complete && picture.naturalWidth > 400;
        }""",
        timeout=WAIT,
    )
    desk.keyboard.press("a")
    expect(box.locator("img")).to_have_attribute("alt", shown[1])
    desk.keyboard.press("x")
    desk.keyboard.press("ArrowLeft")
    expect(box.locator("img")).to_have_attribute("alt", shown[1])
    expect(box.get_by_role("button", name="No")).to_have_attribute("aria-pressed", "true")
    desk.keyboard.press(" ")
    expect(box).to_be_hidden()
    expect_focus(desk, shown[1])
    assert given(desk)[:3] == ["up", "down", "none"]


def test_keyboard_only_from_prompt_to_saved_classifier(app: str, page: Page) -> None:
    ready(page, app)
    settle(page)
    page.get_by_placeholder(PROMPT).focus()
    page.keyboard.type("a lighthouse at night")
    page.keyboard.press("Enter")
    expect(photos(page)).to_have_count(9)
    settle(page)
    for number in (2, 3):
        for key in "aaxxaxaxx":
            page.keyboard.press(key)
        page.keyboard.press("Enter")
        round_is(page, number)
    stored(page)
    for _ in range(30):
        page.keyboard.press("Tab")
        if focused(page) == "Save classifier":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Save classifier")).to_be_visible()
    page.keyboard.type(" ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").get_by_text("Give the classifier a name")).to_be_visible()
    page.keyboard.press("Control+A")
    page.keyboard.type("Axe, by keys alone")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved, fit on 8 up and 10 down")).to_be_visible()
    page.goto(f"{app}/classifiers")
    expect(page.get_by_text("From the session “a lighthouse at night”, 3 rounds")).to_be_visible()


def test_the_round_as_a_screen_reader_has_it(desk: Page) -> None:
    desk.keyboard.press("a")
    first, second, *_ = names(desk)
    tree = desk.locator(".grid").aria_snapshot().replace("'", "")
    assert tree.startswith("- list:")
    assert tree.count("- listitem:") == 9
    assert f'- button "{first}: yes"' in tree
    assert f'- button "{second}: no mark"' in tree
    assert f'- button "no: {second}"' in tree
    assert said(desk) == f"yes: {first}"
    bars = desk.locator("footer").aria_snapshot()
    for button in ("Refine", "Rest are no", "Undo", "Redo"):
        assert f'- button "{button}"' in bars


def test_a_stack_is_marked_by_one_thumb_and_opened_by_a_click(app: str, page: Page) -> None:
    ready(page, app)
    page.get_by_role("button", name="Options").click()
    page.get_by_text("36", exact=True).click()
    page.keyboard.press("Escape")
    settle(page)
    ask(page, "a red boat at sunset")
    stack = page.locator(".tile.many").first
    expect(stack).to_be_visible()
    size = tiles(page).count()
    stack.locator(".photo").click()
    hidden = int(re.sub(r"\D", "", stack.locator(".stack").inner_text()))
    expect(page.locator(".counts")).to_contain_text(f"{hidden + 1} up, 0 down")
    stack.locator(".stack").click()
    expect(tiles(page)).to_have_count(size + hidden)
    page.get_by_role("button", name="Options").click()
    page.get_by_text("Stack near-duplicates").click()
    page.keyboard.press("Escape")
    expect(tiles(page)).to_have_count(36)


def test_an_earlier_round_stays_on_screen_when_the_page_runs_again(desk: Page) -> None:
    refine(desk, 2)
    desk.get_by_role("button", name="Earlier round").click()
    round_is(desk, 1)
    desk.get_by_role("button", name="Options").click()
    desk.get_by_text("18", exact=True).click()
    settle(desk)
    desk.keyboard.press("Escape")
    expect(desk.locator(".round")).to_contain_text("Round 1 of 2")


def test_coming_back_from_another_page_goes_on(desk: Page) -> None:
    give(desk, 2, up=True)
    stored(desk)
    desk.get_by_role("link", name="Classifiers").click()
    expect(desk.locator(".tile")).to_have_count(0)
    desk.get_by_role("link", name="Label").click()
    expect(photos(desk)).to_have_count(9)
    assert given(desk)[2] == "up"


def test_answers_are_changed_on_their_own_page(app: str, desk: Page) -> None:
    desk.keyboard.press("a")
    desk.keyboard.press("a")
    stored(desk)
    session = desk.url.split("session=")[1]
    desk.goto(f"{app}/history?of={session}")
    expect(photos(desk)).to_have_count(2)
    photos(desk).first.click(modifiers=["Alt"])
    assert given(desk) == ["down", "up"]
    stored(desk)
    desk.get_by_role("button", name="Go on with it").click()
    expect(photos(desk)).to_have_count(9)
    assert given(desk)[:3] == ["down", "up", "none"]
