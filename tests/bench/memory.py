"""Whether the app's memory and open files stay flat: `python -m tests.bench.memory`.

One browser searches again and again, and then loads the page again and again. What the process of
the app has resident and open is told at every tenth of the way.
"""

import argparse
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from ingest.sample import EXAMPLE_PROMPTS
from tests.app_process import BROWSERS, OFFLINE, AppProcess
from tests.browser.screen import FIRST_LOAD, PROMPT, WAIT, photos

STEPS = 10


def main() -> None:
    """Search, load the page again, and tell what the process had after each tenth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, default=2_000)
    parser.add_argument("--reloads", type=int, default=300)
    options = parser.parse_args()
    path = next(filter(None, map(shutil.which, BROWSERS)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        app = AppProcess(Path(folder))
        app.start()
        chromium = playwright.chromium.launch(executable_path=path, args=list(OFFLINE))
        page = chromium.new_page()
        page.set_default_timeout(WAIT)
        try:
            page.goto(app.address)
            expect(page.get_by_text("Some photos of sample")).to_be_visible(timeout=FIRST_LOAD)
            tell(app, "searches", options.searches, lambda number: search(page, number))
            tell(app, "reloads", options.reloads, lambda _: load(page, app.address))
        finally:
            chromium.close()
            app.stop()


def search(page: Page, number: int) -> None:
    """Ask for something that was not asked before, and wait for its photos."""
    before = page.url
    page.get_by_placeholder(PROMPT).fill(f"{EXAMPLE_PROMPTS[number % 3]} {number}")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != before)
    expect(photos(page).first).to_be_visible()


def load(page: Page, address: str) -> None:
    """Load the front page."""
    page.goto(address)
    expect(page.get_by_text("Some photos of sample")).to_be_visible()


def tell(app: AppProcess, what: str, count: int, do: Callable[[int], None]) -> None:
    """Do something so many times, and print what the process has meanwhile."""
    started = time.monotonic()
    for number in range(count):
        do(number)
        if (number + 1) % max(1, count // STEPS) == 0:
            seconds = time.monotonic() - started
            print(f"{number + 1:,} {what}, {seconds:,.0f} s: {state_of(app.pid)}", flush=True)


def state_of(process: int) -> str:
    """What a process has in memory and open."""
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    resident = int(found[1]) / 1024 if found else float("nan")
    return f"{resident:,.0f} MB resident, {len(os.listdir(f'/proc/{process}/fd'))} files open"  # noqa: PTH208


if __name__ == "__main__":
    main()
