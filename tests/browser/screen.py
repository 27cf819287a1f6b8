"""The labelling screen, as a person looks at it and clicks on it."""

from playwright.sync_api import Locator, Page, expect

WAIT = 30_000  # milliseconds
FIRST_LOAD = 180_000
PROMPT = "What should the photos show?"


def settle(page: Page) -> None:
    """Wait until the script behind the page has run."""
    page.wait_for_timeout(300)
    idle = page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')
    expect(idle).to_have_count(1, timeout=WAIT)


def thumbs(page: Page) -> Locator:
    return page.get_by_test_id("stFeedback")


def give(page: Page, place: int, up: bool) -> None:
    thumbs(page).nth(place).get_by_role("radio").nth(0 if up else 1).click()
    settle(page)


def given(page: Page) -> list[str]:
    """Each photo's thumb: up, down or none."""
    words = []
    for place in range(thumbs(page).count()):
        radios = thumbs(page).nth(place).get_by_role("radio")
        checked = [radios.nth(n).get_attribute("aria-checked") == "true" for n in range(2)]
        words.append("up" if checked[0] else "down" if checked[1] else "none")
    return words
