import numpy as np
import numpy.typing as npt
import pytest

from classifier.linear import Classifier
from classifier.refit import ARTICLE, DEFAULT_METHOD, METHODS, Refit, refit_whitened
from classifier.rounds import share_of_ups, turns
from classifier.session import Session
from db.collections import Collection
from db.database import TABLES, Database
from db.errors import ExplorerError
from db.photo import Photo
from db.photos import Filter
from db.sessions import DOWN, NONE, UNSURE, UP, Sessions
from db.upgrades import bring_up_to_date
from tests.conftest import TextTower, filled, unit_vectors


@pytest.fixture
def collection(database: Database) -> Collection:
    return filled(database, 60)[0]


@pytest.fixture
def session(database: Database, collection: Collection) -> Session:
    return start(database, collection)


def start(
    database: Database,
    collection: Collection,
    only: Filter | None = None,
    method: str = DEFAULT_METHOD,
) -> Session:
    return Session.start(database, collection, TextTower(), "a lake", 9, only, method)  # type: ignore[arg-type]


def ids(session: Session) -> list[str]:
    return [photo.id for photo in session.current.photos]


def state(session: Session) -> tuple[object, ...]:
    """All that a person could see of a session, exactly."""
    return (
        session.row.prompt,
        session.row.page_size,
        session.row.only,
        session.labels,
        share_of_ups(session.rounds, session.labels),
        session.thumbs.undoable() is not None,
        [
            (r.number, r.photos, r.weight.tobytes(), r.vectors.tobytes(), r.scores.tobytes())
            for r in session.rounds
        ],
    )


def test_the_first_round_is_the_prompts_nearest_photos(session: Session) -> None:
    vectors = unit_vectors(60)
    query = TextTower().encode_text(["a lake"])[0]
    exact = np.argsort(-(vectors @ query))[:9]
    assert ids(session) == [f"photo-{place:05d}" for place in exact]
    assert session.current.scores == pytest.approx((vectors @ query)[exact], abs=1e-5)


def test_refining_fits_the_article_on_all_thumbs_so_far(
    database: Database, collection: Collection
) -> None:
    session = start(database, collection, method=ARTICLE)
    assert session.current.weight == pytest.approx(TextTower().encode_text([""])[0], abs=1e-6)
    expected = Classifier(session.current.weight)
    X: list[npt.NDArray[np.float32]] = []
    y: list[int] = []
    for _ in range(3):
        for place, photo in enumerate(session.current.photos):
            label = UP if place % 3 else DOWN
            session.label(photo.id, label)
            X.append(session.current.vectors[place])
            y.append(label)
        expected.fit(np.stack(X), y)
        session.refine()
        assert np.array_equal(session.current.weight, expected.weight)


def test_no_photo_is_shown_twice_until_every_one_was_shown(session: Session) -> None:
    session.label(ids(session)[0], UP)
    session.label(ids(session)[1], DOWN)
    for _ in range(6):
        session.refine()
    shown = [photo.id for r in session.rounds for photo in r.photos]
    assert len(shown) == len(set(shown)) == 60
    assert len(session.current.photos) == 6
    with pytest.raises(ExplorerError, match="Every photo that passes the filter has been shown"):
        session.refine()
    assert len(session.rounds) == 7


def test_a_reopened_session_is_exactly_as_it_was_left(
    database: Database, collection: Collection
) -> None:
    session = start(database, collection, Filter(countries=("Peru", "Norway")))
    session.label(ids(session)[0], UP)
    session.label(ids(session)[0], DOWN)
    session.label(ids(session)[1], UP)
    session.rest_are_no()
    session.refine()
    session.label(ids(session)[4], UP)
    session.undo()
    session.label(ids(session)[2], UP)
    reopened = Session.reopen(database, session.row.id)
    assert state(reopened) == state(session)
    for one in (session, reopened):
        one.undo()
        one.undo()
    assert reopened.labels == session.labels
    reopened.refine()
    assert not {p.id for p in reopened.current.photos} & {
        p.id for r in session.rounds for p in r.photos
    }


def test_undo_takes_back_click_by_click(session: Session) -> None:
    first, second, *_ = ids(session)
    session.label(first, UP)
    session.label(first, DOWN)
    session.label(second, UP)
    session.label(second, NONE)
    session.rest_are_no()
    assert session.count(DOWN) == 9
    session.undo()
    assert session.labels == {first: DOWN}
    session.undo()
    assert session.labels == {first: DOWN, second: UP}
    session.undo()
    session.undo()
    assert session.labels == {first: UP}
    session.undo()
    assert session.labels == {}
    assert session.thumbs.undoable() is None
    session.undo()
    assert session.labels == {}


def test_every_thumb_and_every_undo_is_a_row(database: Database, session: Session) -> None:
    photo = ids(session)[3]
    session.label(photo, UP)
    session.label(photo, UP)
    session.undo()
    rows = database.sessions.labels(session.row.id)
    assert [(row.photo, row.label, row.undoes != 0) for row in rows] == [
        (photo, UP, False),
        (photo, NONE, True),
    ]
    assert rows[0].sequence < rows[1].sequence


def test_a_clock_set_back_keeps_the_order(
    session: Session, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = ids(session)[0]
    for moment, label in ((5_000, UP), (100, DOWN), (50, NONE), (50, UP)):
        monkeypatch.setattr("time.time_ns", lambda moment=moment: moment)
        session.label(photo, label)
    assert [row.label for row in database.sessions.labels(session.row.id)] == [UP, DOWN, NONE, UP]
    assert Session.reopen(database, session.row.id).labels == {photo: UP}


def test_refining_without_thumbs_shows_the_next_nearest(session: Session) -> None:
    weight = session.current.weight
    session.refine()
    assert np.array_equal(session.current.weight, weight)
    vectors = unit_vectors(60)
    exact = np.argsort(-(vectors @ weight))[9:18]
    assert ids(session) == [f"photo-{place:05d}" for place in exact]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("label", [UP, DOWN])
def test_one_kind_of_thumb_alone(
    database: Database, collection: Collection, label: int, method: str
) -> None:
    session = start(database, collection, method=method)
    for photo in ids(session):
        session.label(photo, label)
    before = session.current
    session.refine()
    unit = session.current.weight / np.linalg.norm(session.current.weight)
    change = (before.vectors @ unit - before.scores).mean()
    if label == UP:
        assert change > 0
    elif method == ARTICLE:
        assert change < 0
    else:
        # What is not wanted doesn't tell what is: the prompt stays, and the next photos come.
        assert change == pytest.approx(0, abs=1e-6)


def test_the_share_of_ups_is_told_by_round(session: Session) -> None:
    first, second, third, *_ = ids(session)
    for photo, label in ((first, UP), (second, UP), (third, DOWN)):
        session.label(photo, label)
    session.refine()
    assert share_of_ups(session.rounds, session.labels) == [pytest.approx(2 / 3), None]


def test_an_earlier_round_can_still_be_labelled(session: Session) -> None:
    early = ids(session)[5]
    session.refine()
    session.label(early, UP)
    assert session.labels == {early: UP}


def test_a_filter_holds_in_every_round(database: Database, collection: Collection) -> None:
    session = start(database, collection, Filter(countries=("Peru",)))
    session.refine()
    shown = [photo for r in session.rounds for photo in r.photos]
    assert len(shown) == 18
    assert {photo.country for photo in shown} == {"Peru"}


def test_a_filter_that_nothing_passes_starts_no_session(
    database: Database, collection: Collection
) -> None:
    with pytest.raises(ExplorerError, match="No photo passes the filter"):
        start(database, collection, Filter(countries=("Atlantis",)))
    assert database.listed.recent(collection.name) == []


def test_a_photo_that_was_not_shown_gets_no_thumb(session: Session) -> None:
    with pytest.raises(ExplorerError, match="was not shown in this session"):
        session.label("photo-unknown", UP)


def test_another_models_text_tower_is_refused(database: Database, collection: Collection) -> None:
    tower = TextTower(fingerprint="retrained")
    with pytest.raises(
        ExplorerError,
        match=r"can't be searched with a-model: .* Delete it on the Collection page, and load",
    ):
        Session.start(database, collection, tower, "x")  # type: ignore[arg-type]


def test_an_unknown_session_is_named(database: Database) -> None:
    with pytest.raises(ExplorerError, match="There is no session 'nope'"):
        Session.reopen(database, "nope")


def test_a_session_of_a_collection_made_anew_is_refused(
    database: Database, collection: Collection, session: Session
) -> None:
    database.collections.drop(collection)
    with pytest.raises(ExplorerError, match="collection that is gone or was made anew"):
        Session.reopen(database, session.row.id)


def test_a_photo_that_is_gone_leaves_a_gap_only(
    database: Database, collection: Collection, session: Session
) -> None:
    gone, *rest = ids(session)
    session.label(gone, UP)
    database.connection.command(
        f"ALTER TABLE {collection.name} DELETE WHERE id = %(id)s", {"id": gone}
    )
    reopened = Session.reopen(database, session.row.id)
    assert ids(reopened) == rest
    reopened.refine()


def test_a_double_click_refines_once(session: Session) -> None:
    session.refine(after=1)
    session.refine(after=1)
    assert len(session.rounds) == 2


def test_an_empty_collection_says_so(database: Database) -> None:
    empty = Collection("empty", "a-model", "a-fingerprint", "a test")
    database.collections.open(empty)
    with pytest.raises(ExplorerError, match="empty has no photos yet"):
        start(database, empty)


def test_recent_sessions_are_listed_newest_first(
    database: Database, collection: Collection, session: Session
) -> None:
    session.refine()
    summaries = database.listed.recent(collection.name)
    assert [(s.row.id, s.row.prompt, s.rounds) for s in summaries] == [
        (session.row.id, "a lake", 2)
    ]


def test_what_is_saved_is_fit_on_the_thumbs_of_the_last_round_too(
    database: Database, session: Session
) -> None:
    session.label(ids(session)[0], UP)
    session.label(ids(session)[1], DOWN)
    saved = session.to_save("  lake \n views ")
    database.classifiers.save(saved)
    (stored,) = database.classifiers.all()
    assert stored.name == "lake views"
    assert (stored.ups, stored.downs, stored.rounds, stored.prompt) == (1, 1, 1, "a lake")
    fitted = session.fitted()
    assert np.array_equal(stored.weight, fitted / np.linalg.norm(fitted))
    assert np.linalg.norm(stored.weight) == pytest.approx(1, abs=1e-6)


def test_photos_keep_their_facts_when_reopened(database: Database, session: Session) -> None:
    photos: tuple[Photo, ...] = Session.reopen(database, session.row.id).current.photos
    assert photos == session.current.photos
    assert photos[0].url.startswith("sample:")


def test_stored_thumbs_replay_to_the_same_weight(
    database: Database, collection: Collection
) -> None:
    for method in METHODS:
        session = start(database, collection, method=method)
        for _ in range(3):
            for place, photo in enumerate(ids(session)):
                session.label(photo, UP if place % 3 else DOWN)
            session.refine()
        reopened = Session.reopen(database, session.row.id)
        assert reopened.row.method == method
        assert reopened.fitted().tobytes() == session.fitted().tobytes()


def test_a_session_of_the_first_version_is_refit_as_in_the_article(
    database: Database, collection: Collection
) -> None:
    session = start(database, collection)
    connection = database.connection
    connection.command("ALTER TABLE sessions DROP COLUMN method")
    connection.command("DROP TABLE upgrades SYNC")
    bring_up_to_date(connection, TABLES)
    again = Sessions(connection)
    row = again.find(session.row.id)
    assert row is not None
    assert row.method == ARTICLE


def test_the_same_thumbs_are_fit_once(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[int] = []

    def counted(text: object, X: object, y: list[int], whitening: object) -> Refit:
        fits.append(len(y))
        return refit_whitened(text, X, y, whitening)  # type: ignore[arg-type]

    monkeypatch.setattr("classifier.learner.refit_whitened", counted)
    for _ in range(3):
        for place, photo in enumerate(ids(session)):
            session.label(photo, UP if place % 2 else DOWN)
        session.refine()
        session.evidence()
    assert fits == [9, 18, 27]
    session.label(ids(session)[0], UP)
    session.evidence()
    session.label(ids(session)[0], DOWN)
    session.evidence()
    assert fits == [9, 18, 27, 28, 28]


def test_an_unknown_method_is_refused(database: Database, collection: Collection) -> None:
    with pytest.raises(
        ExplorerError, match=r"^There is no method 'magic': use whitened or article$"
    ):
        start(database, collection, method="magic")


def test_turns_are_the_angles_between_rounds(session: Session) -> None:
    assert turns(session.rounds) == []
    for photo in ids(session):
        session.label(photo, UP)
    session.refine()
    a, b = (r.weight / np.linalg.norm(r.weight) for r in session.rounds)
    assert turns(session.rounds) == pytest.approx([np.degrees(np.arccos(a @ b))], abs=1e-3)


def test_there_is_no_evidence_before_ten_thumbs_and_three_rounds(session: Session) -> None:
    for _ in range(2):
        session.label(ids(session)[0], UP)
        session.rest_are_no()
        assert session.evidence() is None
        session.refine()
    assert session.evidence() is not None


def test_a_click_that_is_sent_again_is_done_once(database: Database, session: Session) -> None:
    first, second, *_ = ids(session)
    session.label_all([first, second], UP, click="c1")
    session.label(first, DOWN)
    session.label_all([first, second], UP, click="c1")
    assert session.labels == {first: DOWN, second: UP}
    reopened = Session.reopen(database, session.row.id)
    reopened.label_all([first, second], UP, click="c1")
    assert reopened.labels == {first: DOWN, second: UP}
    session.rest_are_no(click="c2")
    undone = session.undo(click="c3")
    again = session.undo(click="c3")
    assert undone is not None
    assert again is not None
    assert (len(undone.photos), len(again.photos)) == (7, 0)


def test_a_click_that_changed_nothing_changes_nothing_later(session: Session) -> None:
    photo = ids(session)[0]
    session.label(photo, UP)
    session.label_all([photo], UP, click="late")
    session.label(photo, DOWN)
    session.label_all([photo], UP, click="late")
    assert session.labels == {photo: DOWN}


def test_rest_are_no_means_the_round_that_is_named(session: Session) -> None:
    first = ids(session)
    session.label(first[0], UP)
    session.refine()
    session.rest_are_no(1)
    assert session.labels == {first[0]: UP, **dict.fromkeys(first[1:], DOWN)}
    with pytest.raises(ExplorerError, match="There is no round 3: there were 2"):
        session.rest_are_no(3)


def test_unsure_is_neither_and_is_not_asked_again(session: Session) -> None:
    unsure, *rest = ids(session)
    session.label(unsure, UNSURE)
    assert session.labels == {}
    assert session.marks == {unsure: UNSURE}
    session.rest_are_no()
    assert session.marks == {unsure: UNSURE, **dict.fromkeys(rest, DOWN)}
    saved = session.to_save("x")
    assert (saved.ups, saved.downs) == (0, 8)


def test_a_thumb_of_any_round_names_the_round_that_showed_the_photo(
    database: Database, session: Session
) -> None:
    early = ids(session)[3]
    session.refine()
    session.refine()
    session.label(early, UP)
    session.label(ids(session)[0], UP)
    assert [row.round for row in database.sessions.labels(session.row.id)] == [1, 3]


def test_an_undo_tells_what_it_changed(session: Session) -> None:
    first = ids(session)[0]
    session.label(first, UP)
    session.refine()
    session.rest_are_no()
    change = session.undo()
    assert change is not None
    assert (len(change.photos), change.rounds) == (9, (2,))
    change = session.undo()
    assert change is not None
    assert (change.photos, change.rounds) == ((first,), (1,))
    assert session.undo() is None


def test_an_undo_of_another_click_than_the_last_is_refused(session: Session) -> None:
    first, second, *_ = ids(session)
    session.label_all([first], UP, click="mine")
    session.label_all([second], UP, click="another tab's")
    assert session.undo(of="mine") is None
    assert len(session.labels) == 2
    assert session.undo(of="another tab's") is not None
    assert session.labels == {first: UP}


def test_a_redo_after_a_reload(database: Database, session: Session) -> None:
    session.rest_are_no()
    session.undo()
    reopened = Session.reopen(database, session.row.id)
    assert reopened.redo() is not None
    assert reopened.count(DOWN) == 9
    assert reopened.redo() is None


def test_more_like_a_photo_is_a_round_of_its_own_and_keeps_the_thumbs(
    database: Database, session: Session
) -> None:
    liked, second, *_ = ids(session)
    session.label(second, UP)
    before = session.fitted()
    session.like(liked)
    assert session.current.liked == liked
    assert session.labels == {second: UP}
    shown = [photo.id for r in session.rounds for photo in r.photos]
    assert len(set(shown)) == len(shown) == 18, "not that photo again, nor another"
    vectors = unit_vectors(60)
    place = int(liked.removeprefix("photo-"))
    nearness = session.current.vectors @ vectors[place]
    session.refine()
    assert nearness.mean() > (session.current.vectors @ vectors[place]).mean()
    assert np.array_equal(session.current.weight, before), "the thumbs alone, again"
    reopened = Session.reopen(database, session.row.id)
    assert [r.liked for r in reopened.rounds] == ["", liked, ""]


def test_the_article_goes_on_from_the_last_refinement_not_from_a_like(
    database: Database, collection: Collection
) -> None:
    session = start(database, collection, method=ARTICLE)
    session.label(ids(session)[0], UP)
    expected = session.fitted()
    session.like(ids(session)[3])
    assert np.array_equal(session.fitted(), expected)


def test_a_photo_that_is_not_there_cannot_be_liked(session: Session) -> None:
    with pytest.raises(ExplorerError, match="has no photo 'nothing'"):
        session.like("nothing")


def test_a_condition_can_be_taken_away_and_the_thumbs_stay(
    database: Database, collection: Collection
) -> None:
    session = start(database, collection, Filter(countries=("Peru", "Norway"), keywords=("lake",)))
    session.label(ids(session)[0], UP)
    session.terms.without("countries", "Peru")
    session.terms.without("countries", "Atlantis")
    session.terms.without("keywords", "lake")
    assert session.row.only == Filter(countries=("Norway",))
    session.refine()
    assert {photo.country for photo in session.current.photos} == {"Norway"}
    assert len(session.labels) == 1
    assert Session.reopen(database, session.row.id).row.only == Filter(countries=("Norway",))


def test_a_session_can_be_called_something_else(database: Database, session: Session) -> None:
    session.terms.rename("  Lakes \n of  Norway ")
    assert session.row.title == "Lakes of Norway"
    assert Session.reopen(database, session.row.id).row.title == "Lakes of Norway"
    session.terms.rename(" \u200b")
    assert session.row.title == "a lake"


def test_a_deleted_session_is_neither_listed_nor_found(
    database: Database, collection: Collection, session: Session
) -> None:
    other = start(database, collection)
    session.label(ids(session)[0], UP)
    database.sessions.update(session.row.id, deleted=True)
    assert [s.row.id for s in database.listed.recent(collection.name)] == [other.row.id]
    assert database.listed.count(collection.name) == 1
    with pytest.raises(ExplorerError, match="There is no session"):
        Session.reopen(database, session.row.id)
    assert len(database.sessions.labels(session.row.id)) == 1, "saved classifiers tell of them"


def test_the_list_tells_the_thumbs_that_stand(
    database: Database, collection: Collection, session: Session
) -> None:
    first, second, third, *_ = ids(session)
    session.label(first, UP)
    session.label(first, DOWN)
    session.label(second, UP)
    session.label(third, UNSURE)
    session.rest_are_no()
    session.undo()
    (summary,) = database.listed.recent(collection.name)
    assert (summary.rounds, summary.ups, summary.downs) == (1, 1, 1)


def test_photos_named_in_the_prompt_are_not_what_is_found(
    database: Database, collection: Collection
) -> None:
    tower = TextTower()
    session = Session.start(database, collection, tower, "photo:photo-00007")  # type: ignore[arg-type]
    assert "photo-00007" not in ids(session)
    reopened = Session.reopen(database, session.row.id)
    reopened.refine()
    assert "photo-00007" not in ids(reopened)


def test_every_change_is_newer_than_the_one_before(session: Session) -> None:
    seen = [session.changes]
    for change in (
        lambda: session.label(ids(session)[0], UP),
        session.undo,
        session.redo,
        session.refine,
        lambda: session.terms.rename("x"),
    ):
        change()
        seen.append(session.changes)
    assert seen == sorted(set(seen))


def test_thumbs_on_their_way_in_another_tab_are_not_told_as_unstored(session: Session) -> None:
    with session.together():
        session.label(ids(session)[0], UP)
        assert (session.thumbs.unstored, session.thumbs.trouble) == (0, "")
    assert session.thumbs.unstored == 0
