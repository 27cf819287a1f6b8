"""The routes of the desk, as its own page and as pages of others may ask them."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image, ImageCms
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from streamlit import config

from classifier.clip import Clip
from classifier.session import Session
from db.collections import Collection
from db.errors import ExplorerError
from db.photo import Photo
from db.sessions import UP
from pages.boards import boards
from pages.desk.photos import PHOTOS
from pages.desk.routes import DeskRoutes
from pages.guard import Guard
from pages.people.token import HEADER, page_token, pictures_token
from pages.services import Services
from tests.conftest import unit_vectors

KNOWN = {HEADER: page_token("")}
ORIENTATION = 0x0112


@pytest.fixture(autouse=True)
def _hosts() -> Iterator[None]:
    before = config.get_option("server.allowedHosts")
    config.set_option("server.allowedHosts", ["localhost", "127.0.0.1", "::1"])
    yield
    config.set_option("server.allowedHosts", before)


@pytest.fixture
def client(services: Services) -> TestClient:
    app = Starlette(
        routes=DeskRoutes(lambda: services, boards).all(), middleware=[Middleware(Guard)]
    )
    return TestClient(app, base_url="http://localhost:8501")


@pytest.fixture
def session(services: Services, collection: Collection, clip: Clip) -> Session:
    return services.sessions.put(Session.start(services.database, collection, clip, "a lake"))


def url(session: Session) -> str:
    return f"/desk/session/{session.row.id}"


def mark(session: Session, click: str = "c1") -> dict[str, Any]:
    photo = session.current.photos[0].id
    return {"acts": [{"do": "mark", "click": click, "photos": [photo], "label": UP, "round": 1}]}


def test_a_thumb_is_stored_and_the_new_state_comes_back(
    client: TestClient, session: Session, services: Services
) -> None:
    found = client.post(url(session), json=mark(session), headers=KNOWN)
    assert found.status_code == 200
    assert found.json()["state"]["ups"] == 1
    assert found.json()["state"]["unstored"] == 0
    stored = Session.reopen(services.database, session.row.id)
    assert stored.labels == {session.current.photos[0].id: UP}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {HEADER: "guessed"},
        {**KNOWN, "origin": "http://evil.example"},
        {**KNOWN, "origin": "http://localhost:3000"},
        {**KNOWN, "origin": "null"},
        {**KNOWN, "host": "evil.example"},
        {**KNOWN, "host": "evil.example:8501", "origin": "http://evil.example:8501"},
        {**KNOWN, "host": "localhost.evil.example"},
    ],
)
def test_pages_of_others_cannot_label(
    client: TestClient, session: Session, headers: dict[str, str]
) -> None:
    found = client.post(url(session), json=mark(session), headers=headers)
    assert found.status_code == 403
    assert session.labels == {}


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST"])
def test_the_apps_own_page_can(client: TestClient, session: Session, host: str) -> None:
    headers = {**KNOWN, "host": host, "origin": f"http://{host}"}
    assert client.post(url(session), json=mark(session), headers=headers).status_code == 200


def test_an_origin_that_the_operator_allows_can(client: TestClient, session: Session) -> None:
    before = config.get_option("server.corsAllowedOrigins")
    config.set_option("server.corsAllowedOrigins", ["https://photos.example"])
    headers = {**KNOWN, "origin": "https://photos.example"}
    try:
        found = client.post(url(session), json=mark(session), headers=headers)
    finally:
        config.set_option("server.corsAllowedOrigins", before)
    assert found.status_code == 200


def test_the_apps_own_page_gets_the_token_of_a_new_process_and_nobody_else(
    client: TestClient,
) -> None:
    found = client.get("/desk-token", headers={"sec-fetch-site": "same-origin"})
    assert found.json() == {"token": page_token("")}
    assert "access-control-allow-origin" not in found.headers
    assert found.headers["cross-origin-resource-policy"] == "same-origin"
    assert found.headers["cache-control"] == "no-store"
    for site in ("cross-site", "same-site", "none"):
        assert client.get("/desk-token", headers={"sec-fetch-site": site}).status_code == 403
    assert client.get("/desk-token", headers={"host": "evil.example"}).status_code == 403


def test_a_refusal_says_what_to_do(client: TestClient) -> None:
    found = client.get("/", headers={"host": "myhost:8501"})
    assert found.text == (
        "This app does not answer to myhost:8501: open it as http://localhost, or add the name to "
        "server.allowedHosts in .streamlit/config.toml\n"
    )
    found = client.get("/", headers={"origin": "http://evil.example"})
    assert found.text.startswith("This app does not answer to pages of http://evil.example:")


def test_every_answer_says_what_a_browser_must_not_do(client: TestClient) -> None:
    for found in (client.get("/desk-token"), client.get("/", headers={"host": "evil.example"})):
        policy = found.headers["content-security-policy"].split("; ")
        assert {"default-src 'self'", "frame-ancestors 'none'", "object-src 'none'"} <= set(policy)
        (scripts,) = (part for part in policy if part.startswith("script-src"))
        assert "unsafe" not in scripts
        assert found.headers["x-frame-options"] == "DENY"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ([("host", "localhost")], 404),
        ([("host", "LOCALHOST.:8501")], 404),
        ([("host", "[::1]:8501")], 404),
        ([("host", "localhost"), ("host", "evil.example")], 403),
        ([("host", "evil.example"), ("host", "localhost")], 403),
        ([("host", "localhost@evil.example")], 403),
        ([("host", "evil.example:localhost")], 403),
        ([("host", "localhost/evil.example")], 403),
        ([("host", "localhost.evil.example")], 403),
        ([("host", "evil.example"), ("x-forwarded-host", "localhost")], 403),
        ([("host", "2130706433")], 403),
        ([("host", "")], 403),
        ([("host", "localhost"), ("origin", "null")], 403),
        ([("host", "localhost"), ("origin", "http://[::1")], 403),
        ([("host", "localhost"), ("origin", "http://localhost:9999")], 403),
        ([("host", "localhost"), ("origin", "ftp://localhost")], 403),
        ([("host", "localhost"), ("origin", "http://localhost")], 404),
        ([("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://e.e")], 403),
        ([("host", "localhost"), ("sec-fetch-site", "cross-site")], 403),
        ([("host", "localhost"), ("sec-fetch-site", "same-site"), ("sec-fetch-mode", "cors")], 403),
        (
            [
                ("host", "localhost"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
            ],
            404,
        ),
    ],
)
def test_whom_it_answers(client: TestClient, sent: list[tuple[str, str]], status: int) -> None:
    assert client.get("/nothing", headers=httpx.Headers(sent)).status_code == status


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "A desk sends JSON"),
        (b"{", "A desk sends JSON"),
        (b"[]", "A desk sends JSON"),
        (b"\xff", "A desk sends JSON"),
        (b'{"acts": "mark"}', "A desk sends a list of acts"),
        (b'{"acts": [1]}', "An act is an object"),
        (b'{"acts": [{"do": 1}]}', "An act's do is a short text"),
        (b'{"acts": [{"do": "mark", "photos": [1]}]}', "An act names its photos"),
        (b'{"acts": [{"do": "mark", "label": "up"}]}', "An act's label is a number"),
        (b'{"acts": [{"do": "mark", "label": true}]}', "An act's label is a number"),
        (b'{"acts": [{"do": "mark", "round": 1e99}]}', "An act's round is a number"),
        (b'{"show": 7}', "A desk says what it shows"),
        (b'{"show": {"mark": "up"}}', "There is no mark 'up'"),
        (b'{"acts": [' + b"0," * 600_000 + b"0]}", "A desk sends JSON"),
    ],
)
def test_nonsense_is_refused_in_one_line(
    client: TestClient, session: Session, content: bytes, text: str
) -> None:
    found = client.post(url(session), content=content, headers=KNOWN)
    assert found.status_code == 400
    assert found.json()["error"].startswith(text)


def test_what_is_gone_is_gone_and_what_is_away_is_not(
    client: TestClient, session: Session, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.post("/desk/session/nope", json={}, headers=KNOWN).status_code == 410
    assert client.post("/desk/dance/x", json={}, headers=KNOWN).status_code == 404
    services.sessions.forget(session.row.id)

    def away(_session: str) -> None:
        raise ExplorerError("Nothing answers")

    monkeypatch.setattr(services.database.sessions, "find", away)
    found = client.post(url(session), json={}, headers=KNOWN)
    assert (found.status_code, found.json()) == (503, {"error": "Nothing answers"})


def test_a_thumb_for_a_deleted_session_says_that_it_is_gone(
    client: TestClient, session: Session, services: Services
) -> None:
    services.database.sessions.update(session.row.id, deleted=True)
    services.sessions.forget(session.row.id)
    found = client.post(url(session), json=mark(session), headers=KNOWN)
    assert found.status_code == 410
    assert "There is no session" in found.json()["error"]


# ---- pictures


def add_photo(services: Services, path: Path, photo: str = "mine") -> None:
    collection = Collection("mine", "a-model", "a-fingerprint", "a test")
    table = services.database.collections.open(collection)
    table.add([Photo(id=photo, url=path.as_uri())], unit_vectors(1))


def ask(client: TestClient, kind: str, photo: str = "mine", **more: str) -> httpx.Response:
    asked = {"kind": kind, "collection": "mine", "id": photo, "token": pictures_token(), **more}
    return client.get(PHOTOS, params=asked)


def red_left_blue_right(path: Path, **options: Any) -> Path:
    image = Image.new("RGB", (60, 40), "red")
    image.paste("blue", (30, 0, 60, 40))
    image.save(path, quality=95, **options)
    return path


def test_an_original_goes_out_as_it_is_so_that_the_browser_turns_and_colours_it(
    client: TestClient, services: Services, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    path = red_left_blue_right(tmp_path / "a photo.jpg", exif=exif, icc_profile=profile)
    add_photo(services, path)
    found = ask(client, "original")
    assert found.content == path.read_bytes()
    assert found.headers["content-type"] == "image/jpeg"
    assert found.headers["cross-origin-resource-policy"] == "same-origin"
    assert found.headers["x-content-type-options"] == "nosniff"


def test_one_that_is_too_large_for_that_is_reduced_and_upright(
    client: TestClient, services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.originals.MAX_PIXELS", 100)
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # shown turned by a quarter, so that the left comes to the top
    add_photo(services, red_left_blue_right(tmp_path / "large.jpg", exif=exif))
    found = ask(client, "original")
    assert found.headers["content-type"] == "image/jpeg"
    with Image.open(BytesIO(found.content)) as image:
        assert image.size == (40, 60)
        assert np.asarray(image)[5, 20].argmax() == 0
        assert np.asarray(image)[55, 20].argmax() == 2


def test_thumbnails_are_squares(client: TestClient, services: Services, tmp_path: Path) -> None:
    add_photo(services, red_left_blue_right(tmp_path / "a.jpg"))
    with Image.open(BytesIO(ask(client, "thumbnail").content)) as image:
        assert image.size == (40, 40)


def test_a_drawn_scene_has_an_original_too(
    client: TestClient, services: Services, collection: Collection
) -> None:
    found = ask(client, "original", "drawings-000", collection=collection.name)
    with Image.open(BytesIO(found.content)) as image:
        assert min(image.size) > 400


def test_a_browser_asks_whether_a_picture_is_another_one_now(
    client: TestClient, services: Services, tmp_path: Path
) -> None:
    add_photo(services, red_left_blue_right(tmp_path / "a.jpg"))
    first = ask(client, "thumbnail")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    again = client.get(first.request.url, headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get(first.request.url, headers={"if-none-match": '"another"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_a_picture_of_a_photo_on_a_desk_needs_no_query(
    client: TestClient, session: Session, monkeypatch: pytest.MonkeyPatch, services: Services
) -> None:
    state = client.post(url(session), json={}, headers=KNOWN).json()["state"]
    monkeypatch.setattr(services.database.collections, "find", pytest.fail)
    for photo in state["photos"]:
        assert client.get(photo["thumbnail"]).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize("token", ["", "guessed"])
@pytest.mark.parametrize("kind", ["thumbnail", "original"])
def test_pages_of_others_cannot_read_a_photo(
    client: TestClient, services: Services, tmp_path: Path, kind: str, token: str
) -> None:
    add_photo(services, red_left_blue_right(tmp_path / "a.jpg"))
    assert ask(client, kind, token=token).status_code == 403


@pytest.mark.parametrize("photo", ["../../etc/passwd", "/etc/passwd", "file:///etc/passwd", ""])
@pytest.mark.parametrize("kind", ["thumbnail", "original"])
def test_an_id_is_looked_up_and_never_a_path(
    client: TestClient, services: Services, tmp_path: Path, kind: str, photo: str
) -> None:
    add_photo(services, red_left_blue_right(tmp_path / "a.jpg"))
    found = ask(client, kind, photo)
    assert found.status_code == 404
    assert found.json()["error"].startswith("There is no such photo")


@pytest.mark.parametrize("kind", ["thumbnail", "original"])
def test_a_file_that_is_no_picture_or_is_gone_is_not_read_out(
    client: TestClient, services: Services, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "secrets.jpg").write_text("password")
    add_photo(services, tmp_path / "secrets.jpg")
    add_photo(services, tmp_path / "gone.jpg", "gone")
    for photo in ("mine", "gone"):
        found = ask(client, kind, photo)
        assert found.status_code == 404
        assert "can't be shown" in found.json()["error"]
        assert "password" not in found.text
