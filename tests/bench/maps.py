"""How soon a map is on the screen: `python -m tests.bench.maps`.

Its points lie by chance, and its collection is random: what is measured is from the click that
opens the map to the frame with all its points.
"""

import argparse
import shutil
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
from playwright.sync_api import Page, expect, sync_playwright

from db.classifiers import SavedClassifier
from db.database import open_database
from db.maps import Maps, PhotoMap
from db.settings import default_url
from tests.app_process import BROWSERS, OFFLINE, running_app
from tests.browser.screen import FIRST_LOAD, WAIT, settle
from tests.conftest import filled, unit_vectors

SIZES = (25_000, 100_000)

# From the click on, until map.js says that its points are on the screen.
_CLICK = """(opener) => new Promise((resolve) => {
  performance.clearMarks("map-painted");
  const start = performance.now();
  const look = () => {
    const [mark] = performance.getEntriesByName("map-painted");
    if (mark) resolve(mark.startTime - start);
    else setTimeout(look, 5);
  };
  opener.click();
  look();
})"""


def main() -> None:
    """Measure, and print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=9)
    options = parser.parse_args()
    path = next(filter(None, map(shutil.which, BROWSERS)))
    for n in SIZES:
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            fill(Path(folder) / "data", n)
            with running_app(Path(folder)) as app:
                chromium = playwright.chromium.launch(executable_path=path, args=list(OFFLINE))
                page = chromium.new_page(viewport={"width": 1440, "height": 900})
                page.set_default_timeout(WAIT)
                times = [paint(page, app) for _ in range(options.repetitions + 1)][1:]
                chromium.close()
        told = ", ".join(f"{time:.0f}" for time in sorted(times))
        print(f"{n:,} points: median {median(times):.0f} ms ({told})")


def fill(data: Path, n: int) -> None:
    """Store a collection, a classifier of it, and its map."""
    with closing(open_database(default_url(data))) as database:
        collection, table, _ = filled(database, n)
        facts = ("a lake", "", "whitened", 1, 1, 1, unit_vectors(1, seed=3)[0], datetime.now(UTC))
        made_by = (collection.name, collection.model, collection.fingerprint)
        database.classifiers.save(SavedClassifier("an-id", "Lakes", *made_by, *facts))
        stored = database.collections.find(collection.name)
        assert stored is not None
        ids = sorted(table.ids())
    with closing(Maps(data / "maps")) as maps:
        maps.put(stored, PhotoMap(ids, np.random.default_rng(0).random((n, 2), np.float32)))


def paint(page: Page, app: str) -> float:
    """Milliseconds until the map is there."""
    page.goto(f"{app}/classifiers")
    expect(page.get_by_text("photos score at least")).to_be_visible(timeout=FIRST_LOAD)
    settle(page)
    opener = page.locator("summary").filter(has_text="Map")
    return float(opener.evaluate(_CLICK))


if __name__ == "__main__":
    main()
