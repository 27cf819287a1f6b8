"""The life of a classifier, from a prompt to its end, by somebody who looks for pets in a field."""

import csv
import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as TooLate

from classifier.exports.formats import FOLDERS, FORMATS
from ingest.sample.captions import describe
from ingest.sample.drawing import draw
from ingest.sample.scenes import EVALUATION_SEEDS, PICTURE_SIDE, SAMPLE_SEEDS, compose
from tests.browser.screen import ask, expand, give, names, ready, refine, settle, stored

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

Screenshot = Callable[[Page, str], None]

# The concept of test_app.py, and for its reason.
PROMPT = "pets in a field"
NEW = 200


def is_right(name: str) -> bool:
    return "field" in name and ("dog" in name or "cat" in name)


@cache
def right() -> set[str]:
    """The ids of all right photos of the sample."""
    return {scene.id for scene in map(compose, SAMPLE_SEEDS) if is_right(describe(scene))}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Photos that were taken since: scenes that are not in the sample."""
    new = tmp_path / "new"
    new.mkdir()
    for seed in EVALUATION_SEEDS[:NEW]:
        draw(compose(seed), PICTURE_SIDE).save(new / f"{seed}.png")
    return new


def test_a_classifier_lives(app: str, page: Page, folder: Path, screenshot: Screenshot) -> None:
    ready(page, app)
    ask(page, PROMPT)
    for number in (1, 2, 3):
        mark_by_truth(page)
        if number < 3:
            refine(page, number + 1)
    save(page, "Pets")
    expect(page.get_by_text("Saved, fit on")).to_be_visible()

    page.get_by_role("link", name="Classifiers").click()
    expect(page.get_by_text("of 2,000 photos score at least")).to_be_visible()
    settle(page)
    first = kept_photos(page, folder)

    # Sharpened at the threshold, it is better by truth.
    expand(page, "Sharpen it at the threshold")
    page.get_by_role("button", name="Label 18 photos at the threshold").click()
    expect(page.locator(".round")).to_contain_text("at the threshold")
    settle(page)
    expect(page.locator(".live")).to_contain_text("18 photos")
    mark_by_truth(page)
    screenshot(page, "sharpen")
    page.get_by_role("button", name="Make version 2").click()
    expect(page.get_by_text("From version 1 to 2,")).to_be_visible()
    settle(page)
    screenshot(page, "versions")
    second = kept_photos(page, folder)
    assert quality(second) > quality(first)

    # It is taken back, and used again, by a click.
    page.get_by_role("button", name="Use version 1 again").click()
    expect(page.get_by_text("From version 2 to 1,")).to_be_visible()
    settle(page)
    assert kept_photos(page, folder) == first
    page.get_by_role("button", name="Use version 2 again").click()
    expect(page.get_by_text("From version 1 to 2,")).to_be_visible()

    load(page, folder)
    page.get_by_role("link", name="Classifiers").click()
    expect(page.get_by_text("of 2,200 photos score at least")).to_be_visible()
    settle(page)
    expect(page.get_by_text(f"{NEW} new since version 2 was saved")).to_be_visible()
    screenshot(page, "new-photos")
    news = kept_photos(page, folder) - second
    assert len(news) > 1
    expect(page.get_by_text(f", {len(news)} of them above the threshold")).to_be_visible()
    expand(page, f"Look at {len(news)} new photos")
    page.get_by_role("button", name=f"Label {len(news)} of them").click()
    expect(page.locator(".round")).to_contain_text("new photos")
    expect(page.locator(".tile")).to_have_count(len(news))

    export(page, folder.parent)

    # Its name, in another session, is a choice to make.
    page.get_by_role("link", name="Label").click()
    page.get_by_role("button", name="New search").click()
    ask(page, "a lighthouse at night")
    save(page, "pets")
    expect(page.get_by_text("“Pets” is there already, from another session")).to_be_visible()
    screenshot(page, "name-taken")
    page.get_by_role("button", name="Save as “Pets 2”").click()
    expect(page.get_by_text("Saved, fit on 0 up and 0 down")).to_be_visible()

    page.goto(f"{app}/classifiers?classifier=Pets · sample")
    expect(page.get_by_text("18 up")).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Delete").first.click()
    expect(page.get_by_text("It takes along its 2 versions")).to_be_visible()
    page.get_by_test_id("stPopoverBody").get_by_role("button", name="Delete").click()
    shown = page.get_by_role("combobox", name="Classifier", exact=True)
    expect(shown).to_have_value("Pets 2 · sample")


def save(page: Page, name: str) -> None:
    page.get_by_role("button", name="Save classifier").click()
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("button", name="Save", exact=True).click()


def mark_by_truth(page: Page) -> None:
    """Thumbs up for what is right, and down for the rest."""
    for place, name in enumerate(names(page)):
        if is_right(name):
            give(page, place, up=True)
    page.get_by_role("button", name="Rest are no").click()
    expect(unmarked(page)).to_have_count(0)
    stored(page)


def unmarked(page: Page) -> Locator:
    return page.locator(".tile:not([data-mark])")


def kept_photos(page: Page, folder: Path) -> set[str]:
    """The ids of the photos that the classifier keeps, from the file that it can be taken as."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Scores and labels (CSV)").click()
    file = folder.parent / "scores.csv"
    download.value.save_as(file)
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    return {row["id"] for row in rows if row["kept"] == "1"}


def quality(kept: set[str]) -> float:
    """The F1 score, by the truth of all scenes of the sample."""
    return 2 * len(kept & right()) / (len(kept) + len(right()))


def export(page: Page, beside: Path) -> None:
    """Take the kept photos away in every form that there is."""
    expand(page, "Take the photos elsewhere")
    settle(page)
    for form in FORMATS:
        choose(page, form.title)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download", exact=True).click()
        assert download.value.suggested_filename == f"Pets{form.ending}"
        assert Path(download.value.path()).stat().st_size > 0, form.title
    for form in FOLDERS:
        choose(page, form.title)
        target = beside / form.title.split()[0]
        page.get_by_role("textbox", name="Folder on the app's machine").fill(str(target))
        page.get_by_role("button", name="Write the photos").click()
        told = page.get_by_text(re.compile(rf"^{re.escape(str(target))}: \d+ photos written"))
        expect(told).to_be_visible()
        count = int(re.findall(r": (\d+) photos", told.inner_text())[0])
        files = [file for file in target.rglob("*") if file.is_file()]
        assert count + 1 == len(files) > 10, "the photos, and their list"


def choose(page: Page, form: str) -> None:
    box = page.get_by_role("combobox", name="As", exact=True)
    option = page.get_by_role("option", name=form, exact=True)
    box.scroll_into_view_if_needed()
    box.focus()
    # The list closes when what is around it moves, as photos come in: a person opens it again.
    for _ in range(20):
        if not option.is_visible():
            box.press("ArrowDown")
        with suppress(TooLate):
            option.click(timeout=1000)
            break
    expect(option).to_have_count(0)
    settle(page)


def load(page: Page, folder: Path) -> None:
    """Load the new photos into the sample's collection, from its page."""
    page.get_by_role("link", name="Collection").click()
    page.get_by_role("textbox", name="Folder on this computer").fill(str(folder))
    page.get_by_role("textbox", name="Collection").first.fill("sample")
    page.get_by_role("button", name="Load the folder").click()
    page.get_by_role("button", name="Load into sample all the same").click()
    expect(page.get_by_text(f"{NEW} added")).to_be_visible(timeout=90_000)
