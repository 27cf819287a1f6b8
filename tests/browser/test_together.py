"""Two people, in browsers and processes of their own, label one session together."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from classifier.session import Session
from db.collections import Collection
from db.database import open_database
from db.photo import Photo
from tests.app_process import running_app
from tests.browser.screen import WAIT, give, given, photos, refine, round_is, stored, tiles
from tests.conftest import TextTower, unit_vectors
from tests.proxy import USER_HEADER, Proxy

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

ANN, BOB = "ann@x.org", "bob@x.org"
TEAM = {
    "TRUSTED_PROXIES": "127.0.0.1, ::1",
    "PROXY_USER_HEADER": USER_HEADER,
    "ROLES": "labeller: @x.org",
    "STREAMLIT_SERVER_COOKIE_SECRET": "the same in both processes",
}
Visit = Callable[[str, str], Page]


@pytest.fixture
def session(server_url: str) -> str:
    """The id of a session of ann's, not shared, in a database on a server."""
    with closing(open_database(server_url)) as database:
        collection = Collection("drawings", "a-model", "a-fingerprint", "a test")
        drawn = [Photo(id=f"photo-{n:03d}", url=f"sample:scene-{n:06d}") for n in range(60)]
        database.collections.open(collection).add(drawn, unit_vectors(60))
        tower = TextTower()
        return Session.start(database, collection, tower, "a lake", owner=ANN).row.id  # type: ignore[arg-type]


@pytest.fixture
def visit(server_url: str, browser: Browser, tmp_path: Path) -> Iterator[Visit]:
    """Opens a page in a person's own browser; ann's and bob's are served by different processes."""
    with ExitStack() as stack:
        addresses, contexts = {}, {}
        for name in (ANN, BOB):
            home = tmp_path / name
            home.mkdir()
            app = stack.enter_context(running_app(home, {**TEAM, "DATABASE_URL": server_url}))
            addresses[name] = Proxy([urlsplit(app).port or 0], name).address
            contexts[name] = browser.new_context(viewport={"width": 1440, "height": 900})
            stack.callback(contexts[name].close)

        def open_page(name: str, path: str) -> Page:
            page = contexts[name].new_page()
            page.set_default_timeout(WAIT)
            page.goto(f"{addresses[name]}{path}")
            return page

        yield open_page


def test_two_people_see_each_others_thumbs_and_overwrite_none_unseen(
    session: str, visit: Visit, screenshot: Callable[[Page, str], None]
) -> None:
    address = f"/?session={session}"
    ann = visit(ANN, address)
    expect(photos(ann)).to_have_count(9)
    stranger = visit(BOB, address)
    expect(stranger.get_by_text("This session is not shared with you")).to_be_visible()
    stranger.close()

    ann.get_by_role("button", name="Share").click()
    ann.get_by_text("To label", exact=True).click()
    expect(ann.get_by_text("Its address:")).to_be_visible()
    screenshot(ann, "together-share")
    ann.keyboard.press("Escape")
    bob = visit(BOB, address)
    expect(photos(bob)).to_have_count(9)

    # What one does the other sees, without a click, and whose it is.
    give(ann, 0, up=True)
    expect(tiles(bob).first).to_have_attribute("data-mark", "1")
    expect(tiles(bob).first.locator(".by")).to_have_text("A")
    expect(photos(bob).first).to_have_attribute("title", f"yes, by {ANN}")
    expect(tiles(ann).first.locator(".by")).to_be_hidden()

    # Bob's page hears of nothing for a while; his thumb does not overwrite what he has not seen.
    bob.route("**/news", lambda route: route.abort())
    give(ann, 1, up=False)
    stored(ann)
    give(bob, 1, up=True)
    told = f"{ANN} marked it no a moment ago: look, and press again"
    expect(bob.locator(".news")).to_have_text(told)
    assert given(bob)[:2] == ["up", "down"]
    screenshot(bob, "together-overtaken")
    give(bob, 1, up=True)
    expect(tiles(ann).nth(1)).to_have_attribute("data-mark", "1")
    expect(tiles(ann).nth(1).locator(".by")).to_have_text("B")
    bob.unroute("**/news")

    # An undo is of one's own; a click that agrees says the same, and takes nothing away.
    give(bob, 0, up=True)
    stored(bob)
    ann.keyboard.press("z")
    expect(ann.locator(".news")).to_contain_text("taken back")
    assert given(ann)[:2] == ["up", "up"], "bob's stand"
    ann.keyboard.press("Shift+Z")
    stored(ann)

    # A round that one asks for is there for the other.
    refine(ann, 2)
    expect(bob.locator(".round")).to_contain_text("Round 1 of 2")
    bob.get_by_role("button", name="Later round").click()
    round_is(bob, 2)

    page = visit(BOB, f"/history?of={session}")
    expect(page.get_by_text("labelled 2 photos in common, 1 of them alike")).to_be_visible()
    page.get_by_role("button", name="Look at the disagreements").click()
    expect(photos(page)).to_have_count(1)
    expect(photos(page).first).to_have_attribute("title", f"yes; {ANN}: no")
    screenshot(page, "together-disagreements")
