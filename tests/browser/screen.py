"""The labelling screen, as a person looks at it and clicks on it."""

from playwright.sync_api import Locator, Page, expect

WAIT = 30_000  # milliseconds
FIRST_LOAD = 180_000
PROMPT = "What should the photos show?"
_MARKS = {None: "none", "1": "up", "0": "down", "2": "unsure"}


def settle(page: Page) -> None:
    """Wait until the script behind the page has run."""
    page.wait_for_timeout(300)
    idle = page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')
    expect(idle).to_have_count(1, timeout=WAIT)
    still(page)


def still(page: Page) -> None:
    """Wait until nothing that folds is on its way: a click on what moves may be lost."""
    page.wait_for_function(
        "() => ![...document.querySelectorAll('details')].some((one) => one.style.height)"
    )


def expand(page: Page, title: str) -> None:
    """Open what is folded, and wait until it is open."""
    page.locator("summary", has_text=title).click()
    still(page)


def ready(page: Page, address: str) -> None:
    """Open the app, and wait until its collection is there."""
    page.goto(address)
    expect(page.get_by_text("Some photos of sample")).to_be_visible(timeout=FIRST_LOAD)


def ask(page: Page, prompt: str) -> None:
    """Search, and wait for the first round."""
    page.get_by_placeholder(PROMPT).fill(prompt)
    page.keyboard.press("Enter")
    expect(photos(page).first).to_be_visible()
    settle(page)


def tiles(page: Page) -> Locator:
    return page.locator(".tile")


def photos(page: Page) -> Locator:
    """The buttons that are the photos."""
    return page.locator(".tile .photo")


def names(page: Page) -> list[str]:
    """What the photos are called, without their marks."""
    labels = photos(page).evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    return [label.rpartition(":")[0] for label in labels]


def give(page: Page, place: int, up: bool) -> None:
    """A click is a thumb up, one with Alt a thumb down."""
    photos(page).nth(place).click(modifiers=[] if up else ["Alt"])


def given(page: Page) -> list[str]:
    """Each photo's mark: up, down, unsure or none."""
    marks = tiles(page).evaluate_all("all => all.map(one => one.dataset.mark ?? null)")
    return [_MARKS[mark] for mark in marks]


def stored(page: Page) -> None:
    """Wait until the browser has nothing left to send."""
    page.wait_for_function(
        "() => !Object.keys(localStorage).some((key) => key.startsWith('explorer '))",
        timeout=4 * WAIT,
    )


def round_is(page: Page, number: int) -> None:
    """Wait for a round."""
    expect(page.locator(".round")).to_contain_text(f"Round {number} of", timeout=WAIT)


def refine(page: Page, number: int) -> None:
    """Ask for the next round, and wait for it."""
    page.get_by_role("button", name="Refine").click()
    round_is(page, number)
