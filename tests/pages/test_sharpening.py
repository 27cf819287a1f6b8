"""The round trip on the Classifiers page: sharpen, compare, go back, new photos, delete."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from classifier.clip import Clip
from classifier.session import Session
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.sessions import DOWN, RANKED, UP
from pages.boards import boards
from pages.consequences import of_classifier, of_collection, of_session
from pages.desk.board import Act, Show
from pages.desk.routes import answer
from pages.people.person import ANYBODY
from pages.services import Services
from tests.conftest import unit_vectors
from tests.pages.desks import desk, desks
from tests.pages.plain import plain


def script(services: object) -> None:
    from pages.classifiers import page

    page.show(services)  # type: ignore[arg-type]


@pytest.fixture
def page(services: Services, saved: SavedClassifier) -> AppTest:
    return opened(services)


def opened(services: Services) -> AppTest:
    page = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)
    return healthy(page.run())


def healthy(page: AppTest) -> AppTest:
    assert [error.value for error in page.exception] == []
    return page


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click()
    return healthy(page.run())


def texts(page: AppTest) -> str:
    return "\n".join(markdown.value for markdown in page.markdown)


def mark_all(services: Services, page: AppTest) -> None:
    """What the desk in the browser does on clicks: every other photo is right."""
    (data,) = desks(page)
    kind, key = data["url"].split("/")[-2:]
    photos = [photo["id"] for photo in desk(page)["photos"]]
    acts = [
        Act("mark", f"{photo}-click", (photo,), DOWN if place % 2 else UP)
        for place, photo in enumerate(photos)
    ]
    told = answer(boards(services, ANYBODY)[kind](key), acts, Show())
    assert told["refused"] == {}


def test_a_classifier_is_sharpened_compared_and_taken_back(
    page: AppTest, services: Services, session: Session, saved: SavedClassifier
) -> None:
    link = f"(/?session={session.row.id})"
    assert f"From the session [“a \\[lake\\]\\(x\\)”]{link}, 1 round" in texts(page)
    press(page, "refit")
    assert "A refit gives version 1 again" in plain(page.error[0].value)
    slider = page.slider[0]
    slider.set_value(slider.min + (slider.max - slider.min) / 3)
    threshold = healthy(page.run()).slider[0].value
    press(page, "sharpen")
    shown = desk(page)
    assert shown["can"] == ["mark", "rest", "undo"]
    assert shown["why"] == "at the threshold"
    scores = [photo["score"] for photo in shown["photos"]]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > threshold > scores[-1]
    assert not {photo["id"] for photo in shown["photos"]} & {p.id for p in session.rounds[0].photos}
    press(page, "sharpen")
    assert len(session.rounds) == 2, "what waits for marks is not shown twice"
    mark_all(services, page)
    press(page, "refit")
    made = services.database.classifiers.all()[0]
    assert (made.number, made.ups + made.downs) == (2, len(session.labels))
    assert desks(page) == [], "the desk is cleared for the next photos"
    assert page.slider[0].value == pytest.approx(made.threshold, abs=2e-3)
    assert "From version 1 to 2, **" in texts(page)
    (table,) = page.table
    assert list(table.value) == ["Version 2", "Version 1"]
    agreed = table.value["Version 2"]["Agrees with"]
    assert agreed.endswith(f" of {len(session.labels)} thumbs")
    press(page, "use_version")
    assert services.database.classifiers.all()[0].number == 1
    assert page.slider[0].value == pytest.approx(threshold, abs=2e-3)
    press(page, "use_version")
    assert services.database.classifiers.all()[0].number == 2
    assert len(services.database.classifiers.versions(made)) == 2


def test_versions_are_compared_by_a_check_sample_until_one_learns_from_it(
    page: AppTest, services: Services, session: Session, saved: SavedClassifier
) -> None:
    press(page, "draw_check")
    mark_all(services, page)
    press(page, "sharpen")
    for photo in session.rounds[-1].photos:
        session.label(photo.id, DOWN)
    press(page, "refit")
    (table,) = page.table
    # All forty photos are in the sample and marked.
    assert all(words.endswith("%, all are marked") for words in table.value.loc["Precision"])
    assert len(desk(page)["photos"]) == 40
    page.checkbox[0].check()
    healthy(page.run())
    press(page, "refit")
    made = services.database.classifiers.all()[0]
    assert made.number == 3
    assert "Version 3 learnt from this sample, which flatters it now" in texts(page)
    assert desks(page) == []
    (table,) = page.table
    assert table.value["Version 3"]["Precision"] == ""
    assert table.value["Version 2"]["Precision"] != ""
    press(page, "draw_check")
    assert "learnt from this sample" not in texts(page)
    assert len(desk(page)["photos"]) == 40


def test_a_version_that_learnt_from_a_sample_is_flattered_without_its_session_too(
    page: AppTest, services: Services, session: Session
) -> None:
    press(page, "draw_check")
    mark_all(services, page)
    page = opened(services)
    page.checkbox[0].check()
    healthy(page.run())
    press(page, "refit")
    services.database.sessions.update(session.row.id, deleted=True)
    services.sessions.forget(session.row.id)
    page = opened(services)
    assert "Version 2 learnt from this sample, which flatters it now" in texts(page)
    assert desks(page) == []


def test_one_photo_enters_and_the_last_one_is_labelled(
    services: Services, session: Session, saved: SavedClassifier, collection: Collection
) -> None:
    table = services.database.collections.photos(collection)
    ids, scores = table.scores(saved.weight)
    services.database.classifiers.use(replace(saved, threshold=float(scores[4])))
    services.database.classifiers.add_version(saved, replace(saved, threshold=float(scores[5])))
    session.show([photo for photo in ids if photo not in session.marks], saved.weight, RANKED)
    for photo in ids[:-1]:
        session.label(photo, UP)
    page = opened(services)
    assert "**1** photo enters, **0** leave, and 5 stay." in texts(page)
    assert page.button(key="sharpen").label == "Label 1 photo at the threshold"
    session.label(ids[-1], UP)
    assert healthy(page.run()).button(key="sharpen").disabled


def test_thumbs_on_photos_that_are_gone_are_neither_agreed_with_nor_counted(
    page: AppTest, services: Services, session: Session, saved: SavedClassifier
) -> None:
    services.database.classifiers.add_version(saved, replace(saved, threshold=-1.0))
    gone = [photo for photo, label in session.labels.items() if label == UP]
    services.database.remove(session.collection, gone[:3])
    (table,) = healthy(page.run()).table
    assert table.value["Version 2"]["Agrees with"] == "1 of 6 thumbs"


def test_another_tab_goes_on_with_the_photos_at_the_threshold(
    page: AppTest, services: Services, session: Session
) -> None:
    press(page, "sharpen")
    services.sessions.forget(session.row.id)
    again = opened(services)
    assert [p["id"] for p in desk(again)["photos"]] == [p["id"] for p in desk(page)["photos"]]
    session = services.sessions.get(session.row.id)
    session.refine()
    assert desk(healthy(again.run()))["round"] == 2, "though the session went on meanwhile"


def test_new_photos_are_counted_shown_and_labelled(
    page: AppTest, services: Services, session: Session, collection: Collection, clip: Clip
) -> None:
    assert " new** since" not in texts(page)
    table = services.database.collections.photos(collection)
    best = table.get([table.scores(services.database.classifiers.all()[0].weight)[0][0]])[0]
    photos = [replace(best.photo, id=f"new-{number}") for number in range(3)]
    vectors = unit_vectors(3, seed=5)
    vectors[0] = best.vector
    table.add(photos, vectors)
    healthy(page.run())
    assert "**3 new** since version 1 was saved, **1** of them above the threshold" in texts(page)
    press(page, "label_new")
    assert [photo["id"] for photo in desk(page)["photos"]] == ["new-0"]
    assert desk(page)["why"] == "new photos"
    mark_all(services, page)
    healthy(page.run())
    assert session.labels["new-0"] == UP
    assert not [button for button in page.button if button.key == "label_new"]
    press(page, "refit")
    assert " new** since" not in texts(page), "the next version has seen them"


def test_without_its_session_a_classifier_ranks_and_says_why_it_is_not_sharpened(
    page: AppTest, services: Services, session: Session
) -> None:
    services.database.sessions.update(session.row.id, deleted=True)
    services.sessions.forget(session.row.id)
    healthy(page.run())
    assert "Its labelling session was deleted, or is not in this database" in texts(page)
    assert "From the prompt “a \\[lake\\]\\(x\\)”, 1 round" in texts(page)
    assert not [button for button in page.button if button.key in ("sharpen", "refit")]
    assert page.slider


def test_what_goes_with_what_is_said_first(
    services: Services, session: Session, saved: SavedClassifier, collection: Collection
) -> None:
    database = services.database
    assert of_classifier(database, saved) == "Delete **Lakes**?\n\nIts labelling session stays."
    database.views.publish(saved, 0.1)
    database.classifiers.add_version(saved, saved)
    (second,) = database.classifiers.all()
    assert of_classifier(database, second) == (
        "Delete **Lakes**?\n\nIt takes along its 2 versions and the view **lakes**, for "
        "whoever queries it.\n\nIts labelling session stays."
    )
    assert of_session(session.row, 9, database.classifiers.by_session()[session.row.id]) == (
        "Delete **a \\[lake\\]\\(x\\)** with its 9 thumbs?\n\nWhat was saved from it stays: "
        "**Lakes \\(version 2\\)**. It can't be sharpened any more."
    )
    assert of_collection(database, collection) == (
        "Delete **drawings** with the vectors of its photos? The photos themselves are not "
        "touched.\n\nIt takes along the view **lakes**, for whoever queries it.\n\n1 session can't "
        "be gone on with any more, unless the same photos are loaded again under this name, with "
        "the same model.\n\nNothing is left to rank for **Lakes**: download what you want to keep "
        "on the Classifiers page before."
    )


def test_a_session_stands_by_the_version_that_it_made_when_another_made_the_next(
    services: Services, session: Session, saved: SavedClassifier
) -> None:
    database = services.database
    database.classifiers.add_version(saved, replace(saved, session="another"))
    told = "stays: **Lakes \\(version 1\\)**. It can't be sharpened any more."
    assert told in of_session(session.row, 9, database.classifiers.by_session()[session.row.id])


def test_a_classifier_without_a_session_promises_none(
    services: Services, saved: SavedClassifier
) -> None:
    carried = replace(saved, id="carried", session="")
    assert of_classifier(services.database, carried) == "Delete **Lakes**?"


def test_an_address_opens_a_classifier(
    services: Services, session: Session, saved: SavedClassifier
) -> None:
    session.label(session.current.photos[0].id, DOWN)
    services.database.classifiers.save(session.to_save("Ponds"))
    page = AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)
    page.query_params["classifier"] = saved.title
    assert healthy(page.run()).selectbox[0].value == saved.id
