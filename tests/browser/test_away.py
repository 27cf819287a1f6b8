"""A database server that goes away while somebody labels, in a real browser."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.app_process import ROOT, running_app
from tests.browser.screen import FIRST_LOAD, PROMPT, give, given, settle, thumbs

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]


class Server:
    """The tests' database server in a process that can be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.serve", str(self._folder), str(self._port)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        self._port = urlsplit(self.url).port or 0

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def test_thumbs_wait_for_a_server_that_was_killed(
    page: Page, tmp_path: Path, screenshot: Callable[[Page, str], None]
) -> None:
    server = Server(tmp_path / "server")
    try:
        with running_app(tmp_path, {"DATABASE_URL": server.url}) as address:
            page.goto(address)
            expect(page.get_by_text("Some photos of sample")).to_be_visible(timeout=FIRST_LOAD)
            page.get_by_placeholder(PROMPT).fill("a boat")
            page.keyboard.press("Enter")
            expect(thumbs(page)).to_have_count(9)
            settle(page)
            give(page, 0, up=True)
            server.kill()
            give(page, 1, up=False)
            give(page, 2, up=True)
            expect(page.get_by_text("2 thumbs are not stored yet")).to_be_visible()
            screenshot(page, "away")
            page.set_viewport_size({"width": 390, "height": 844})
            screenshot(page, "away-390")
            page.set_viewport_size({"width": 1440, "height": 900})
            server.start()
            expect(page.get_by_text("not stored yet")).to_have_count(0)
            page.reload()
            expect(thumbs(page)).to_have_count(9)
            settle(page)
            assert given(page) == ["up", "down", "up"] + ["none"] * 6
    finally:
        server.kill()
