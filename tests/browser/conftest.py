"""The app in a process of its own, and a real Chromium to drive it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.app_process import BROWSERS, OFFLINE, running_app
from tests.browser.screen import WAIT


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        message = f"no browser: install Chromium (looked for {', '.join(BROWSERS)})"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(OFFLINE))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    opened = context.new_page()
    opened.set_default_timeout(WAIT)
    yield opened
    context.close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, just started on an empty data folder."""
    with running_app(tmp_path_factory.mktemp("home")) as address:
        yield address


@pytest.fixture
def screenshot(pytestconfig: pytest.Config) -> Callable[[Page, str], None]:
    """Keeps a picture of the page where `--screenshots FOLDER` asks for it."""
    folder = pytestconfig.getoption("--screenshots")

    def save(page: Page, name: str) -> None:
        if folder is not None:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.wait_for_timeout(500)
            page.screenshot(path=Path(folder) / f"{name}.png")

    return save
