"""What axe-core finds on every screen, light and dark: contrast of 4.5 : 1, names, roles, order."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.screen import WAIT, ask, photos, ready, settle, stored

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme=request.param
    )
    opened = context.new_page()
    opened.set_default_timeout(WAIT)
    yield opened
    context.close()


def violations(page: Page) -> list[str]:
    """What is wrong, each with the first element that it is wrong with, and axe-core's reason."""
    found = Axe().run(page).response["violations"]
    first = [(one["id"], one["nodes"][0]) for one in found]
    return [f"{rule}: {node['html'][:200]} {node['failureSummary']}" for rule, node in first]


def test_no_screen_has_a_fault_of_accessibility(app: str, page: Page) -> None:
    ready(page, app)
    settle(page)
    assert violations(page) == [], "welcome"
    ask(page, "a red boat at sunset")
    for key in "aaaxu":
        page.keyboard.press(key)
    stored(page)
    assert violations(page) == [], "desk"
    page.keyboard.press(" ")
    expect(page.get_by_role("dialog", name="Photo in full")).to_be_visible()
    assert violations(page) == [], "photo in full"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys and figures")).to_be_visible()
    assert violations(page) == [], "keys"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Options").click()
    expect(page.get_by_text("They count from the next search on.")).to_be_visible()
    settle(page)
    assert violations(page) == [], "options"
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save classifier").click()
    assert violations(page) == [], "save"
    page.get_by_role("textbox", name="Name").fill(f"Boats {page.url[-9:]}")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved, fit on")).to_be_visible()
    for path, there in (
        ("history", lambda: page.get_by_role("button", name="Answers").first),
        ("classifiers", lambda: page.get_by_text("photos score at least")),
        ("collection", lambda: page.get_by_role("button", name="Load the folder")),
    ):
        visit(page, f"{app}/{path}", there)
        assert violations(page) == [], path
    page.goto(f"{app}/history")
    page.get_by_role("button", name="Answers").first.click()
    expect(photos(page).first).to_be_visible()
    settle(page)
    assert violations(page) == [], "answers"


def visit(page: Page, address: str, there: Callable[[], object]) -> None:
    page.goto(address)
    expect(there()).to_be_visible()  # type: ignore[call-overload]
    settle(page)
