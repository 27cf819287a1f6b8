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
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
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


@contextmanager
def running_app(home: Path, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of the app, just started; what it logged is looked through at the end.

    Args:
        home: an empty folder, for its data and its log.
        settings: further environment variables.
    """
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        "HOME": str(home),
        "EXPLORER_DATA": str(home / "data"),
        "HF_HUB_OFFLINE": "1",
        **(settings or {}),
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
