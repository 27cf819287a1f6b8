"""Several people label at once, in real browsers: `python -m tests.bench.sessions`.

Each searches, gives nine thumbs with small pauses, refines, and so on. In the end every thumb that
was clicked has to be in the database, and no screen may have shown an error.
"""

import argparse
import asyncio
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
from playwright.async_api import Browser, Page, async_playwright, expect

from db.database import open_database
from db.sessions import DOWN, NONE, UP, Sessions
from ingest.sample import EXAMPLE_PROMPTS
from tests.app_process import BROWSERS, OFFLINE, running_app
from tests.bench.engines import database_urls

PAGE = 9
WAIT = 60_000  # milliseconds
FIRST_LOAD = 180_000


@dataclass
class Person:
    """What one browser session did.

    Attributes:
        number: which of them.
        session: the labelling session's id.
        rounds: the thumbs clicked, round by round, in the order of the photos.
        seconds: how long each refinement took until the next round was on screen.
    """

    number: int
    session: str = ""
    rounds: list[list[int]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def main() -> None:
    """Label for a while on each engine, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--engines", nargs="+", default=["embedded", "http"])
    options = parser.parse_args()
    for engine in options.engines:
        with tempfile.TemporaryDirectory() as folder:
            print(run(engine, Path(folder), options.people, options.seconds))


def run(engine: str, folder: Path, people: int, seconds: float) -> str:
    """One line: what was clicked, what was stored, and how long a refinement took."""
    with database_urls([engine], folder) as urls:
        with running_app(folder, {"DATABASE_URL": urls[engine]}) as address:
            persons = asyncio.run(label_together(address, people, seconds))
        database = open_database(urls[engine])
        stored = [stored_thumbs(database.sessions, person) for person in persons]
        database.close()
    lost = [
        f"person {person.number}, round {number}: clicked {clicked}, stored {was}"
        for person, rounds in zip(persons, stored, strict=True)
        for number, (clicked, was) in enumerate(zip(person.rounds, rounds, strict=True), 1)
        if clicked != was
    ]
    waits = sorted(wait for person in persons for wait in person.seconds)
    summary = (
        f"{engine}: {people} sessions, {seconds:.0f} s, {len(waits)} rounds of {PAGE} thumbs, "
        f"{len(lost)} rounds with a lost or wrong one; a refinement took "
        f"{waits[len(waits) // 2]:.1f} s (median), {waits[-1]:.1f} s at most"
    )
    return "\n".join([*lost, summary])


def stored_thumbs(sessions: Sessions, person: Person) -> list[list[int]]:
    """What the database has of the rounds that a person went through."""
    labels = {row.photo: row.label for row in sessions.labels(person.session)}
    shown = sessions.rounds(person.session)[: len(person.rounds)]
    return [[labels.get(photo, NONE) for photo in round_.photos] for round_ in shown]


async def label_together(address: str, people: int, seconds: float) -> list[Person]:
    """Everybody in a browser context of their own."""
    path = next(filter(None, map(shutil.which, BROWSERS)))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(OFFLINE))
        await first_load(browser, address)
        end = time.monotonic() + seconds
        persons = [Person(number) for number in range(people)]
        await asyncio.gather(*(label(browser, address, person, end) for person in persons))
        await browser.close()
    return persons


async def first_load(browser: Browser, address: str) -> None:
    """Wait until the sample is there."""
    page = await browser.new_page()
    await page.goto(address)
    await expect(page.get_by_text("Some photos of sample")).to_be_visible(timeout=FIRST_LOAD)
    await page.close()


async def label(browser: Browser, address: str, person: Person, end: float) -> None:
    """Search and label until the time is over; a round that was begun is finished."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    page.set_default_timeout(WAIT)
    chance = np.random.default_rng(person.number)
    await page.goto(address)
    box = page.get_by_placeholder("What should the photos show?")
    await box.fill(EXAMPLE_PROMPTS[person.number % len(EXAMPLE_PROMPTS)])
    await box.press("Enter")
    while time.monotonic() < end:
        await round_is(page, len(person.rounds) + 1)
        person.rounds.append(await give_thumbs(page, chance))
        await refine(page, person)
    person.session = parse_qs(urlsplit(page.url).query)["session"][0]
    await context.close()


async def give_thumbs(page: Page, chance: np.random.Generator) -> list[int]:
    """Click a thumb under every photo, now and then a second one that takes its place."""
    photos = page.locator(".tile .photo")
    await expect(photos).to_have_count(PAGE, timeout=WAIT)
    given = []
    for place in range(PAGE):
        for _ in range(1 if chance.random() < 0.9 else 2):
            thumb = int(chance.choice((UP, DOWN)))
            if await page.locator(".tile").nth(place).get_attribute("data-mark") != str(thumb):
                await photos.nth(place).click(modifiers=[] if thumb == UP else ["Alt"])
            await asyncio.sleep(chance.uniform(0.05, 0.4))
        given.append(thumb)
    return given


async def refine(page: Page, person: Person) -> None:
    """Ask for the next round, and look for errors."""
    start = time.monotonic()
    await page.get_by_role("button", name="Refine").click()
    await round_is(page, len(person.rounds) + 1)
    person.seconds.append(time.monotonic() - start)
    for trouble in ("stException", "stAlertContentError"):
        shown = await page.get_by_test_id(trouble).all_text_contents()
        assert not shown, shown
    assert not await page.get_by_text("not stored yet").count()


async def round_is(page: Page, number: int) -> None:
    """Wait for a round."""
    await expect(page.locator(".round")).to_contain_text(f"Round {number} of", timeout=WAIT)


if __name__ == "__main__":
    main()
