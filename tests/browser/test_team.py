"""Three people of a team, and a stranger, sign in by a provider in browsers of their own."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.app_process import AppProcess
from tests.browser.screen import WAIT, ask, expand, give, given, photos, settle, stored, tiles
from tests.oidc_provider import Provider, running_provider, write_secrets

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

PEOPLE = ("ann", "lea", "vic", "eve", "mal")
ROLES = "owner: ann@x.org; labeller: lea@x.org; viewer: vic@x.org, mal@x.org"
MARK = """async ([path, photo]) => {
    const { token } = await (await fetch('/desk-token')).json();
    const act = { do: 'mark', click: 'c1', photos: [photo], label: 1, round: 1 };
    const answer = await fetch(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-explorer-token': token },
        body: JSON.stringify({ acts: [act] }),
    });
    return [answer.status, (await answer.json()).refused];
}"""


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    accounts = {name: {"email": f"{name.title()}@x.org"} for name in PEOPLE}
    # Anybody may open an account there under any address that the provider has not looked at.
    accounts["mal"] |= {"email": "ann@x.org", "email_verified": False}  # type: ignore[dict-item]
    with running_provider(accounts) as running:
        yield running
    assert running.refused == []


@pytest.fixture(scope="module")
def app(
    provider: Provider, sample_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AppProcess]:
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(sample_data, home / "data", symlinks=True)
    process = AppProcess(home, {"ROLES": ROLES})
    write_secrets(home, provider, process.address)
    process.start()
    yield process
    process.stop()
    assert "Traceback" not in process.log.read_text()


@pytest.fixture
def sign_in(browser: Browser, app: AppProcess) -> Iterator[Callable[[str], Page]]:
    """Signs somebody in, in a browser of their own."""
    contexts = []

    def sign(name: str) -> Page:
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.goto(app.address)
        expect(page.get_by_text("Sign in to go on.")).to_be_visible()
        assert "Label" not in page.inner_text("body")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading").first).to_be_visible()
        settle(page)
        return page

    yield sign
    for context in contexts:
        context.close()


def open_screen(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()
    settle(page)


def test_a_stranger_learns_whom_to_ask_and_nothing_else(
    sign_in: Callable[[str], Page], app: AppProcess, screenshot: Callable[[Page, str], None]
) -> None:
    page = sign_in("eve")
    expect(page.get_by_text("You are signed in as eve@x.org, and have no access")).to_be_visible()
    expect(page.get_by_text("Ask ann@x.org for it.")).to_be_visible()
    screenshot(page, "stranger")
    expect(page.get_by_role("link", name="Label")).to_have_count(0)
    assert page.evaluate("async () => (await fetch('/desk-token')).status") == 403
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Sign in to go on.")).to_be_visible()
    for path in ("/desk-token", "/desk-photos?kind=original&collection=sample&id=scene-000001"):
        assert requests.get(app.address + path, timeout=30).status_code == 403
    assert requests.put(f"{app.address}/_stcore/upload_file/a/b", timeout=30).status_code == 403


def test_an_address_that_the_provider_has_not_verified_is_nobodys(
    sign_in: Callable[[str], Page],
) -> None:
    page = sign_in("mal")
    expect(page.get_by_text("tells no verified e-mail address")).to_be_visible()
    expect(page.get_by_role("link", name="Label")).to_have_count(0)


def test_a_viewer_looks_and_changes_nothing_by_page_or_by_request(
    sign_in: Callable[[str], Page], screenshot: Callable[[Page, str], None]
) -> None:
    page = sign_in("vic")
    ask(page, "a boat")
    photos(page).first.click()
    expect(page.locator(".lightbox")).to_be_visible()
    expect(page.locator(".lightbox [data-mark]:visible")).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(tiles(page).locator("[data-mark]")).to_have_count(0)
    assert given(page) == ["none"] * 9
    screenshot(page, "viewer")
    expect(page.get_by_role("button", name="Save classifier")).to_be_hidden()
    session = parse_qs(urlsplit(page.url).query)["session"][0]
    source = page.locator(".tile img").first.get_attribute("src") or ""
    photo = parse_qs(urlsplit(source).query)["id"][0]
    refusal = "A viewer may not give thumbs, which takes a labeller: ask ann@x.org"
    forged = page.evaluate(MARK, [f"/desk/session/{session}", photo])
    assert forged == [200, {"c1": refusal}]
    open_screen(page, "Collection")
    expect(page.get_by_text("This takes a role that you have not: owner")).to_be_visible()
    expect(page.get_by_role("button", name="Load the sample")).to_have_count(0)
    expect(page.get_by_text("Delete this collection")).to_have_count(0)
    screenshot(page, "viewer-collection")
    open_screen(page, "Account")
    expect(page.get_by_text("You are a viewer here.")).to_be_visible()
    screenshot(page, "account")


def test_a_labeller_labels_and_an_owner_uploads_and_sees_who_did_what(
    sign_in: Callable[[str], Page], tmp_path: Path, screenshot: Callable[[Page, str], None]
) -> None:
    page = sign_in("lea")
    ask(page, "a boat")
    give(page, 0, up=True)
    stored(page)
    page.get_by_role("button", name="Save classifier").click()
    page.locator(".saving input").fill("Lea's boats")
    page.locator(".saving").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("It is on the Classifiers page")).to_be_visible()
    open_screen(page, "Classifiers")
    expect(page.get_by_text("by lea@x.org")).to_be_visible()
    expand(page, "Use it in SQL")
    expect(page.get_by_role("button", name="Publish", exact=True)).to_be_disabled()

    owner = sign_in("ann")
    open_screen(owner, "Collection")
    screenshot(owner, "owner-collection")
    expect(owner.get_by_role("textbox", name="Folder of the server")).to_have_count(0)
    folder = tmp_path / "beach"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (64, 64), (80 * number, 9, 9)).save(folder / f"{number}.png")
    owner.locator("input[type=file]").first.set_input_files(folder)
    expect(owner.get_by_text("2.png")).to_be_visible()
    owner.get_by_role("textbox", name="CLIP model").first.fill("sample")
    owner.get_by_role("button", name="Upload and load").click()
    expect(owner.get_by_text("3 photos in uploads, 3 added")).to_be_visible(timeout=4 * WAIT)
    expand(owner, "What owners did")
    expect(owner.get_by_role("button", name="Download the list (CSV)")).to_be_visible()
    screenshot(owner, "audit")
    with owner.expect_download() as got:
        owner.get_by_role("button", name="Download the list (CSV)").last.click()
    written = got.value.path().read_text()
    assert "ann@x.org,load photos,upload of 3 files for uploads" in written
    assert "lea" not in written
