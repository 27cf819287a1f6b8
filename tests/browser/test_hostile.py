"""Text from outside is text, on every screen: no link, picture, dialog or request comes of it."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.app_process import ROOT, running_app
from tests.browser.hostile import COLLECTION, HOST, TEXT
from tests.browser.screen import PROMPT, WAIT, expand, settle

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

# Where the app is, and the photographers' pages.
_OWN = ("localhost", "unsplash.com")
_BOLD, _RED = 'strong:text-is("bold")', '.stMarkdownColoredText:text-is("r")'
# What Streamlit makes of Markdown, and a browser of HTML, that TEXT has.
_MADE = (".katex", "b", _RED, '[aria-label="home icon"]', _BOLD)


@dataclass
class Watched:
    """A page of the app on hostile data, and what it did that no text may make it do."""

    page: Page
    address: str
    session: str
    done: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}{path}")
        self.look()

    def look(self) -> None:
        """Check what is on screen now."""
        settle(self.page)
        expect(self.page.get_by_text(HOST).first).to_be_attached()
        for tag, attribute in (("a", "href"), ("img", "src")):
            found = self.page.locator(tag).evaluate_all(f"all => all.map(one => one.{attribute})")
            self.done += [f"{tag} {url}" for url in found if not _is_ours(url)]
        self.done += [made for made in _MADE if self.page.locator(f"main {made}").count()]
        self.done += ["emoji"] * self.page.get_by_text("😄").count()
        assert self.page.get_by_test_id("stException").count() == 0, self.page.url
        assert self.done == [], self.page.url

    def hear(self) -> None:
        self.page.on("request", lambda sent: self._sent(sent.url))
        self.page.on("console", lambda said: self._said(said.text))
        self.page.on("dialog", lambda box: (self.done.append("a dialog"), box.dismiss()))

    def _said(self, text: str) -> None:
        self.done += [text] if "Content Security Policy" in text else []

    def _sent(self, url: str) -> None:
        self.done += [] if _is_ours(url) else [f"asked for {url}"]


def _is_ours(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("", "data", "blob") or parts.hostname in _OWN


@pytest.fixture(scope="module")
def hostile_app(
    sample_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """The address of the app on data that TEXT is everywhere in, and the id of a session."""
    home = tmp_path_factory.mktemp("hostile")
    shutil.copytree(sample_data, home / "data", symlinks=True)
    filled = subprocess.run(
        [sys.executable, "-m", "tests.browser.hostile", str(home / "data")],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    with running_app(home) as address:
        yield address, filled.stdout.strip()


@pytest.fixture
def watched(browser: Browser, hostile_app: tuple[str, str]) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(WAIT)
    watched = Watched(page, *hostile_app)
    watched.hear()
    yield watched
    context.close()


def test_on_the_label_page(watched: Watched) -> None:
    page = watched.page
    watched.open(f"/?session={quote(TEXT)}")
    watched.open(f"/?session={watched.session}")
    page.keyboard.press(" ")
    expect(page.get_by_role("dialog", name="Photo in full")).to_be_visible()
    watched.look()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Options").click()
    watched.look()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save classifier").click()
    page.get_by_role("button", name="Save", exact=True).click()
    watched.look()
    page.keyboard.press("Escape")
    page.get_by_placeholder(PROMPT).fill(f"{TEXT} -")
    page.keyboard.press("Enter")
    watched.look()


def test_on_the_history_page(watched: Watched) -> None:
    page = watched.page
    watched.open(f"/history?of={quote(TEXT)}")
    watched.open(f"/history?of={watched.session}")
    page.goto(f"{watched.address}/history")
    page.get_by_test_id("stSelectbox").first.click()
    page.get_by_role("option", name=COLLECTION, exact=True).click()
    watched.look()
    page.get_by_role("button", name="Go on").first.hover()
    watched.look()
    page.get_by_role("button", name="Delete").first.click()
    watched.look()


def test_on_the_classifiers_page(watched: Watched) -> None:
    page = watched.page
    watched.open(f"/classifiers?classifier={quote(TEXT)}")
    for words in ("Use it in SQL", "Score other images", "Sharpen it", "Table of labels"):
        page.get_by_text(words).first.click()
        settle(page)
    watched.look()
    page.get_by_role("textbox", name="Name of the view").fill(TEXT)
    page.keyboard.press("Enter")
    expect(page.get_by_text("can't name a view")).to_be_visible()
    watched.look()
    expand(page, "Take the photos elsewhere")
    page.get_by_role("button", name="Delete").first.click()
    watched.look()


def test_on_the_collection_page(watched: Watched) -> None:
    page = watched.page
    for name in (COLLECTION, "hostile_model"):
        page.goto(f"{watched.address}/collection")
        page.get_by_test_id("stSelectbox").first.click()
        page.get_by_role("option", name=name).first.click()
        watched.look()
        page.get_by_role("button", name="Delete this collection").click()
        watched.look()
    page.keyboard.press("Escape")
    for label in ("Folder on this computer", "Collection", "CLIP model"):
        page.get_by_role("textbox", name=label).first.fill(TEXT)
        page.get_by_role("button", name="Load the folder").click()
        watched.look()


def test_a_page_that_is_not_there(watched: Watched) -> None:
    watched.page.goto(f"{watched.address}/{quote(TEXT, safe='')}")
    watched.page.wait_for_load_state("networkidle")
    assert watched.done == []


@pytest.mark.parametrize(
    ("request_line", "hosts", "status"),
    [
        ("GET / HTTP/1.1", ["localhost"], 200),
        ("GET /static/nothing.js HTTP/1.1", ["evil.example"], 403),
        ("GET /_stcore/health HTTP/1.1", ["evil.example"], 403),
        ("GET /_stcore/host-config HTTP/1.1", ["evil.example"], 403),
        ("GET /media/a.png HTTP/1.1", ["evil.example"], 403),
        ("GET /component/desk/x HTTP/1.1", ["evil.example"], 403),
        ("PUT /_stcore/upload_file/a/b HTTP/1.1", ["evil.example"], 403),
        ("GET /desk-token HTTP/1.1", ["evil.example"], 403),
        ("GET / HTTP/1.1", ["localhost", "evil.example"], 400),
        ("GET / HTTP/1.1", ["evil.example", "localhost"], 400),
        ("GET / HTTP/1.0", [], 403),
        ("GET http://evil.example/ HTTP/1.1", ["evil.example"], 403),
        ("GET /healthz HTTP/1.1", ["10.0.0.7:8501"], 200),
    ],
)
def test_under_another_name_nothing_answers(
    hostile_app: tuple[str, str], request_line: str, hosts: list[str], status: int
) -> None:
    port = urlsplit(hostile_app[0]).port
    lines = [request_line, *(f"Host: {host}" for host in hosts), "Connection: close", "", ""]
    with socket.create_connection(("localhost", port), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode())
        head = connection.makefile("rb").read().decode(errors="replace").partition("\r\n\r\n")[0]
    assert int(head.split()[1]) in {status, 403 if status == 400 else status}
    if status != 400:
        assert "content-security-policy: default-src 'self'" in head.lower()
