"""The labelling desk beside a bare page of the same photos: `python -m tests.bench.desk`.

About three minutes after the sample's first load, in a real Chromium. Both pages stand open and
take turns, so that both meet whatever else the machine does: compare within one run only. The bare
page shows, from files, the very pictures that the desk showed. Times are taken inside the pages:
from the event, or from the navigation, to the end of the first frame that shows what was waited
for.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median

import requests
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from ingest.sample import EXAMPLE_PROMPTS
from tests.app_process import BROWSERS, OFFLINE, ROOT, running_app

SIZES = (9, 36)
THUMBS = 3  # clicked one by one in each round
WAIT = 60_000  # milliseconds
FIRST_LOAD = 180_000
WINDOW = {"width": 1440, "height": 900}
BARE = Path(__file__).with_name("bare_page.py")

# Goes into every page before its own scripts. `painted` tells when the first frame was done that
# shows something: a task that is posted by a frame's callback runs after that frame's paint.
PROBE = """{
const probe = (window.probe = { events: [], answers: [], pictures: [] });
const roots = [document];
const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function (options) {
  const root = attach.call(this, options);
  roots.push(root);
  return root;
};
const all = (selector) => roots.flatMap((root) => [...root.querySelectorAll(selector)]);
const painted = (shows) => new Promise((resolve) => {
  const look = () => {
    if (!shows()) return requestAnimationFrame(look);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve(performance.now());
    port2.postMessage(null);
  };
  requestAnimationFrame(look);
});
const texts = () => all("[data-testid=stMain] [data-testid=stMarkdownContainer]");
const photos = () => all(".tile .photo img, [data-testid=stImage] img");
const marked = () => all(".tile[data-mark='1'], [data-testid=stFeedback] [aria-checked=true]");
const loaded = (photo) => photo.complete && photo.naturalWidth > 0;

probe.text = painted(() => texts().some((text) => text.textContent.trim()));
probe.photo = painted(() => photos().some(loaded));
probe.sources = () => photos().map((photo) => photo.src);
probe.expect = (shows) => {
  for (const list of [probe.events, probe.answers, probe.pictures]) list.length = 0;
  probe.done = painted(shows).then((end) => end - probe.events[0]);
};
probe.expectMark = () => {
  const before = marked().length;
  probe.expect(() => marked().length > before);
};
probe.expectRound = (n) => {
  const old = new Set(probe.sources());
  const isNew = (photo) => loaded(photo) && !old.has(photo.src);
  probe.expect(() => photos().length === n && photos().every(isNew));
};
probe.answer = () => probe.answers.find((end) => end > probe.events[0]) - probe.events[0];

const note = ({ timeStamp }) => probe.events.push(timeStamp);
for (const kind of ["click", "keydown"]) addEventListener(kind, note, true);
new PerformanceObserver((list) => {
  for (const { name, initiatorType, startTime, responseEnd } of list.getEntries()) {
    if (name.includes("/desk/")) probe.answers.push(responseEnd);
    if (initiatorType === "img") probe.pictures.push([startTime, responseEnd]);
  }
}).observe({ type: "resource" });
// Streamlit has answered when its script has run, which an empty SessionStatus of two bytes says.
const Socket = WebSocket;
window.WebSocket = class extends Socket {
  constructor(...where) {
    super(...where);
    this.addEventListener("message", ({ data }) => {
      if ((data.byteLength ?? data.size) === 2) probe.answers.push(performance.now());
    });
  }
};
}"""

Times = defaultdict[str, list[float]]  # milliseconds by what was measured


class Side(ABC):
    """One of the two pages, open in the browser.

    Attributes:
        page: the page.
        n: photos a round.
        times: what was measured on it.
    """

    def __init__(self, page: Page, n: int) -> None:
        self.page = page
        self.n = n
        self.times = Times(list)

    @property
    @abstractmethod
    def url(self) -> str:
        """Where a new window shows the round that is on screen."""

    @abstractmethod
    def thumb(self, place: int) -> Locator:
        """What is clicked to thumb a photo up."""

    @abstractmethod
    def onward(self) -> Locator:
        """What is clicked for the next round."""

    @abstractmethod
    def quick_round(self) -> list[Callable[[], None]]:
        """What gives all photos a thumb and asks for the next round, without waiting."""


class Desk(Side):
    """The desk, in a session of its own; what it shows is kept for the bare page.

    Attributes:
        folder: where each round's pictures go, in a folder of their own.
        round: the one on screen.
    """

    def __init__(self, page: Page, address: str, n: int, folder: Path) -> None:
        super().__init__(page, n)
        self.folder = folder
        self.round = 0
        page.goto(address)
        page.get_by_role("button", name="Options").click()
        page.get_by_role("radio", name=str(n), exact=True).click()
        page.get_by_text("Stack near-duplicates").click()  # off: the bare page knows no stacks
        page.keyboard.press("Escape")
        box = page.get_by_placeholder("What should the photos show?")
        box.fill(EXAMPLE_PROMPTS[0])
        box.press("Enter")
        expect(page.locator(".tile")).to_have_count(n, timeout=WAIT)
        self.keep_round()

    @property
    def url(self) -> str:
        return self.page.url

    def thumb(self, place: int) -> Locator:
        return self.page.locator(".tile .photo").nth(place)

    def onward(self) -> Locator:
        return self.page.locator("footer [data-act=refine]")

    def finish_round(self) -> None:
        """Thumb the rest of the photos down."""
        self.page.evaluate("probe.expect(() => true)")
        self.page.keyboard.press("r")
        answer(self)

    def quick_round(self) -> list[Callable[[], None]]:
        self.page.keyboard.press("Home")
        keys = ["a" if place % 2 == 0 else "x" for place in range(self.n)]
        return [partial(self.page.keyboard.press, key) for key in (*keys, "Enter")]

    def keep_round(self) -> None:
        self.round += 1
        folder = self.folder / str(self.round)
        folder.mkdir(parents=True)
        for place, source in enumerate(self.page.evaluate("probe.sources()")):
            picture = self.page.request.get(source)
            assert picture.ok, source
            (folder / f"{place:02}.jpg").write_bytes(picture.body())


class Bare(Side):
    """The bare page, one round behind a desk."""

    def __init__(self, page: Page, address: str, desk: Desk) -> None:
        super().__init__(page, desk.n)
        self._address = address
        self._desk = desk
        page.goto(self.url)
        expect(page.get_by_test_id("stFeedback")).to_have_count(desk.n, timeout=WAIT)

    @property
    def url(self) -> str:
        return f"{self._address}?photos={self.n}&round={self._desk.round}"

    def thumb(self, place: int) -> Locator:
        return self.page.get_by_test_id("stFeedback").nth(place).get_by_role("radio").first

    def onward(self) -> Locator:
        return self.page.get_by_role("button", name="Next")

    def quick_round(self) -> list[Callable[[], None]]:
        places = [self.thumb(place) for place in range(self.n)]
        return [click_at(place) for place in (*places, self.onward())]


def click_at(place: Locator) -> Callable[[], None]:
    """A click without Playwright's own waiting and scrolling."""
    box = place.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return partial(place.page.mouse.click, x, y)


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--home", type=Path, help="keeps the app's sample between two runs")
    options = parser.parse_args()
    with ExitStack() as stack:
        empty, rounds = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
        home = (options.home or empty).resolve()
        app = stack.enter_context(running_app(home))
        bare = stack.enter_context(serving(home, "run", str(BARE), str(rounds)))
        hello = stack.enter_context(serving(home, "hello"))
        browser = stack.enter_context(chromium())
        first_load(browser, app)
        pairs = []
        for n in SIZES:
            desk = Desk(new_page(browser), app, n, rounds / str(n))
            pairs.append((desk, Bare(new_page(browser), bare, desk)))
        loads = Times(list)
        for repetition in range(options.repetitions + 1):
            if repetition == 1:  # the one before warmed all of them up
                for times in (loads, *(side.times for pair in pairs for side in pair)):
                    times.clear()
            for pair in pairs:
                take_turns(*pair)
            load_pages(browser, {"hello": hello, "front": app}, pairs, loads)
        print(f"{report(loads, pairs)}\n\n{stages(pairs)}")


# ---- servers and windows


@contextmanager
def serving(home: Path, *arguments: str) -> Iterator[str]:
    """The address of `streamlit` with these arguments, under the app's own settings."""
    with socket.create_server(("localhost", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://localhost:{port}"
    options = [f"--server.port={port}", "--server.headless=true"]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", *arguments, *options],
        cwd=ROOT,
        env={**os.environ, "HOME": str(home)},
        stdout=subprocess.DEVNULL,
    )
    try:
        with requests.Session() as session:
            session.mount(address, HTTPAdapter(max_retries=Retry(connect=20, backoff_factor=0.1)))
            session.get(f"{address}/_stcore/health", timeout=60).raise_for_status()
        yield address
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(OFFLINE))
        yield browser
        browser.close()


def new_page(browser: Browser) -> Page:
    """In a window of its own, with nothing cached."""
    context = browser.new_context(viewport=WINDOW)
    context.set_default_timeout(WAIT)
    context.add_init_script(PROBE)
    return context.new_page()


def first_load(browser: Browser, address: str) -> None:
    """Wait until the sample is there."""
    page = new_page(browser)
    page.goto(address)
    expect(page.get_by_text("Some photos of sample")).to_be_visible(timeout=FIRST_LOAD)
    page.context.close()


# ---- what is measured


def take_turns(desk: Desk, bare: Bare) -> None:
    """Thumbs and the next round on both; where all is on screen, once more without a pause."""
    for steps in (one_by_one, at_once) if desk.n == min(SIZES) else (one_by_one,):
        desk.page.bring_to_front()
        steps(desk)
        desk.keep_round()
        bare.page.bring_to_front()
        steps(bare)


def one_by_one(side: Side) -> None:
    """Some thumbs, each when the one before is done with, and then the next round."""
    page, times = side.page, side.times
    for place in range(THUMBS):
        page.evaluate("probe.expectMark()")
        side.thumb(place).click()
        times["thumb painted"].append(page.evaluate("probe.done"))
        times["thumb stored"].append(answer(side))
    if isinstance(side, Desk):
        side.finish_round()
    page.evaluate("n => probe.expectRound(n)", side.n)
    side.onward().click()
    times["painted"].append(page.evaluate("probe.done"))
    times["answered"].append(answer(side))
    start, pictures = page.evaluate("[probe.events[0], probe.pictures]")
    times["first picture asked for"].append(min(begin for begin, _ in pictures) - start)
    times["last picture there"].append(max(end for _, end in pictures) - start)


def at_once(side: Side) -> None:
    """All thumbs and the next round without a pause: by keys, or by clicks."""
    acts = side.quick_round()
    side.page.evaluate("n => probe.expectRound(n)", side.n)
    for act in acts:
        act()
    side.times["round at once"].append(side.page.evaluate("probe.done"))
    side.times["given"].append(side.page.evaluate("probe.events.at(-1) - probe.events[0]"))


def answer(side: Side) -> float:
    """Milliseconds from the event to the server's answer: what was sent is stored by then."""
    side.page.wait_for_function("probe.answer() > 0")
    milliseconds: float = side.page.evaluate("probe.answer()")
    return milliseconds


def load_pages(
    browser: Browser, fronts: Mapping[str, str], pairs: Sequence[tuple[Desk, Bare]], loads: Times
) -> None:
    """Open each page in a window of its own, one after the other."""
    urls = {f"{type(side).__name__} {side.n}": side.url for pair in pairs for side in pair}
    for name, url in {**fronts, **urls}.items():
        page = new_page(browser)
        page.goto(url, wait_until="commit")
        loads[f"{name} text"].append(page.evaluate("probe.text"))
        if name != "hello":
            loads[f"{name} photo"].append(page.evaluate("probe.photo"))
        page.context.close()


# ---- tables


def report(loads: Times, pairs: Sequence[tuple[Desk, Bare]]) -> str:
    """Medians, their ratios, and the aims."""
    hello = loads["hello text"]
    lines = [
        "| measured | photos | desk, ms | beside it, ms | ratio | aim | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        row("front page: first text; `hello`'s", 10, loads["front text"], hello, ratio=1.3),
    ]
    for desk, bare in pairs:
        n, ours, theirs = desk.n, desk.times, bare.times
        text, photo = loads[f"Desk {n} text"], loads[f"Desk {n} photo"]
        lines += [
            row("desk opened: first text; `hello`'s", n, text, hello, ratio=1.3),
            row("desk opened: first photo; `hello`'s first text", n, photo, hello, ratio=1.3),
            row("desk opened: first photo; bare page's", n, photo, loads[f"Bare {n} photo"]),
            *(
                row(f"{what}; bare page's", n, ours[what], theirs[what], most=most)
                for what, most in (("thumb painted", 20), ("thumb stored", 100))
            ),
            row("Refine painted; bare page's rerun", n, ours["painted"], theirs["painted"], 1.5),
        ]
    desk, bare = min(pairs, key=lambda pair: pair[0].n)
    for words, what in (
        ("round by ten keys, painted; by ten clicks", "round at once"),
        ("of which until the last key; the last click", "given"),
    ):
        lines.append(row(words, desk.n, desk.times[what], bare.times[what]))
    return "\n".join(lines)


def row(
    what: str,
    n: int,
    ours: list[float],
    theirs: list[float],
    ratio: float | None = None,
    most: float | None = None,
) -> str:
    """A line of the table; the aim is a ratio, or a number of milliseconds, or none."""
    a, b = median(ours), median(theirs)
    aim, met = "", ""
    if ratio is not None:
        aim, met = f"≤ {ratio} x", "met" if a <= ratio * b else "missed"
    if most is not None:
        aim, met = f"≤ {most} ms", "met" if a <= most else "missed"
    return f"| {what} | {n} | {a:.0f} | {b:.0f} | {a / b:.2f} | {aim} | {met} |"


def stages(pairs: Sequence[tuple[Desk, Bare]]) -> str:
    """How far each page had come when, after the click for the next round."""
    sides = [side for pair in pairs for side in pair]
    names = " | ".join(f"{type(side).__name__.lower()}, {side.n} photos" for side in sides)
    lines = [f"| ms after the click | {names} |", "| --- " * (len(sides) + 1) + "|"]
    for what in ("answered", "first picture asked for", "last picture there", "painted"):
        figures = " | ".join(f"{median(side.times[what]):.0f}" for side in sides)
        lines.append(f"| {what} | {figures} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
