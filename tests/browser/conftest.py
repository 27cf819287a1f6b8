"""The app in a process of its own, and a real Chromium to drive it."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.app_process import BROWSERS, OFFLINE, ROOT, running_app
from tests.browser.screen import WAIT

# What is looked for may take its time on a busy machine.
expect.set_options(timeout=WAIT)


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


@pytest.fixture(scope="session")
def sample_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the sample, to be copied: drawing it takes longer than most tests.

    Test processes that run side by side share the folder above their own, and draw it once.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    data = shared / "sample"
    with (shared / "sample.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not data.exists():
            drawing = shared / "drawing"
            subprocess.run(
                [sys.executable, "-m", "ingest", "sample"],
                cwd=ROOT,
                env={**os.environ, "EXPLORER_DATA": str(drawing), "HF_HUB_OFFLINE": "1"},
                check=True,
                capture_output=True,
            )
            drawing.rename(data)
    return data


@pytest.fixture(scope="module")
def app(sample_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, just started on a data folder with the sample."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(sample_data, home / "data", symlinks=True)
    with running_app(home) as address:
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
