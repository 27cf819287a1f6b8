"""The app in a process of its own, and a real Chromium to drive it."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Without these Chromium looks up its maker's hosts, which a closed machine refuses.
_OFFLINE = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        message = f"no browser: install Chromium (looked for {', '.join(_NAMES)})"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(_OFFLINE))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, just started on an empty data folder."""
    home = tmp_path_factory.mktemp("home")
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        "HOME": str(home),
        "EXPLORER_DATA": str(home / "data"),
        "HF_HUB_OFFLINE": "1",
    }
    arguments = ["--server.port", str(port), "--server.headless", "true"]
    log = home / "app.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *arguments],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://localhost:{port}"
        _wait_until_up(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in log.read_text(), log.read_text()


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


def _wait_until_up(address: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert process.poll() is None, "the app ended before it answered"
        try:
            if requests.get(f"{address}/_stcore/health", timeout=2).ok:
                return
        except requests.ConnectionError:
            pass
        try:
            process.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("the app did not answer within a minute")
