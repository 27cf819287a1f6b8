"""Pictures as the query: attached, told, searched with, and there again after a reload."""

import base64
import io
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from classifier.centring import centred, prompt_mean
from classifier.clip import Clip
from db.collections import Collection
from db.photo import Photo
from pages.label import pictures
from pages.services import Services
from tests.pages.conftest import add_collection
from tests.pages.desks import desk, desks
from tests.pages.test_label import healthy, notices, script, search, session_of
from tests.photo_host import Answer, PhotoHost, photo_host

RED = (200, 30, 20)


def jpeg(colour: tuple[int, int, int] = RED) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (900, 700), colour).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def page(services: Services, collection: Collection) -> AppTest:
    return AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()


@pytest.fixture
def host() -> Iterator[PhotoHost]:
    with photo_host() as running:
        yield running


def upload(page: AppTest, name: str, content: bytes) -> AppTest:
    page.file_uploader[0].set_value((name, content, "image/jpeg"))
    return healthy(page.run())


def chips(page: AppTest) -> list[str]:
    return [button.label for button in page.button if str(button.key).startswith("chip-")]


def test_a_picture_alone_is_searched_with(page: AppTest, services: Services, clip: Clip) -> None:
    upload(page, "my *red* boat.jpg", jpeg())
    assert chips(page) == [r"picture · my \*red\* boat\.jpg ✕"]
    search(page, "")
    session = session_of(page, services)
    assert (session.row.prompt, session.row.title) == ("picture", "my *red* boat.jpg")
    (kept,) = session.pictures
    whole = clip.encode_images([Image.new("RGB", (900, 700), RED)])[0]
    assert kept.vector @ whole > 0.999
    assert Image.open(io.BytesIO(kept.thumbnail)).size == (96, 96)
    apart = session._learner.set_apart(kept.vector)
    assert session.current.weight == pytest.approx(apart, abs=1e-5)
    assert page.text_input(key="prompt").value == ""
    assert chips(page) == [r"picture · my \*red\* boat\.jpg ✕"]


def test_a_picture_is_a_term_beside_words_and_may_be_taken_away(
    page: AppTest, services: Services, clip: Clip
) -> None:
    upload(page, "red.jpg", jpeg())
    search(page, "a lake -.5*picture")
    session = session_of(page, services)
    mean = prompt_mean(services.database.prompt_means, clip).mean
    words = centred(clip.encode_text(["a lake"]), mean, session.row.centring)[0]
    expected = words - 0.5 * session._learner.set_apart(session.pictures[0].vector)
    assert session.current.weight == pytest.approx(expected / np.linalg.norm(expected), abs=1e-5)
    assert page.text_input(key="prompt").value == "a lake -.5*picture"
    next(button for button in page.button if str(button.key).startswith("chip-")).click()
    healthy(page.run())
    assert chips(page) == []
    assert page.text_input(key="prompt").value == "a lake"


def test_a_reload_brings_the_picture_back_without_its_file(
    page: AppTest, services: Services
) -> None:
    upload(page, "red.jpg", jpeg())
    search(page, "a lake")
    first = session_of(page, services)
    services.sessions.forget(first.row.id)
    again = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)
    again.query_params["session"] = first.row.id
    healthy(again.run())
    assert chips(again) == [r"picture · red\.jpg ✕"]
    assert again.text_input(key="prompt").value == "a lake"
    search(again, "a lake")
    second = session_of(again, services)
    assert second.row.id != first.row.id
    assert np.array_equal(second.current.weight, first.current.weight)
    again.button(key="new").click()
    assert chips(healthy(again.run())) == []


def test_an_address_is_fetched_once_and_becomes_a_picture(
    page: AppTest, services: Services, host: PhotoHost
) -> None:
    services.__dict__["settings"] = replace(services.settings, private_hosts=True)
    url = host.serve("/a%20red.jpg", Answer(jpeg()))
    search(page, f"a lake, .5*{url}")
    assert notices(page) == []
    session = session_of(page, services)
    assert session.row.prompt == "a lake, 0.5*picture"
    assert [picture.name for picture in session.pictures] == ["a red.jpg"]
    search(page, page.text_input(key="prompt").value)
    assert len(host.asked) == 1


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(b"<html>", content_type="text/html"), "page.html can't be searched with: not a"),
        (Answer(b"", 404), "can't be had: HTTP 404"),
    ],
)
def test_an_address_without_a_picture_is_told(
    page: AppTest, services: Services, host: PhotoHost, answer: Answer, told: str
) -> None:
    services.__dict__["settings"] = replace(services.settings, private_hosts=True)
    search(page, host.serve("/page.html", answer))
    assert len(notices(page)) == 1
    assert told in notices(page)[0]
    assert desks(page) == []


def test_an_address_of_this_machine_is_refused(page: AppTest, host: PhotoHost) -> None:
    search(page, f"a lake, {host.serve('/red.jpg', Answer(jpeg()))}")
    assert "is on this machine or its own network: set PRIVATE_HOSTS=true" in notices(page)[0]
    assert host.asked == []
    assert chips(page) == []


def test_what_is_no_picture_is_told(page: AppTest) -> None:
    upload(page, "broken.jpg", jpeg()[:300])
    assert notices(page)[0].startswith("broken.jpg can't be searched with: ")
    assert chips(page) == []


def test_a_pasted_picture_is_attached(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, list[object]] = {}
    monkeypatch.setattr(pictures.st, "session_state", state)
    for sent in (
        None,
        {"name": "x"},
        {"name": "cut.png", "data": "%%"},
        {"name": "huge.png", "data": ""},
        {"name": "", "data": base64.b64encode(jpeg()).decode()},
    ):
        pictures._pasted(sent)
    assert [picture.name for picture in pictures.tray()] == ["pasted"]
    assert state["notices"] == [
        "cut.png did not arrive whole: paste it again",
        "huge.png has over 50 MB: make it smaller",
    ]


def test_more_than_a_few_pictures_are_refused(page: AppTest) -> None:
    for _ in range(pictures.MOST):
        upload(page, "red.jpg", jpeg())
    upload(page, "red.jpg", jpeg())
    assert notices(page) == ["8 pictures are attached already: take one away first"]
    assert len(chips(page)) == pictures.MOST


def test_a_vector_of_another_model_is_not_searched_with(
    page: AppTest, services: Services, clip: Clip, collection: Collection
) -> None:
    upload(page, "red.jpg", jpeg())
    search(page, "")
    known = page.session_state["pictures"][0]
    page.session_state["pictures"] = [replace(known, image=None, fingerprint="another")]
    search(page, "")
    assert notices(page) == [
        r"What is known of picture 1 (red.jpg) was made by another model than that of this "
        "collection: attach it again"
    ]


def test_more_like_this_alone_is_a_search_with_that_photo(
    page: AppTest, services: Services, collection: Collection
) -> None:
    search(page, "a lake")
    photo = desk(page)["photos"][3]
    page.session_state["liked by the test"] = photo["id"]

    again = AppTest.from_function(liking, kwargs={"services": services}, default_timeout=60)
    again.query_params["session"] = page.query_params["session"]
    again.session_state["liked by the test"] = photo["id"]
    healthy(again.run())
    session = session_of(again, services)
    assert session.row.id != page.query_params["session"]
    assert (session.row.prompt, session.row.title) == ("picture", photo["name"])
    assert session.pictures[0].photo == photo["id"]
    assert photo["id"] not in {p["id"] for p in desk(again)["photos"]}
    assert chips(again) == [f"picture · {photo['name']} ✕".replace("-", r"\-")]
    session.refine()
    assert photo["id"] not in {p.id for p in session.current.photos}


def liking(services: object) -> None:
    import streamlit as st

    from pages.label import page, search

    photo = st.session_state.pop("liked by the test", None)
    if photo:
        session = services.sessions.get(st.query_params["session"])  # type: ignore[attr-defined]
        search.ask_like(services, session, photo)  # type: ignore[arg-type]
    page.show(services)  # type: ignore[arg-type]


def test_a_photo_on_the_web_is_shown_from_there(services: Services, clip: Clip) -> None:
    add_collection(services, clip, "web", 12)
    photo = Photo(id="x", url="https://images.example/x")
    assert pictures._small(services, photo) == (
        "https://images.example/x?w=96&h=96&fit=crop&fm=jpg&q=85"
    )
