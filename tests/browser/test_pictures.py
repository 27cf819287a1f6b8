"""Pictures as the query, in a real browser: pasted, and "more like this" without the thumbs."""

import base64
import io
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.screen import WAIT, ask, give, names, photos, ready, round_is, settle, tiles

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

_PASTE = """(data) => {
    const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([bytes], "cut.png", { type: "image/png" }));
    const paste = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
    return !document.body.dispatchEvent(paste); // whether the page heard it
}"""


def test_a_picture_is_pasted_searched_with_and_taken_away(
    app: str, page: Page, screenshot: Callable[[Page, str], None]
) -> None:
    ready(page, app)
    settle(page)
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), "crimson").save(buffer, "PNG")
    # The page is there before its scripts are.
    page.wait_for_function(_PASTE, arg=base64.b64encode(buffer.getvalue()).decode(), timeout=WAIT)
    chip = page.get_by_role("button", name="picture · cut.png")
    expect(chip).to_be_visible(timeout=WAIT)
    screenshot(page, "picture-pasted")
    page.get_by_role("button", name="Search").click()
    expect(photos(page).first).to_be_visible()
    settle(page)
    screenshot(page, "picture-searched")
    page.reload()
    expect(chip).to_be_visible(timeout=WAIT)
    page.get_by_test_id("stPopoverButton").filter(has_text="Picture").click()
    screenshot(page, "picture-upload")
    page.keyboard.press("Escape")
    chip.click()
    expect(chip).to_have_count(0)


def test_more_like_this_asks_whether_the_thumbs_come_along(
    app: str, page: Page, screenshot: Callable[[Page, str], None]
) -> None:
    ready(page, app)
    ask(page, "a boat at sunset")
    give(page, 1, up=True)
    liked = names(page)[3]
    address = page.url
    photos(page).nth(3).hover()
    tiles(page).nth(3).get_by_role("button", name="more like this").click()
    screenshot(page, "like-asked")
    page.get_by_role("button", name="A new search, without them").click()
    expect(page.get_by_role("button", name="picture · ")).to_be_visible(timeout=WAIT)
    page.wait_for_url(lambda url: url != address)
    settle(page)
    round_is(page, 1)
    assert liked not in names(page)
    screenshot(page, "like-alone")
    page.goto(address)
    round_is(page, 1)
    photos(page).nth(3).hover()
    tiles(page).nth(3).get_by_role("button", name="more like this").click()
    page.get_by_role("button", name="With the 1 thumb").click()
    round_is(page, 2)
    screenshot(page, "like-along")
