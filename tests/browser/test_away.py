"""A database server that goes away while somebody labels, in a real browser."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.app_process import ROOT, AppProcess, running_app
from tests.browser.screen import PROMPT, ask, give, given, photos, ready, round_is, stored

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]


class Server:
    """The tests' database server in a process that can be killed; it has the sample."""

    def __init__(self, folder: Path, sample_data: Path) -> None:
        self._folder = folder
        shutil.copytree(sample_data / "database", folder, symlinks=True)
        self._port = 0
        self._stall = folder.with_name("stall")
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.serve", str(self._folder), str(self._port)),
                *("--stall", str(self._stall)),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        self._port = urlsplit(self.url).port or 0

    def freeze(self) -> None:
        """Stop it where it stands: it takes connections, and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def stall(self, *, on: bool) -> None:
        """Have searches and thumbs wait, as for a disk; all else is answered."""
        self._stall.touch() if on else self._stall.unlink()

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, sample_data: Path
) -> Iterator[tuple[Server, AppProcess]]:
    """A database server and the app on it; each test leaves them running."""
    home = tmp_path_factory.mktemp("home")
    server = Server(home / "server", sample_data)
    app = AppProcess(home, {"DATABASE_URL": server.url})
    try:
        app.start()
        yield server, app
    finally:
        app.kill()
        server.kill()


@pytest.fixture
def both(page: Page, running: tuple[Server, AppProcess]) -> tuple[Server, AppProcess]:
    """The same, with a round on screen."""
    _, app = running
    ready(page, app.address)
    ask(page, "a boat")
    return running


def test_thumbs_wait_for_a_server_that_was_killed(
    page: Page, tmp_path: Path, sample_data: Path, screenshot: Callable[[Page, str], None]
) -> None:
    server = Server(tmp_path / "server", sample_data)
    try:
        with running_app(tmp_path, {"DATABASE_URL": server.url}) as address:
            ready(page, address)
            ask(page, "a boat")
            give(page, 0, up=True)
            stored(page)
            server.kill()
            give(page, 1, up=False)
            give(page, 2, up=True)
            expect(page.get_by_text("2 thumbs not stored yet. Nothing answers at")).to_be_visible()
            screenshot(page, "away")
            page.set_viewport_size({"width": 390, "height": 844})
            screenshot(page, "away-390")
            page.set_viewport_size({"width": 1440, "height": 900})
            server.start()
            expect(page.get_by_text("not stored yet")).to_have_count(0)
            stored(page)
            page.reload()
            expect(photos(page)).to_have_count(9)
            assert given(page) == ["up", "down", "up"] + ["none"] * 6
    finally:
        server.kill()


def test_thumbs_wait_in_the_browser_while_app_and_database_are_away(
    page: Page, both: tuple[Server, AppProcess]
) -> None:
    server, app = both
    server.kill()
    give(page, 0, up=True)
    expect(page.get_by_text("1 thumb not stored yet. Nothing answers at")).to_be_visible()
    app.kill()  # which held the thumb in its memory
    give(page, 1, up=False)
    expect(page.get_by_text("2 thumbs not stored yet. The app does not")).to_be_visible()
    assert given(page) == ["up", "down"] + ["none"] * 7
    server.start()
    app.start()
    stored(page)
    page.reload()
    expect(photos(page)).to_have_count(9)
    assert given(page) == ["up", "down"] + ["none"] * 7


def test_a_reload_while_the_database_is_away_loses_no_thumb(
    page: Page, both: tuple[Server, AppProcess]
) -> None:
    server, app = both
    server.kill()
    for place in range(3):
        give(page, place, up=True)
    expect(page.get_by_text("3 thumbs not stored yet. Nothing answers at")).to_be_visible()
    app.kill()
    app.start()
    page.reload()  # neither the app nor the database know anything of the three
    expect(page.get_by_text("Nothing answers at").first).to_be_visible()
    expect(page.get_by_text("This page tries again by itself.")).to_be_visible()
    server.start()
    expect(photos(page)).to_have_count(9)
    stored(page)
    assert given(page) == ["up"] * 3 + ["none"] * 6


def test_five_hundred_thumbs_at_zero_pause_from_two_tabs_and_a_killed_app(
    page: Page, tmp_path: Path, sample_data: Path
) -> None:
    shutil.copytree(sample_data, tmp_path / "data", symlinks=True)
    app = AppProcess(tmp_path)
    app.start()
    try:
        ready(page, app.address)
        ask(page, "a boat")
        for number in range(2, 5):
            page.keyboard.press("Enter")
            round_is(page, number)
        other = page.context.new_page()
        other.goto(page.url)
        expect(photos(other)).to_have_count(9)
        for _ in range(3):
            other.get_by_role("button", name="Earlier round").click()
        round_is(other, 1)
        # Each tab has a round of its own, so that what the last of its thumbs was is known.
        burst = """async (seed) => {
            const root = document.querySelector('.stBidiComponent [data-testid]').shadowRoot;
            let random = seed;
            for (let n = 0; n < 250; n++) {
                random = (random * 48271) % 2147483647;
                const tile = root.querySelectorAll('.tile')[random % 9];
                tile.querySelectorAll('.tools [data-mark]')[random % 3].click();
                if (n % 50 === 49) await new Promise((done) => setTimeout(done, 30));
            }
        }"""
        page.evaluate(burst, 7)
        app.kill()
        other.evaluate(burst, 11)
        wanted = given(page), given(other)
        assert "up" in wanted[0]
        assert "down" in wanted[1]
        app.start()
        stored(page)
        stored(other)
        for tab, marks in zip((page, other), wanted, strict=True):
            assert given(tab) == marks
        page.reload()
        expect(photos(page)).to_have_count(9)
        assert given(page) == wanted[0]
        for _ in range(3):
            page.get_by_role("button", name="Earlier round").click()
        round_is(page, 1)
        assert given(page) == wanted[1]
        for number in range(2, 4):
            page.get_by_role("button", name="Later round").click()
            round_is(page, number)
            assert given(page) == ["none"] * 9, "none is invented"
    finally:
        app.kill()


def test_a_server_that_stands_still_is_told_and_thumbs_are_taken_meanwhile(
    page: Page, both: tuple[Server, AppProcess], screenshot: Callable[[Page, str], None]
) -> None:
    server, _ = both
    give(page, 0, up=True)
    stored(page)
    server.freeze()
    give(page, 1, up=False)
    expect(page.get_by_text("1 thumb not stored yet.")).to_be_visible()
    give(page, 2, up=True)
    expect(page.get_by_text("2 thumbs not stored yet.")).to_be_visible()
    expect(page.get_by_text("takes connections and answers nothing")).to_be_visible()
    screenshot(page, "still")
    page.set_viewport_size({"width": 390, "height": 844})
    screenshot(page, "still-390")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Refine").click()
    expect(page.get_by_role("button", name="Refine")).to_be_enabled()
    page.get_by_placeholder(PROMPT).fill("a tree")
    page.keyboard.press("Enter")
    expect(page.get_by_text("takes connections and answers nothing").first).to_be_visible()
    screenshot(page, "still-search")
    server.thaw()
    expect(page.get_by_text("not stored yet")).to_have_count(0)
    stored(page)
    page.reload()
    expect(photos(page)).to_have_count(9)
    assert given(page)[:3] == ["up", "down", "up"]


def test_a_page_that_is_opened_while_the_server_stands_still_says_which_it_waits_for(
    page: Page, running: tuple[Server, AppProcess], screenshot: Callable[[Page, str], None]
) -> None:
    server, app = running
    app.kill()
    server.freeze()
    app.start()
    page.goto(app.address)
    said = page.get_by_text(f"{server.url} has not answered yet, and is waited for")
    expect(said).to_be_visible()
    screenshot(page, "opening")
    page.set_viewport_size({"width": 390, "height": 844})
    screenshot(page, "opening-390")
    page.set_viewport_size({"width": 1440, "height": 900})
    server.thaw()
    expect(page.get_by_text("Some photos of sample")).to_be_visible()
    expect(said).to_have_count(0)


def test_a_search_that_takes_long_is_given_up_and_so_is_a_refinement(
    page: Page, both: tuple[Server, AppProcess], screenshot: Callable[[Page, str], None]
) -> None:
    server, _ = both
    give(page, 0, up=True)
    stored(page)
    server.stall(on=True)
    give(page, 1, up=True)
    expect(
        page.get_by_text("1 thumb not stored yet. The database has not answered yet")
    ).to_be_visible()
    assert given(page)[:2] == ["up", "up"]
    page.get_by_placeholder(PROMPT).fill("a tree")
    page.keyboard.press("Enter")
    expect(page.get_by_text("has been at work on it for")).to_be_visible()
    screenshot(page, "at-work")
    page.get_by_role("button", name="Give up").click()
    expect(page.get_by_text("The search was given up.")).to_be_visible()
    expect(photos(page)).to_have_count(9)
    server.stall(on=False)
    stored(page)
    server.stall(on=True)
    page.get_by_role("button", name="Refine").click()
    page.get_by_role("button", name="Give up").click()
    expect(page.get_by_role("button", name="Refine")).to_be_enabled()
    expect(page.get_by_text("Given up").first).to_be_visible()
    server.stall(on=False)
    give(page, 2, up=True)
    stored(page)
    assert given(page)[:3] == ["up", "up", "up"]
