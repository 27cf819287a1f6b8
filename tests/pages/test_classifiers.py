import csv
import re
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
from db.photo import Photo
from db.sessions import DOWN, UNSURE, UP
from db.views import Views
from pages.classifiers.check_board import CheckBoard
from pages.classifiers.histogram import BINS, bins_of, histogram
from pages.desk.board import Act, Show
from pages.desk.routes import answer
from pages.people.person import ANYBODY
from pages.services import Services
from tests.conftest import unit_vectors
from tests.pages.conftest import add_collection
from tests.pages.desks import desk, desks
from tests.pages.plain import plain


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
    assert "No classifier is saved yet" in plain(healthy(page).info[0].value)


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


def test_the_proposal_is_called_so_until_the_threshold_is_moved(page: AppTest) -> None:
    assert "as proposed from your thumbs" in texts(page)
    page.slider[0].set_value(page.slider[0].max)
    healthy(page.run())
    assert "as proposed" not in texts(page)


def test_as_many_photos_that_came_and_went_are_ranked_anew(
    page: AppTest, services: Services, saved: SavedClassifier, collection: Collection
) -> None:
    table = services.database.collections.photos(collection)
    best = table.get([table.scores(saved.weight)[0][0]])[0]
    services.database.remove(collection, [best.photo.id])
    table.add([Photo("new", "sample:new")], best.vector[None])
    draw(healthy(page.run()))
    assert "new" in {photo["id"] for photo in desk(page)["photos"]}
    services.database.remove(collection, ["new"])
    table.add([Photo("newer", "sample:newer")], best.vector[None])
    assert len(desk(healthy(page.run()))["photos"]) == 39


def test_a_threshold_that_is_kept_is_there_the_next_time(page: AppTest, services: Services) -> None:
    assert not [b for b in page.button if b.key == "keep_threshold"]
    page.slider[0].set_value(page.slider[0].max)
    healthy(page.run())
    button(page, "keep_threshold")
    assert not [b for b in page.button if b.key == "keep_threshold"]
    again = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()
    assert healthy(again).slider[0].value == page.slider[0].value
    assert "as proposed" not in texts(again)
    button(again, "publish")
    again.slider[0].set_value(again.slider[0].min)
    assert "The view `lakes` has " in captions(healthy(again.run()))
    assert not [b for b in again.button if b.key == "keep_threshold"]
    button(again, "publish")
    assert "The view `lakes` has " not in captions(again)


@pytest.mark.parametrize("place", [0, 250, 999])
def test_the_bin_that_the_threshold_cuts_is_two(place: int) -> None:
    scores = np.sort(unit_vectors(1000, seed=8)[:, 0])[::-1]
    threshold = float(scores[place]) - 1e-5
    bins = bins_of(scores, threshold)
    assert bins["photos"].sum() == 1000
    assert bins.loc[bins["kept"], "photos"].sum() == place + 1
    assert (bins["to"][:-1].to_numpy() == bins["from"][1:].to_numpy()).all()
    assert (bins["from"].iloc[0], bins["to"].iloc[-1]) == (scores[-1], scores[0])
    assert len(bins) == (BINS + 1 if scores[-1] < threshold else BINS)


def test_the_histogram_is_as_wide_as_the_slider_however_short_its_labels_are() -> None:
    ranking = Ranking(list("abcd"), np.asarray([0.4, 0.3, 0.2, 0.1], dtype=np.float32), {})
    bars = histogram(ranking, 0.25).to_dict()["layer"][0]["encoding"]
    assert bars["x"]["scale"]["domain"] == pytest.approx([0.1, 0.4])
    assert bars["x"]["axis"] is None
    # Vega measures an axis without its line from its labels, and widens the plot by what is spare.
    assert bars["y"]["axis"].get("domain", True)
    assert bars["y"]["axis"]["domainColor"] == "transparent"


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
    assert "Give the classifier a name" in plain(page.error[0].value)
    page.button(key=f"delete-{saved.id}").click()
    healthy(page.run())
    assert services.database.classifiers.all() == []
    assert "No classifier is saved yet" in plain(page.info[0].value)


def test_a_classifier_whose_collection_is_gone_stays_listed(
    services: Services, saved: SavedClassifier, collection: Collection
) -> None:
    services.database.collections.drop(collection)
    page = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()
    assert "is gone, or was made" in plain(healthy(page).error[0].value)
    assert page.button(key=f"delete-{saved.id}")


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


def test_a_random_sample_tells_how_good_it_is(
    page: AppTest, services: Services, saved: SavedClassifier, collection: Collection
) -> None:
    kept = draw(page)
    shown = desk(page)["photos"]
    check = services.database.checks.latest(saved.id)
    assert check is not None
    assert [photo["id"] for photo in shown] == list(check.labels)
    assert len(shown) == 40
    assert {photo["score"] for photo in shown} == {None}
    assert desk(page)["note"].startswith("Mark these 40 photos: yes where it is what you look for")
    told = mark(services, page, UP)
    assert "Too few marks above the threshold to tell the precision: between " in note(told)
    assert "Too few marks to tell how many right ones are missed: there are between 1 and" in (
        note(told)
    )
    assert note(told).endswith(". 39 still to be marked")
    told = mark(services, page, *[UP if place else DOWN for place in range(kept)], rest=True)
    # All forty are marked, so all is known.
    assert note(told) == (
        f"Precision {(kept - 1) / kept:.0%}: all that is kept is marked. "
        f"It keeps {kept - 1} of the {kept - 1} in the collection"
    )
    again = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()
    assert desk(healthy(again))["note"] == note(told)
    assert set(check.labels) & set(page_labels(services, saved))


def test_thumbs_of_the_session_are_not_marks_of_the_sample(
    page: AppTest, services: Services, saved: SavedClassifier
) -> None:
    draw(page)
    thumbed = page_labels(services, saved)
    assert desk(page)["marks"] == {}
    mark(services, page, UP, UP, UP)
    assert page_labels(services, saved) == thumbed


def test_unsure_is_no_mark(page: AppTest, services: Services) -> None:
    draw(page)
    assert note(mark(services, page, UP, UNSURE)).endswith(". 39 still to be marked")


def test_a_sample_holds_when_the_threshold_moves(
    page: AppTest, services: Services, saved: SavedClassifier
) -> None:
    kept = draw(page)
    mark(services, page, *[UP] * kept, rest=True)
    for end in (page.slider[0].min, page.slider[0].max):
        page.slider[0].set_value(end)
        healthy(page.run())
        assert len(desk(page)["photos"]) == 40
        keeps = 40 if end == page.slider[0].min else 1
        share = min(1, kept / keeps)
        assert desk(page)["note"].startswith(f"Precision {share:.0%}: ")


def test_the_threshold_is_set_by_the_precision(
    page: AppTest, services: Services, saved: SavedClassifier, collection: Collection
) -> None:
    kept = draw(page)
    _, scores = services.database.collections.photos(collection).scores(saved.weight)
    right = 3
    ids = services.database.collections.photos(collection).scores(saved.weight)[0][:right]
    board = CheckBoard.of(services.database, desks(page)[0]["url"].split("/")[-1], ANYBODY)
    answer(board, [Act("mark", "c", tuple(ids), UP), Act("rest", "d")], Show())
    healthy(page.run())
    assert kept > right
    page.selectbox(key="precision").set_value(0.99)
    healthy(page.run())
    page.button(key="use_precision").click()
    healthy(page.run())
    assert f"**{right}** of 40 photos" in texts(page)
    assert scores[right] < page.slider[0].value <= scores[right - 1] + 1e-6
    assert "as proposed" not in texts(page)
    page.selectbox(key="surely").set_value("by the lower end of the interval")
    assert page.button(key="use_precision")


def test_no_threshold_is_set_where_none_is_so_precise(page: AppTest, services: Services) -> None:
    draw(page)
    healthy(page.run())
    assert not [box for box in page.selectbox if box.key == "precision"]
    mark(services, page, rest=True)
    healthy(page.run())
    assert not [button for button in page.button if button.key == "use_precision"]
    assert "No threshold is known to be 95% precise by the estimate" in captions(page)


def captions(page: AppTest) -> str:
    return "\n".join(caption.value for caption in page.caption)


def test_photos_that_came_in_can_join_the_sample(
    page: AppTest, services: Services, saved: SavedClassifier, collection: Collection
) -> None:
    draw(page)
    table = services.database.collections.photos(collection)
    table.add([Photo(f"new-{n}", f"sample:new-{n}") for n in range(20)], unit_vectors(20, seed=9))
    healthy(page.run())
    label = page.button(key="check_came").label
    button(page, "check_came")
    check = services.database.checks.latest(saved.id)
    assert check is not None
    came = [photo for photo in check.labels if photo.startswith("new-")]
    assert label == f"Add {len(came)} that came in since"
    assert not [b for b in page.button if b.key == "check_came"]


def test_what_came_in_is_told_beside_what_is_told_without_it(
    page: AppTest, services: Services, collection: Collection
) -> None:
    draw(page)
    mark(services, page, UP, rest=True)
    table = services.database.collections.photos(collection)
    table.add([Photo(f"new-{n}", f"sample:new-{n}") for n in range(20)], unit_vectors(20, seed=9))
    healthy(page.run())
    n = int(page.button(key="check_came").label.split()[1])
    assert desk(page)["note"].endswith(
        f". {n} photos that came in since belong in the sample too: add them"
    )
    button(page, "check_came")
    assert desk(page)["note"].endswith(f". {n} still to be marked")


def test_photos_of_a_sample_that_are_gone_are_not_waited_for(
    page: AppTest, services: Services, saved: SavedClassifier, collection: Collection
) -> None:
    draw(page)
    check = services.database.checks.latest(saved.id)
    assert check is not None
    ids = list(check.labels)
    services.database.remove(collection, ids[:5])
    healthy(page.run())
    assert len(desk(page)["photos"]) == 35
    assert note(mark(services, page, UP)).endswith(". 34 still to be marked")
    assert "still to be marked" not in note(mark(services, page, rest=True))
    services.database.remove(collection, ids)
    table = services.database.collections.photos(collection)
    table.add([Photo("new", "sample:new")], unit_vectors(1, seed=9))
    table.add([Photo("newer", "sample:newer")], unit_vectors(1, seed=10))
    healthy(page.run())
    assert desks(page) == []
    assert "None of this sample's photos is in the collection any more" in texts(page)
    assert page.button(key="draw_check")


def test_a_larger_sample_has_more_photos_and_the_same_marks(services: Services, clip: Clip) -> None:
    collection = add_collection(services, clip, "many", 300)
    session = Session.start(services.database, collection, clip, "a lake")
    saved = session.to_save("Lakes")
    services.database.classifiers.save(saved)
    page = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60).run()
    draw(page)
    mark(services, page, UP)
    before = services.database.checks.latest(saved.id)
    button(page, "check_above")
    button(page, "check_below")
    after = services.database.checks.latest(saved.id)
    assert before is not None
    assert after is not None
    assert len(before.labels) == 80
    assert len(after.labels) == 80 + 20 + 60
    assert list(after.labels.items())[:80] == list(before.labels.items())
    assert len(desk(page)["photos"]) == 60
    assert desk(page)["photos"][-1]["id"] == list(after.labels)[119], "on the page of the new ones"
    while not page.button(key="check_below").disabled:
        button(page, "check_below")
    last = services.database.checks.latest(saved.id)
    assert last is not None
    assert len(last.labels) == 50 + 200, "all that are below are in it"
    assert not page.button(key="check_above").disabled


def test_a_sample_of_an_earlier_version_tells_the_precision_alone(
    page: AppTest, services: Services, saved: SavedClassifier, collection: Collection
) -> None:
    ids, scores = services.database.collections.photos(collection).scores(saved.weight)
    columns = ("classifier", "drawn", "threshold", "place", "photo", "label", "sequence")
    rows = [[saved.id, 5, float(scores[19]), n, ids[n], UP, 5] for n in range(20)]
    services.database.connection.insert_rows("checks", columns, rows)
    another = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)
    healthy(another.run())
    assert "Too few marks to tell how many right ones are missed" in desk(another)["note"]
    assert desk(another)["note"].startswith("Precision 100%: ")
    assert "is of an earlier version of the explorer" in texts(another)
    assert not [b for b in another.button if b.key == "check_below"]


def test_a_mark_given_in_another_tab_is_shown_and_not_taken_back(
    page: AppTest, services: Services, saved: SavedClassifier
) -> None:
    draw(page)
    check = services.database.checks.latest(saved.id)
    assert check is not None
    first = next(iter(check.labels))
    services.database.checks.label(saved.id, check, first, UP)
    healthy(page.run())
    assert desk(page)["marks"] == {first: UP}


def test_a_mark_for_a_sample_that_was_drawn_anew_is_refused(
    page: AppTest, services: Services, saved: SavedClassifier
) -> None:
    draw(page)
    key = desks(page)[0]["url"].split("/")[-1]
    with pytest.raises(ExplorerError, match="is not in this sample"):
        CheckBoard.of(services.database, key, ANYBODY).act(Act("mark", photos=("other",), label=UP))
    with pytest.raises(ExplorerError, match="A check sample has no 'refine'"):
        CheckBoard.of(services.database, key, ANYBODY).act(Act("refine"))
    button(page, "draw_check")
    with pytest.raises(GoneError, match="is not the latest any more"):
        CheckBoard.of(services.database, key, ANYBODY)
    for nonsense in ("", "x", "x~1~2", f"{saved.id}~1~much", f"{key}x", key.rpartition("~")[0]):
        with pytest.raises(GoneError):
            CheckBoard.of(services.database, nonsense, ANYBODY)


def mark(services: Services, page: AppTest, *labels: int, rest: bool = False) -> dict[str, Any]:
    """What the desk in the browser does on clicks at its first photos, and on R."""
    board = CheckBoard.of(services.database, desks(page)[0]["url"].split("/")[-1], ANYBODY)
    photos = [photo["id"] for photo in desk(page)["photos"]]
    acts = [
        Act("mark", f"click-{place}", (photos[place],), label) for place, label in enumerate(labels)
    ]
    return answer(board, [*acts, *[Act("rest", "rest")] * rest], Show())


def note(told: dict[str, Any]) -> str:
    said: str = told["state"]["note"]
    return said


def draw(page: AppTest) -> int:
    """Draws a sample; says how many photos the threshold keeps."""
    button(page, "draw_check")
    return int(re.search(r"\*\*(\d+)\*\* of", texts(page))[1])  # type: ignore[index]


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
    assert [plain(error.value) for error in page.error] == ["The user me lacks a right"]
    assert page.button(key="publish")


def test_a_view_goes_with_its_classifier(
    page: AppTest, services: Services, saved: SavedClassifier
) -> None:
    button(page, "publish")
    button(page, f"delete-{saved.id}")
    assert services.database.views.of(saved) is None
