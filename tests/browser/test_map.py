"""The map: photos that lie together are drawn around, and open on the desk."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.screen import ask, expand, give, ready, settle, stored
from tests.browser.test_contrast import violations

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

Screenshot = Callable[[Page, str], None]


def test_photos_on_the_map_open_on_the_desk(app: str, page: Page, screenshot: Screenshot) -> None:
    ready(page, app)
    settle(page)
    ask(page, "a red boat")
    for place in range(4):
        give(page, place, up=place < 2)
    stored(page)
    page.get_by_role("button", name="Save classifier").click()
    page.get_by_role("textbox", name="Name").fill("Boats")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved, fit on")).to_be_visible()

    page.goto(f"{app}/classifiers")
    expand(page, "Map")
    page.get_by_role("button", name="Lay the photos out").click()
    expect(page.get_by_text("Laying the photos out")).to_be_visible()
    plane = page.locator(".plane")
    expect(plane).to_be_visible(timeout=240_000)
    settle(page)
    plane.scroll_into_view_if_needed()
    assert violations(page) == []
    screenshot(page, "map")
    expect(page.get_by_text("selected")).to_have_count(0)
    page.get_by_role("button", name="Thumbs", exact=True).focus()
    page.keyboard.press("Tab")
    expect(page.locator(".said")).to_contain_text("move the frame by arrow keys and press Enter")
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".said")).to_have_text("Draw around photos")

    draw_around(page, plane, 0.25, 0.75)
    expect(page.locator(".said")).to_contain_text(" selected")
    page.get_by_role("button", name="Thumbs", exact=True).click()
    expect(page.locator(".legend")).to_have_text("● 2 up✕ 2 down")
    screenshot(page, "map-lasso")
    page.get_by_role("button", name="Open the best 60").click()
    expect(page.locator(".round")).to_contain_text("from the map")
    # Near-duplicates lie on one another.
    expect(page.locator(".tile").nth(40)).to_be_visible()

    # The keys' way: a frame, larger, and what is in it. A part of the map is nearer then.
    plane.focus()
    page.keyboard.press("ArrowRight")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    framed = page.locator(".said")
    expect(framed).to_contain_text(" selected")
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Whole map").press("Enter")
    expect(plane).to_be_focused()
    page.keyboard.press("Escape")
    expect(framed).to_have_text("Draw around photos")


def draw_around(page: Page, plane: Locator, low: float, high: float) -> None:
    """A square by the mouse; its corners are shares of the plane."""
    box = plane.bounding_box()
    assert box is not None
    corners = [(low, low), (high, low), (high, high), (low, high)]
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*at[0])
    page.mouse.down()
    for corner in at[1:]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()
