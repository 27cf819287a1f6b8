"""Every screen in every state, wide and narrow, light and dark: nothing overflows or fails.

`--screenshots FOLDER` keeps a picture of each.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.screen import (
    PROMPT,
    WAIT,
    expand,
    give,
    given,
    photos,
    ready,
    refine,
    settle,
    stored,
)
from tests.browser.test_app import Screenshot

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

WIDE, NARROW = 1440, 390  # pixels
LOOKS = [(WIDE, "light"), (NARROW, "dark"), (WIDE, "dark"), (NARROW, "light")]
HEIGHTS = {WIDE: 900, NARROW: 844}
# Walked through in the narrow window where there is one walk alone; the others in the wide one.
WALKED_NARROW = ("test_labelling", "test_the_collection_page")


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def look(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> tuple[int, str]:
    """A width in pixels and a colour scheme; one of the four suffices where nobody looks."""
    chosen: tuple[int, str] = request.param
    walked = LOOKS[request.function.__name__ in WALKED_NARROW]
    if chosen != walked and pytestconfig.getoption("--screenshots") is None:
        pytest.skip("only with --screenshots")
    return chosen


@pytest.fixture
def page(browser: Browser, look: tuple[int, str]) -> Iterator[Page]:
    width, scheme = look
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHTS[width]},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    opened = context.new_page()
    opened.set_default_timeout(WAIT)
    yield opened
    context.close()


@pytest.fixture
def keep(page: Page, look: tuple[int, str], screenshot: Screenshot) -> Callable[[str], None]:
    """Check that a state fits a wide window and a narrow one, and keep its picture."""
    own, scheme = look

    def check(name: str) -> None:
        settle(page)
        assert page.get_by_test_id("stException").count() == 0, name
        screenshot(page, f"{name}-{own}-{scheme}")
        for width in (WIDE + NARROW - own, own):
            page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
            page.wait_for_function(f"document.documentElement.scrollWidth <= {width}")

    return check


def ask(page: Page, prompt: str) -> None:
    page.get_by_placeholder(PROMPT).fill(prompt)
    page.get_by_role("button", name="Search").click()
    settle(page)


def load_folder(page: Page, address: str, folder: str, name: str) -> None:
    page.goto(f"{address}/collection")
    page.get_by_role("textbox", name="Folder on this computer").fill(folder)
    page.get_by_role("textbox", name="Collection").first.fill(name)
    page.get_by_role("textbox", name="CLIP model").first.fill("sample")
    page.get_by_role("button", name="Load the folder").click()


def test_searching(app: str, page: Page, keep: Callable[[str], None]) -> None:
    ready(page, app)
    keep("label-welcome")
    ask(page, " ")
    expect(page.get_by_text("The prompt is empty")).to_be_visible()
    keep("label-empty-prompt")
    page.goto(f"{app}/?session=unknown")
    expect(page.get_by_text("There is no session 'unknown'")).to_be_visible()
    keep("label-unknown-session")
    page.get_by_role("button", name="Options").click()
    expect(page.get_by_text("They count from the next search on.")).to_be_visible()
    keep("label-options")
    page.keyboard.press("Escape")
    ask(page, "two red boats on a lake at sunset " * 12)
    expect(page.get_by_text("longer than the model reads")).to_be_visible()
    keep("label-long-prompt")


def test_labelling(app: str, page: Page, keep: Callable[[str], None]) -> None:
    ready(page, app)
    ask(page, "buildings in the desert")
    expect(photos(page).first).to_be_visible()
    keep("label-round-1")
    refine(page, 2)
    expect(page.get_by_text("No thumbs yet")).to_be_visible()
    keep("label-no-thumbs")
    give(page, 0, up=True)
    refine(page, 3)
    expect(page.get_by_text("Only thumbs up so far")).to_be_visible()
    keep("label-only-ups")
    page.get_by_role("button", name="Rest are no").click()
    expect(page.locator(".counts")).to_contain_text("9 down")
    keep("label-rest-are-no")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("9 thumbs of round 3 taken back")).to_be_visible()
    keep("label-undone")
    page.keyboard.press("u")
    assert given(page)[0] == "unsure"
    keep("label-unsure")
    page.keyboard.press(" ")
    expect(page.get_by_role("dialog", name="Photo in full")).to_be_visible()
    keep("label-photo-in-full")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys and figures")).to_be_visible()
    keep("label-keys")
    page.keyboard.press("Escape")
    for number in range(4, 8):
        page.get_by_role("button", name="Rest are no").click()
        refine(page, number)
    keep("label-round-7")
    page.get_by_role("button", name="Save classifier").click()
    page.get_by_role("textbox", name="Name").fill(" ")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Give the classifier a name")).to_be_visible()
    keep("label-save-without-name")
    page.keyboard.press("Escape")
    stored(page)
    page.goto(f"{app}/history")
    expect(page.get_by_role("button", name="Answers").first).to_be_visible()
    keep("history")
    page.get_by_role("button", name="Answers").first.click()
    expect(photos(page).first).to_be_visible()
    keep("history-answers")


def test_the_classifiers_page(app: str, page: Page, keep: Callable[[str], None]) -> None:
    ready(page, app)
    page.goto(f"{app}/classifiers")
    settle(page)
    if page.get_by_text("No classifier is saved yet").count():
        keep("classifiers-empty")
        ready(page, app)
        ask(page, "a lighthouse at night")
        give(page, 0, up=True)
        give(page, 1, up=False)
        stored(page)
        page.get_by_role("button", name="Save classifier").click()
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Saved, fit on 1 up and 1 down")).to_be_visible()
        page.goto(f"{app}/classifiers")
    expect(page.get_by_text("photos score at least")).to_be_visible()
    keep("classifiers-ranking")
    expand(page, "Take the photos elsewhere")
    expand(page, "Score other images with it")
    expect(page.get_by_text("needs transformers alone")).to_be_visible()
    keep("classifiers-ways-out")
    page.get_by_role("button", name="Bring a classifier in").click()
    expect(page.get_by_text("One that was downloaded here")).to_be_visible()
    keep("classifiers-bring-in")
    page.keyboard.press("Escape")
    expand(page, "How good is it?")
    # A window of another width may have drawn one before.
    page.get_by_role("button", name=re.compile(r"^Draw a (new )?sample$")).click()
    expect(page.get_by_text("Mark these")).to_be_visible()
    settle(page)
    expect(page.locator(".note")).to_have_count(1)
    # Keys are not for a desk that is folded up.
    fold = page.locator("summary", has_text="How good is it?")
    fold.click()
    expect(page.locator(".note")).not_to_be_visible()
    fold.press("r")
    expand(page, "How good is it?")
    expect(page.locator(".note")).to_contain_text("Mark these")
    give(page, 0, up=True)
    expect(page.locator(".note")).to_contain_text("still to be marked")
    page.get_by_role("button", name="Rest are no").click()
    stored(page)
    expect(page.locator(".note")).to_contain_text("Precision ")
    expect(page.get_by_text("At least so precise")).to_be_visible()  # no click asked for it
    keep("classifiers-check")
    slider = page.get_by_role("slider", name="Threshold")
    slider.press("ArrowRight")
    settle(page)
    expect(slider).to_be_focused()
    page.get_by_text("Just below the threshold", exact=True).click()
    keep("classifiers-below-threshold")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Its labelling session stays")).to_be_visible()
    keep("classifiers-delete")


def test_the_collection_page(
    app: str, page: Page, keep: Callable[[str], None], tmp_path: Path
) -> None:
    ready(page, app)
    page.goto(f"{app}/collection")
    expect(page.get_by_role("button", name="Load the folder")).to_be_visible()
    keep("collection")
    load_folder(page, app, str(tmp_path / "missing"), "three")
    expect(page.get_by_text("is not a folder")).to_be_visible()
    keep("collection-no-folder")
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, colour in enumerate(("steelblue", "darkred", "seagreen")):
        Image.new("RGB", (300, 200 + 200 * number), colour).save(folder / f"{number}.jpg")
    (folder / "broken.jpg").write_bytes(b"no image")
    load_folder(page, app, str(folder), f"skipping_{id(page)}")
    expect(page.get_by_text("1 skipped").first).to_be_visible()
    keep("collection-skipped")


def test_a_collection_of_three_photos(
    app: str, page: Page, keep: Callable[[str], None], tmp_path: Path
) -> None:
    ready(page, app)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, colour in enumerate(("gold", "indigo", "tan")):
        Image.new("RGB", (300, 300), colour).save(folder / f"{number}.png")
    name = f"tiny_{id(page)}"
    load_folder(page, app, str(folder), name)
    expect(page.get_by_text(f"3 photos in {name}, 3 added")).to_be_visible()
    page.goto(app)
    settle(page)
    page.get_by_role("button", name="Options").click()
    page.get_by_test_id("stSelectbox").first.click()
    page.get_by_role("option", name=name).click()
    settle(page)
    page.keyboard.press("Escape")
    keep("label-three-photos-welcome")
    ask(page, "gold")
    expect(photos(page)).to_have_count(3)
    keep("label-three-photos")
    give(page, 0, up=True)
    page.get_by_role("button", name="Refine").click()
    expect(page.get_by_text("Every photo that passes the filter has been shown")).to_be_visible()
    keep("label-three-photos-shown")
