from dataclasses import replace

import numpy as np
import pytest

from classifier.ranking import Ranking
from classifier.rounds import training_set
from classifier.session import Session
from classifier.versions import (
    Kept,
    add_version,
    at_threshold,
    dividing_threshold,
    has_learnt_from,
    learn_from,
    use_version,
)
from db.checks import Check
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.database import Database
from db.errors import ExplorerError
from db.label_tables import LabelTable
from db.sessions import DOWN, NEW, RANKED, SAMPLE, THRESHOLD, UNSURE, UP
from db.views import Views
from tests.conftest import TextTower, filled

IDS = [f"p{n}" for n in range(10)]


def ranking(labels: dict[str, int]) -> Ranking:
    return Ranking(IDS, np.linspace(1, 0.1, 10, dtype=np.float32), labels)


@pytest.mark.parametrize(
    ("kept", "known", "n", "expected"),
    [
        (4, (), 4, "p2 p3 p4 p5"),
        (4, ("p3", "p5"), 4, "p1 p2 p4 p6"),
        (1, (), 4, "p0 p1 p2 p3"),
        (0, (), 2, "p0 p1"),
        (10, ("p9",), 3, "p6 p7 p8"),
        (5, IDS[2:], 6, "p0 p1"),
        (5, IDS, 3, ""),
    ],
)
def test_the_photos_at_a_threshold_are_the_nearest_without_thumbs(
    kept: int, known: tuple[str, ...], n: int, expected: str
) -> None:
    assert at_threshold(IDS, kept, known, n) == expected.split()


@pytest.mark.parametrize(
    ("labels", "wanted", "kept"),
    [
        ({"p1": UP, "p2": UP, "p6": DOWN}, 5, 5),  # anywhere from 3 to 6: as wanted
        ({"p1": UP, "p2": UP, "p6": DOWN}, 9, 6),
        ({"p1": UP, "p2": UP, "p6": DOWN}, 1, 3),
        ({"p0": UP, "p1": DOWN, "p2": UP, "p3": UP, "p7": DOWN}, 1, 4),
        ({"p1": UP, "p2": UP}, 7, 7),
        ({"p1": UP, "p8": UP}, 7, 9),  # one kind alone: all of it is on its side
        ({"p2": DOWN}, 7, 2),
        ({}, 3, 3),
        ({"p9": UP, "p8": DOWN}, 3, 3),  # wherever it is, one of them is wrong
        ({"p9": UP, "p0": DOWN}, 6, 10),
        ({"p9": UP, "p0": DOWN}, 4, 1),  # at least one is kept
    ],
)
def test_a_threshold_divides_the_thumbs_and_keeps_about_as_many_as_before(
    labels: dict[str, int], wanted: int, kept: int
) -> None:
    ranked = ranking(labels)
    assert ranked.kept(dividing_threshold(ranked, wanted)) == kept


def test_what_enters_and_leaves_and_which_thumbs_agree() -> None:
    ranked = ranking({"p0": UP, "p3": DOWN, "p8": UP})
    saved = SavedClassifier("1", "n", "c", "m", "f", "p", "s", "x", 1, 1, 1, np.zeros(512, "f4"))
    strict, loose = Kept.of(saved, ranked, 0.85), Kept.of(saved, ranked, 0.65)
    assert strict.without(loose) == []
    assert loose.without(strict) == ["p2", "p3"]
    assert strict.agreeing(ranked.labels) == 2
    assert loose.agreeing(ranked.labels) == 1
    assert Kept.of(saved, ranked).threshold == ranked.first_threshold()
    assert Kept.of(replace(saved, threshold=0.5), ranked).threshold == 0.5


# ---- in a session


@pytest.fixture
def session(database: Database) -> Session:
    collection, _, _ = filled(database, 60)
    started = Session.start(database, collection, TextTower(), "a lake")  # type: ignore[arg-type]
    for place, photo in enumerate(started.current.photos):
        started.label(photo.id, UP if place < 4 else DOWN)
    return started


@pytest.fixture
def saved(database: Database, session: Session) -> SavedClassifier:
    database.classifiers.save(session.to_save("Lakes"))
    return database.classifiers.all()[0]


def sharpened(database: Database, session: Session, saved: SavedClassifier) -> list[str]:
    """Mark the photos at the threshold: every other one is right."""
    table = database.collections.photos(session.collection)
    ids, _ = table.scores(saved.weight)
    photos = at_threshold(ids, 10, session.marks, 6)
    session.show(photos, saved.weight, THRESHOLD)
    for place, photo in enumerate(photos):
        session.label(photo, UP if place % 2 else DOWN)
    return photos


def test_photos_at_a_threshold_are_a_round_that_says_why(
    database: Database, session: Session, saved: SavedClassifier
) -> None:
    photos = sharpened(database, session, saved)
    again = Session.reopen(database, session.row.id)
    assert [shown.why for shown in again.rounds] == [RANKED, THRESHOLD]
    assert [photo.id for photo in again.current.photos] == photos
    assert again.labels == session.labels
    assert np.allclose(again.current.weight, saved.weight)
    rows = database.sessions.labels(session.row.id)
    assert {row.round for row in rows if row.photo in photos} == {2}


def test_photos_that_wait_for_marks_are_not_shown_twice_and_a_photo_counts_once(
    session: Session, saved: SavedClassifier
) -> None:
    seen = [photo.id for photo in session.current.photos]
    session.label(seen[8], -1)
    session.show(seen[8:], saved.weight, NEW)
    session.show(seen[8:], saved.weight, NEW)
    assert len(session.rounds) == 2
    session.label(seen[8], UP)
    X, y = training_set(session.rounds, session.labels)
    assert (len(X), y.count(UP), y.count(DOWN)) == (9, 5, 4)
    session.show(seen[8:], saved.weight, NEW)
    assert len(session.rounds) == 3, "asked for once more, they are shown"


def test_photos_that_are_gone_can_not_be_shown(session: Session, saved: SavedClassifier) -> None:
    with pytest.raises(ExplorerError, match="None of these photos is in unsplash_25k any more"):
        session.show(["nowhere"], saved.weight, THRESHOLD)
    assert len(session.rounds) == 1


def test_a_version_is_fit_on_all_thumbs_compared_and_taken_back(
    database: Database, session: Session, saved: SavedClassifier
) -> None:
    view = database.views.publish(saved, 0.1)
    table = LabelTable(saved.collection, [saved], [0.1], False)
    database.label_tables.publish(table, "kinds")
    with pytest.raises(ExplorerError, match="A refit gives version 1 again"):
        add_version(database, session, saved, 0.1)
    photos = sharpened(database, session, saved)
    session.label(photos[0], UNSURE)
    made = add_version(database, session, saved, 0.1)
    assert (made.number, made.name, made.session) == (2, "Lakes", session.row.id)
    assert (made.ups, made.downs) == (session.count(UP), session.count(DOWN))
    second, first = database.classifiers.versions(made)
    assert np.array_equal(first.weight, saved.weight)
    assert not np.array_equal(second.weight, first.weight)
    assert (first.threshold, second.threshold) == (0.1, made.threshold)
    assert rows_of(database, view.name) == kept_by(database, session, second)
    assert database.views.of(made) == replace(view, threshold=made.threshold, number=2)
    assert rows_of(database, "kinds WHERE lakes = 1") == kept_by(database, session, second)

    use_version(database, second, first, 0.3)
    (current,) = database.classifiers.all()
    assert (current.number, current.threshold) == (1, 0.1)
    assert database.classifiers.versions(current)[0].threshold == 0.3, "where it was left"
    assert rows_of(database, view.name) == kept_by(database, session, first)
    assert rows_of(database, "kinds WHERE lakes = 1") == kept_by(database, session, first)
    with pytest.raises(ExplorerError, match="A refit gives version 2 again"):
        add_version(database, session, current)
    session.label(photos[1], DOWN)
    assert add_version(database, session, current).number == 3


def test_the_thumbs_of_a_check_sample_are_learnt_from_where_that_is_wanted(
    database: Database, session: Session, saved: SavedClassifier
) -> None:
    ids, _ = database.collections.photos(session.collection).scores(saved.weight)
    fresh = [photo for photo in ids if photo not in session.marks][:6]
    labels = dict(zip(fresh, [UP, DOWN, UNSURE, UP, -1, DOWN], strict=True))
    check = Check(1, 0.1, {**labels, next(iter(session.marks)): DOWN, "gone": UP})
    before = session.labels
    learn_from(database, session, saved, check)
    learnt = {photo: label for photo, label in labels.items() if label in (UP, DOWN)}
    assert session.labels == {**before, **learnt}
    again = Session.reopen(database, session.row.id)
    assert (again.labels, again.current.why) == (session.labels, f"{SAMPLE} 1")
    made = add_version(database, session, saved)
    assert has_learnt_from(database, made, check)
    assert not has_learnt_from(database, saved, check)
    assert not has_learnt_from(database, made, replace(check, drawn=2))
    learn_from(database, session, saved, check)
    assert len(session.rounds) == 2, "each thumb once"
    database.sessions.update(session.row.id, deleted=True)
    assert has_learnt_from(database, made, check), "it stays flattered"


def test_a_view_that_can_not_follow_is_told_after_the_version_is_saved(
    database: Database, session: Session, saved: SavedClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.views.publish(saved, 0.1)
    sharpened(database, session, saved)

    def refuse(*_: object) -> None:
        raise ExplorerError("The user me lacks a right")

    monkeypatch.setattr(Views, "publish", refuse)
    told = "Version 2 is in use, but the view lakes shows version 1 still: The user me lacks"
    with pytest.raises(ExplorerError, match=told):
        add_version(database, session, saved)
    assert database.classifiers.all()[0].number == 2


def test_what_is_deleted_while_it_is_refit_stays_deleted(
    database: Database, session: Session, saved: SavedClassifier
) -> None:
    sharpened(database, session, saved)
    database.classifiers.rename(replace(saved, number=7), "Ponds")
    assert [(one.name, one.number) for one in database.classifiers.all()] == [("Ponds", 1)]
    database.delete(saved)
    told = "was deleted meanwhile: save its session again on the Label page"
    for late in (
        lambda: add_version(database, session, saved),
        lambda: use_version(database, saved, saved),
        lambda: database.classifiers.rename(saved, "Lakes"),
    ):
        with pytest.raises(ExplorerError, match=told):
            late()
    assert database.classifiers.all() == []


def test_thumbs_of_another_collection_make_no_version(
    database: Database, session: Session, saved: SavedClassifier
) -> None:
    collection: Collection = session.collection
    other = replace(saved, collection="other")
    told = "Lakes is a classifier of other: thumbs on photos of unsplash_25k make no version"
    with pytest.raises(ExplorerError, match=told):
        add_version(database, session, other)
    assert collection.name == "unsplash_25k"


def rows_of(database: Database, view: str) -> set[str]:
    return {row["id"] for row in database.connection.rows(f"SELECT id FROM {view}")}


def kept_by(database: Database, session: Session, version: SavedClassifier) -> set[str]:
    table = database.collections.photos(session.collection)
    return set(Kept.of(version, Ranking(*table.scores(version.weight), {})).ids)
