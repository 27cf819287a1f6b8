"""The app in a process of its own, for a browser to visit."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[1]
# What has no window of its own comes first: it takes two thirds of the time.
BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
# Without these Chromium looks up its maker's hosts, which a closed machine refuses.
OFFLINE = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class AppProcess:
    """The app on a port of its own, to be started, killed and started again."""

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None) -> None:
        """Say how to run it.

        Args:
            home: an empty folder, for its data and its log.
            settings: further environment variables.
        """
        with socket.create_server(("localhost", 0)) as free:
            self._port = free.getsockname()[1]
        self.address = f"http://localhost:{self._port}"
        self.log = home / "app.log"
        self._environment = {
            **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
            "HOME": str(home),
            "EXPLORER_DATA": str(home / "data"),
            "HF_HUB_OFFLINE": "1",
            **(settings or {}),
        }

    def start(self) -> None:
        """Start it, and wait until it answers."""
        arguments = ["--server.port", str(self._port), "--server.headless", "true"]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", *arguments],
                cwd=ROOT,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_until_up(self.address, self._process)
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._process.pid

    def stop(self) -> None:
        """End it as an operator does."""
        self._process.terminate()
        self._process.wait(20)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait(20)


@contextmanager
def running_app(home: Path, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of the app, just started; what it logged is looked through at the end.

    Args:
        home: an empty folder, for its data and its log.
        settings: further environment variables.
    """
    app = AppProcess(home, settings)
    app.start()
    try:
        yield app.address
    finally:
        app.stop()
    assert "Traceback" not in app.log.read_text(), app.log.read_text()


def _wait_until_up(address: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert process.poll() is None, "the app ended before it answered"
        try:
            if requests.get(f"{address}/_stcore/health", timeout=2).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            pass
        try:
            process.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("the app did not answer within a minute")
