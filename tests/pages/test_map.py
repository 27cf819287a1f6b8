"""The map on the Classifiers page."""

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from classifier.clip import Clip
from classifier.ranking import Ranking
from classifier.session import Session
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.maps import PhotoMap
from db.photos import PhotoTable
from db.sessions import DOWN, UNSURE, UP
from pages.boards import boards
from pages.desk.board import Show
from pages.map.panel import _left_out
from pages.map.points import MOST, Points
from pages.people.person import ANYBODY
from pages.services import Services
from tests.conftest import unit_vectors
from tests.pages.plain import plain
from tests.pages.test_sharpening import healthy, press, script, texts


@pytest.fixture
def page(services: Services, saved: SavedClassifier) -> Iterator[AppTest]:
    page = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)
    page.session_state["map"] = True  # opened
    yield healthy(page.run())
    services.mapper.maps.close()


def drawn(page: AppTest) -> dict[str, Any]:
    """The data of the one map on the page."""
    sent = [json.loads(each.proto.json or "null") for each in page.get("bidi_component")]  # type: ignore[attr-defined]
    (found,) = [data for data in sent if data and "places" in data]
    return dict(found)


def test_a_collection_is_laid_out_and_its_points_have_scores_and_thumbs(
    page: AppTest, services: Services, session: Session, collection: Collection, clip: Clip
) -> None:
    press(page, "lay_out")
    job = services.mapper.job
    assert job is not None
    job.wait(100)
    healthy(page.run())
    data = drawn(page)
    scores = np.frombuffer(b64decode(data["scores"]), np.uint8)
    assert len(scores) == 40
    assert (np.diff(scores.astype(int)) >= 0).all(), "the best one is drawn last"
    assert (scores[0], scores[-1]) == (0, 255)
    marks = np.frombuffer(b64decode(data["marks"]), np.uint8)
    assert sorted(marks)[-9:] == [1] * 4 + [2] * 5
    assert not [button for button in page.button if button.key == "lay_out"]

    table = services.database.collections.photos(collection)
    more = [replace(table.get_any()[0].photo, id=f"new-{number}") for number in range(3)]
    table.add(more, unit_vectors(3, seed=5))
    healthy(page.run())
    assert "3 photos are not on it" in texts(page)
    assert [button for button in page.button if button.key == "lay_out"]


@pytest.mark.parametrize(
    ("on_it", "photos", "told"),
    [
        (39, 40, "1 photo is not on it"),
        (1000, 3000, "2,000 photos are not on it"),
        (
            100_000,
            250_000,
            "150,000 photos are not on it: it holds 100,000 at most, drawn by chance",
        ),
    ],
)
def test_what_a_map_lacks_is_told(on_it: int, photos: int, told: str) -> None:
    assert _left_out(on_it, photos) == told


def test_a_map_is_stopped(page: AppTest, services: Services) -> None:
    press(page, "lay_out")
    page.button(key="map_stop").click()
    healthy(page.run())
    assert services.mapper.job is not None
    assert not services.mapper.job.running
    assert [button for button in page.button if button.key == "lay_out"]


def test_what_could_not_be_laid_out_says_why(
    page: AppTest, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PhotoTable, "sample_with_ids", lambda *_: 1 // 0)
    press(page, "lay_out")
    assert services.mapper.job is not None
    services.mapper.job.wait(60)
    healthy(page.run())
    said = plain(page.error[0].value)
    assert said == "drawings could not be laid out: integer division or modulo by zero. Try again"


def put(services: Services, name: str) -> list[str]:
    """Put a map of a collection of 40 photos, as the page finds it; returns their ids."""
    collection = services.database.collections.find(name)
    assert collection is not None
    ids = sorted(services.database.collections.photos(collection).ids())
    services.mapper.maps.put(collection, PhotoMap(ids, unit_vectors(40)[:, :2]))
    return ids


def points(n: int, marks: dict[str, int] | None = None) -> Points:
    ids = [f"photo-{number}" for number in range(n)]
    laid_out = PhotoMap(
        [*ids, "gone"], np.linspace(0, 1, 2 * n + 2, dtype=np.float32).reshape(-1, 2)
    )
    scores = np.linspace(1, 0, n + 1, dtype=np.float32)
    return Points.of(laid_out, Ranking(["unplaced", *ids], scores, {}), marks or {})


def test_points_are_those_that_have_a_place_and_a_score() -> None:
    made = points(3)
    assert made.ids == ["photo-2", "photo-1", "photo-0"]
    assert (made.places == np.linspace(0, 1, 8, dtype=np.float32).reshape(-1, 2)[2::-1]).all()
    assert made.scores.tolist() == pytest.approx([0, 1 / 3, 2 / 3])
    assert points(0).sent()["scores"] == ""


def test_of_what_was_chosen_the_best_without_thumbs_come_first() -> None:
    made = points(100, {"photo-0": UP, "photo-1": UNSURE, "photo-3": DOWN})
    everything = {"stamp": made.stamp, "points": list(range(100))}
    chosen = made.chosen(everything)
    assert len(chosen) == MOST
    assert chosen[:3] == ["photo-2", "photo-4", "photo-5"]
    assert made.chosen({"stamp": made.stamp, "points": [99, 98, 97]}) == [
        "photo-2",
        "photo-0",
        "photo-1",
    ]


@pytest.mark.parametrize(
    "sent",
    [
        None,
        7,
        "x",
        [],
        {},
        {"points": [1]},
        {"stamp": "another", "points": [1]},
        {"stamp": None, "points": None},
        {"stamp": "", "points": "12"},
        {"stamp": "", "points": [True, 1.5, "2", None]},
        {"stamp": "", "points": [-1, 5, 1 << 70]},
    ],
)
def test_a_choice_that_is_none_is_none(sent: Any) -> None:
    made = points(5)
    if isinstance(sent, dict) and sent.get("stamp") == "":
        sent = {**sent, "stamp": made.stamp}
    assert made.chosen(sent) == []


def test_chosen_photos_open_on_the_desk_of_the_session(
    page: AppTest, services: Services, session: Session, saved: SavedClassifier
) -> None:
    ids = put(services, session.collection.name)
    page.session_state["map-chosen"] = saved.id, ids[:7]
    healthy(page.run())
    assert [photo.id for photo in session.current.photos] == ids[:7]
    state = boards(services, ANYBODY)["sharpen"](session.row.id).state(Show())
    assert state["why"] == "from the map"
    healthy(page.run())
    assert len(session.rounds) == 2, "they are opened once"


def test_without_its_session_they_are_shown(
    page: AppTest, services: Services, session: Session, saved: SavedClassifier
) -> None:
    services.database.sessions.update(session.row.id, deleted=True)
    services.sessions.forget(session.row.id)
    ids = put(services, session.collection.name)
    before = len(healthy(page.run()).caption)
    page.session_state["map-chosen"] = saved.id, ids[:7]
    credited = len(healthy(page.run()).caption) - before
    assert credited == 3, "of seven photos, every other one has a photographer"
