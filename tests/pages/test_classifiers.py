import csv
from io import StringIO
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load
from streamlit.testing.v1 import AppTest

from classifier.clip import Clip
from classifier.exports.scores import to_csv
from classifier.ranking import Ranking
from classifier.session import Session
from classifier.weight import to_safetensors
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.errors import ExplorerError, GoneError
from db.sessions import DOWN, UNSURE, UP
from db.views import Views
from pages.classifiers.check_board import CheckBoard
from pages.desk.board import Act, Show
from pages.desk.routes import answer
from pages.services import Services
from tests.pages.desks import desk, desks


def script(services: object) -> None:
    from pages.classifiers import page

    page.show(services)  # type: ignore[arg-type]


@pytest.fixture
def saved(services: Services, collection: Collection, clip: Clip) -> SavedClassifier:
    session = Session.start(services.database, collection, clip, "a lake")
    for place, photo in enumerate(session.current.photos):
        session.label(photo.id, UP if place < 4 else DOWN)
    classifier = session.to_save("Lakes")
    services.database.classifiers.save(classifier)
    return classifier


@pytest.fixture
def page(services: Services, saved: SavedClassifier) -> AppTest:
    return healthy(
        AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()
    )


def healthy(page: AppTest) -> AppTest:
    assert [error.value for error in page.exception] == []
    return page


def texts(page: AppTest) -> str:
    return "\n".join(markdown.value for markdown in page.markdown)


def test_without_classifiers_the_page_says_how_to_get_one(services: Services) -> None:
    page = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()
    assert "No classifier is saved yet" in healthy(page).info[0].value


def test_the_ranking_counts_what_the_threshold_keeps(
    page: AppTest, services: Services, saved: SavedClassifier, collection: Collection
) -> None:
    _, scores = services.database.collections.photos(collection).scores(saved.weight)
    assert "4 up" in texts(page)
    for threshold in (float(scores[5]) - 1e-4, float(scores.max())):
        page.slider[0].set_value(threshold)
        healthy(page.run())
        kept = int((scores >= np.float32(page.slider[0].value)).sum())
        assert f"**{kept:,}** of 40 photos" in texts(page)


def test_the_best_photos_come_first_with_their_scores_and_thumbs(
    page: AppTest, services: Services, saved: SavedClassifier, collection: Collection
) -> None:
    _, scores = services.database.collections.photos(collection).scores(saved.weight)
    captions = [caption.value for caption in page.caption if caption.value[:2] in ("0.", "-0")]
    assert [text[:6].rstrip() for text in captions[:15]] == [f"{s:.3f}" for s in scores[:15]]
    assert any(text.endswith(" · up") for text in captions)


def test_the_photos_at_the_threshold_can_be_looked_at(page: AppTest) -> None:
    for view in ("Just above the threshold", "Just below the threshold"):
        page.segmented_control(key="view").set_value(view)
        healthy(page.run())
        threshold = page.slider[0].value
        shown = [float(c.value[:6]) for c in page.caption if c.value[:1] in "-0123456789"]
        assert shown
        if view == "Just above the threshold":
            assert shown == sorted(shown)
            assert shown[0] >= threshold - 5e-4
        else:
            assert shown == sorted(shown, reverse=True)
            assert shown[0] <= threshold + 5e-4


def test_renaming_and_deleting(page: AppTest, services: Services, saved: SavedClassifier) -> None:
    page.text_input(key=f"rename-{saved.id}").set_value("Ponds")
    page.button(key="rename").click()
    healthy(page.run())
    assert [c.name for c in services.database.classifiers.all()] == ["Ponds"]
    page.text_input(key=f"rename-{saved.id}").set_value(" ")
    page.button(key="rename").click()
    healthy(page.run())
    assert "Give the classifier a name" in page.error[0].value
    page.button(key="delete").click()
    healthy(page.run())
    assert services.database.classifiers.all() == []
    assert "No classifier is saved yet" in page.info[0].value


def test_a_classifier_whose_collection_is_gone_stays_listed(
    services: Services, saved: SavedClassifier, collection: Collection
) -> None:
    services.database.collections.drop(collection)
    page = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()
    assert "is gone, or was made" in healthy(page).error[0].value
    assert page.button(key="delete")


def test_the_csv_has_a_row_a_photo() -> None:
    ranking = Ranking(
        ["a,b", "c", "d"], np.asarray([0.9, 0.5, 0.25], dtype=np.float32), {"c": UP, "d": DOWN}
    )
    rows = list(csv.reader(StringIO(to_csv(ranking, {"a,b": "file:///a"}, 0.5))))
    assert rows == [
        ["id", "url", "score", "kept", "label"],
        ["a,b", "file:///a", "0.900000", "1", ""],
        ["c", "", "0.500000", "1", "up"],
        ["d", "", "0.250000", "0", "down"],
    ]
    assert ranking.first_threshold() == pytest.approx(0.375)


def test_without_both_kinds_of_thumbs_the_threshold_starts_at_the_hundredth_photo() -> None:
    scores = np.linspace(1, 0, 500, dtype=np.float32)
    ranking = Ranking([str(n) for n in range(500)], scores, {"3": UP})
    assert ranking.kept(ranking.first_threshold()) == 100
    assert Ranking(["a"], scores[:1], {}).first_threshold() == 1.0


def test_the_exported_weight_scores_photos_anywhere(
    services: Services, saved: SavedClassifier, collection: Collection
) -> None:
    weight = load(to_safetensors(saved, 0.25))["weight"]
    assert weight.shape == (512,)
    table = services.database.collections.photos(collection)
    ids, scores = table.scores(saved.weight)
    vectors = np.stack([n.vector for n in table.get(ids)])
    assert vectors @ weight == pytest.approx(scores, abs=1e-5)


def test_a_random_sample_tells_the_precision(
    page: AppTest, services: Services, saved: SavedClassifier
) -> None:
    draw_above_a_low_threshold(page)
    shown = len(desk(page)["photos"])
    check = services.database.checks.latest(saved.id)
    assert check is not None
    assert shown == len(check.labels) > 4
    assert not set(check.labels) & set(page_labels(services, saved))
    assert desk(page)["note"].startswith(f"Mark these {shown} photos: yes where the classifier is")
    told = mark(services, page, *[UP if place else DOWN for place in range(4)])
    assert told["state"]["note"] == (
        f"Precision 75%, with 95 % confidence between 30% and 95% (3 of 4 right, {shown - 4} left)"
    )
    again = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()
    assert "(3 of 4 right" in desk(healthy(again))["note"]


def test_unsure_says_nothing_of_the_precision(
    page: AppTest, services: Services, saved: SavedClassifier
) -> None:
    draw_above_a_low_threshold(page)
    told = mark(services, page, UP, UNSURE)
    assert "(1 of 1 right" in told["state"]["note"]


def test_a_sample_from_above_a_higher_threshold_is_not_used(
    page: AppTest, services: Services, saved: SavedClassifier
) -> None:
    draw_above_a_low_threshold(page)
    page.slider[0].set_value(page.slider[0].min)
    healthy(page.run())
    assert "draw a new one" in texts(page)
    assert desks(page) == []
    page.slider[0].set_value(page.slider[0].max)
    assert sum(len(data["state"]["photos"]) for data in desks(healthy(page.run()))) <= 1


def test_a_thumb_given_in_another_tab_is_shown_and_not_taken_back(
    page: AppTest, services: Services, saved: SavedClassifier
) -> None:
    draw_above_a_low_threshold(page)
    check = services.database.checks.latest(saved.id)
    assert check is not None
    first = next(iter(check.labels))
    services.database.checks.label(saved.id, check, first, UP)
    healthy(page.run())
    assert desk(page)["marks"] == {first: UP}


def test_a_thumb_for_a_sample_that_was_drawn_anew_is_refused(
    page: AppTest, services: Services, saved: SavedClassifier
) -> None:
    draw_above_a_low_threshold(page)
    key = desks(page)[0]["url"].split("/")[-1]
    photo = desk(page)["photos"][0]["id"]
    with pytest.raises(ExplorerError, match="is not in this sample"):
        CheckBoard.of(services.database, key).act(Act("mark", photos=("other",), label=UP))
    with pytest.raises(ExplorerError, match="A check sample has no 'refine'"):
        CheckBoard.of(services.database, key).act(Act("refine"))
    services.database.checks.draw(saved.id, 0.1, [photo])
    with pytest.raises(GoneError, match="is not the latest any more"):
        CheckBoard.of(services.database, key)
    for nonsense in ("", "x", "x~1~2", f"{saved.id}~1~much"):
        with pytest.raises(GoneError):
            CheckBoard.of(services.database, nonsense)


def mark(services: Services, page: AppTest, *labels: int) -> dict[str, Any]:
    """What the desk in the browser does on clicks at its first photos."""
    board = CheckBoard.of(services.database, desks(page)[0]["url"].split("/")[-1])
    photos = [photo["id"] for photo in desk(page)["photos"]]
    acts = [
        Act("mark", f"click-{place}", (photos[place],), label) for place, label in enumerate(labels)
    ]
    return answer(board, acts, Show())


def draw_above_a_low_threshold(page: AppTest) -> None:
    slider = page.slider[0]
    slider.set_value(slider.min + (slider.max - slider.min) / 4)
    healthy(page.run())
    page.button(key="draw_check").click()
    healthy(page.run())


def page_labels(services: Services, saved: SavedClassifier) -> list[str]:
    return [row.photo for row in services.database.sessions.labels(saved.session)]


def button(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click()
    return healthy(page.run())


def of_the_view(page: AppTest) -> list[str]:
    """The statements about it that the page shows."""
    return [code.value for code in page.code if "`lakes`" in code.value]


def test_a_classifier_is_published_as_a_view_moved_and_taken_away(
    page: AppTest, services: Services, saved: SavedClassifier
) -> None:
    assert of_the_view(page)[0].startswith("CREATE VIEW `lakes` AS\nSELECT id, url, score\n")
    button(page, "publish")
    view = services.database.views.of(saved)
    assert view is not None
    assert "**`lakes`**" in texts(page)
    assert of_the_view(page) == ["SELECT id, url, score FROM `lakes` ORDER BY score DESC LIMIT 10"]
    kept = services.database.connection.rows("SELECT id FROM lakes")
    assert f"**{len(kept)}** of 40 photos" in texts(page)
    page.slider[0].set_value(page.slider[0].max)
    healthy(page.run())
    assert page.button(key="publish").label.startswith("Publish again, from ")
    assert of_the_view(page)[1].startswith("CREATE OR REPLACE VIEW `lakes` AS")
    button(page, "publish")
    moved = services.database.views.of(saved)
    assert moved is not None
    assert moved.threshold > view.threshold
    another = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)
    assert healthy(another.run()).slider[0].value == pytest.approx(moved.threshold, abs=1e-6)
    assert not [b for b in another.button if b.key == "publish"]
    button(page, "unpublish")
    assert services.database.views.of(saved) is None


def test_a_view_that_the_database_refuses_is_one_line(
    page: AppTest, services: Services, saved: SavedClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ExplorerError("The user me lacks a right")

    monkeypatch.setattr(Views, "publish", refuse)
    button(page, "publish")
    assert [error.value for error in page.error] == ["The user me lacks a right"]
    assert page.button(key="publish")


def test_a_view_goes_with_its_classifier(
    page: AppTest, services: Services, saved: SavedClassifier
) -> None:
    button(page, "publish")
    button(page, "delete")
    assert services.database.views.of(saved) is None
