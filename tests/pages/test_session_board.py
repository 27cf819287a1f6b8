from urllib.parse import parse_qs, urlsplit

import pytest

from classifier.clip import Clip
from classifier.session import Session
from db.collections import Collection
from db.errors import ExplorerError
from db.photos import Filter
from db.sessions import DOWN, UNSURE, UP
from pages.desk.board import AS_VERSION, LATEST, Act, Show
from pages.desk.routes import answer
from pages.label.board import SessionBoard
from pages.people.person import ANYBODY
from pages.services import Services


@pytest.fixture
def session(services: Services, collection: Collection, clip: Clip) -> Session:
    return Session.start(services.database, collection, clip, "a lake")


@pytest.fixture
def board(session: Session, services: Services) -> SessionBoard:
    return SessionBoard(session, services.database, ANYBODY)


def ids(session: Session, number: int = 1) -> list[str]:
    return [photo.id for photo in session.round(number).photos]


def test_the_first_state_is_the_first_round(board: SessionBoard, session: Session) -> None:
    state = board.state(Show())
    assert [photo["id"] for photo in state["photos"]] == ids(session)
    assert (state["round"], state["rounds"], state["collection"]) == (1, 1, "drawings")
    assert state["marks"] == {}
    assert state["undo"] is None
    assert state["verdict"] is None


def test_the_acts_of_a_request_are_stored_in_one_block(
    board: SessionBoard, session: Session, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = []
    store = services.database.sessions.add_labels
    monkeypatch.setattr(
        services.database.sessions, "add_labels", lambda rows: (blocks.append(rows), store(rows))
    )
    acts = [
        Act("mark", f"c{n}", (ids(session)[n % 9],), UP if n // 9 % 2 else DOWN) for n in range(100)
    ]
    told = answer(board, acts, Show())
    assert len(blocks) == 1
    assert told["state"]["unstored"] == 0
    assert Session.reopen(services.database, session.row.id).marks == session.marks


def test_photos_that_the_browser_has_are_not_told_again(
    board: SessionBoard, session: Session
) -> None:
    told = answer(
        board,
        [Act("mark", "c", (ids(session)[0],), UP)],
        Show(1, have=str(session.current.sequence)),
    )
    assert told["state"]["photos"] is None
    assert told["state"]["marks"] == {ids(session)[0]: UP}
    told = answer(board, [Act("refine", "d", after=1)], Show(1, have=str(session.current.sequence)))
    assert len(told["state"]["photos"]) == 9


def test_acts_are_done_in_order_and_told_in_one_answer(
    board: SessionBoard, session: Session
) -> None:
    first, second, *_ = ids(session)
    acts = [
        Act("mark", "c1", (first, second), UP),
        Act("mark", "c2", (second,), UNSURE),
        Act("rest", "c3", round=1),
        Act("refine", "c4", after=1),
    ]
    told = answer(board, acts, Show(1))
    assert told["refused"] == {}
    assert (told["state"]["round"], told["state"]["rounds"]) == (2, 2)
    assert (told["state"]["ups"], told["state"]["downs"], told["state"]["unsure"]) == (1, 7, 1)
    again = answer(board, acts, Show(1))
    assert again["state"]["rounds"] == 2, "sent again after a lost answer, nothing is done again"
    assert session.count(DOWN) == 7


def test_a_thumb_of_an_earlier_round_is_taken_and_the_tab_stays_there_and_catches_up(
    board: SessionBoard, session: Session
) -> None:
    early = ids(session)[4]
    session.label(early, UP)
    session.refine()
    told = answer(board, [Act("mark", "c", (early,), DOWN, round=1)], Show(1))
    assert told["state"]["round"] == 1
    assert told["state"]["rounds"] == 2
    assert told["state"]["marks"] == {early: DOWN}
    assert session.labels == {early: DOWN}


def test_an_undo_goes_to_the_round_and_says_what_it_did(
    board: SessionBoard, session: Session
) -> None:
    answer(board, [Act("rest", "c1", round=1), Act("refine", "c2", after=1)], Show(1))
    state = board.state(Show())
    assert state["undo"] == {"click": "c1", "photos": 9, "round": 1}
    told = answer(board, [Act("undo", "c3", of="c1")], Show(2))
    assert told["said"] == ["9 thumbs of round 1 taken back"]
    assert told["state"]["round"] == 1
    assert sorted(told["changed"]) == sorted(ids(session))
    assert told["state"]["redo"] is not None
    told = answer(board, [Act("redo", "c4", of=told["state"]["redo"]["click"])], Show(2))
    assert told["said"] == ["9 thumbs of round 1 given again"]
    assert session.count(DOWN) == 9


def test_an_undo_that_came_too_late_changes_nothing_and_says_so(
    board: SessionBoard, session: Session
) -> None:
    session.label_all(ids(session)[:1], UP, "c1")
    session.label_all(ids(session)[1:2], UP, "another tab's")
    told = answer(board, [Act("undo", "c2", of="c1")], Show())
    assert told["said"][0].startswith("Another thumb came in between")
    assert session.count(UP) == 2


@pytest.mark.parametrize(
    ("label", "notice"),
    [
        (None, "No thumbs yet"),
        (UP, "Only thumbs up so far"),
        (DOWN, "Only thumbs down so far"),
    ],
)
def test_one_sided_thumbs_are_explained(
    board: SessionBoard, session: Session, label: int | None, notice: str
) -> None:
    if label is not None:
        session.label(ids(session)[0], label)
    told = answer(board, [Act("refine", "c", after=1)], Show())
    assert [said[: len(notice)] for said in told["said"]] == [notice]


def test_what_cannot_be_done_is_refused_by_its_click_and_the_rest_is_done(
    board: SessionBoard, session: Session
) -> None:
    acts = [
        Act("mark", "c1", ("not shown",), UP),
        Act("mark", "c2", (ids(session)[0],), 7),
        Act("dance", "c3"),
        Act("without", "c4", fact="vector", value="x"),
        Act("mark", "c5", (ids(session)[1],), UP),
    ]
    told = answer(board, acts, Show())
    assert {click: reason[:15] for click, reason in told["refused"].items()} == {
        "c1": "The photo 'not ",
        "c2": "There is no mar",
        "c3": "A desk has no '",
        "c4": "A filter has no",
    }
    assert session.labels == {ids(session)[1]: UP}


def test_refining_past_the_last_photo_says_so(board: SessionBoard, session: Session) -> None:
    for rounds in range(1, 5):
        answer(board, [Act("refine", f"c{rounds}", after=rounds)], Show())
    told = answer(board, [Act("refine", "c9", after=5)], Show())
    assert told["refused"]["c9"].startswith("Every photo that passes the filter has been shown")
    assert told["state"]["round"] == LATEST + 5
    assert len(told["state"]["photos"]) == 4


def test_more_like_this_is_a_round_and_says_what_it_is_like(
    board: SessionBoard, session: Session
) -> None:
    liked = session.current.photos[4]
    told = answer(board, [Act("like", "c", (liked.id,), after=1)], Show())
    assert told["state"]["liked"] == liked.id
    assert told["state"]["round"] == 2
    assert session.row.prompt == "a lake"


def test_conditions_are_told_and_can_be_taken_away(
    services: Services, collection: Collection, clip: Clip
) -> None:
    only = Filter(countries=("Peru",), keywords=("lake",))
    session = Session.start(services.database, collection, clip, "a lake", only=only)
    board = SessionBoard(session, services.database, ANYBODY)
    assert board.state(Show())["filters"] == [
        {"fact": "countries", "value": "Peru"},
        {"fact": "keywords", "value": "lake"},
    ]
    told = answer(board, [Act("without", "c", fact="countries", value="Peru")], Show())
    assert told["state"]["filters"] == [{"fact": "keywords", "value": "lake"}]
    assert told["said"] == ["“Peru” is taken away: the next round is searched without it"]


def test_all_photos_with_a_mark_are_shown_whatever_their_round(
    board: SessionBoard, session: Session
) -> None:
    session.label(ids(session)[2], UP)
    session.refine()
    session.label(ids(session, 2)[5], UP)
    session.label(ids(session, 2)[6], DOWN)
    state = board.state(Show(mark=UP))
    assert [photo["id"] for photo in state["photos"]] == [ids(session)[2], ids(session, 2)[5]]
    told = answer(board, [Act("mark", "c", (ids(session)[2],), DOWN)], Show(mark=DOWN))
    assert len(told["state"]["photos"]) == 2
    told = answer(board, [Act("mark", "d", (ids(session)[2],), UNSURE)], Show(mark=DOWN))
    assert told["state"]["marks"][ids(session)[2]] == UNSURE, "a page that still shows it knows"


def test_a_verdict_comes_with_enough_thumbs(board: SessionBoard, session: Session) -> None:
    for number in (1, 2, 3):
        for photo in ids(session, number)[:2]:
            session.label(photo, UP)
        session.rest_are_no(number)
        assert number == 3 or board.state(Show())["verdict"] is None
        session.refine()
    verdict = board.state(Show())["verdict"]
    evidence = session.evidence()
    assert evidence is not None
    assert f"by the prompt alone, {evidence.prompt:.0%}" in verdict["long"]
    assert verdict["short"].endswith("the prompt alone")


def test_pictures_of_the_apps_own_are_asked_for_by_id(board: SessionBoard) -> None:
    for photo in board.state(Show())["photos"]:
        for kind in ("thumbnail", "original"):
            asked = parse_qs(urlsplit(photo[kind]).query)
            assert asked["id"] == [photo["id"]]
            assert asked["kind"] == [kind]


def test_a_photographer_is_credited_with_the_referral_that_unsplash_asks_for(
    board: SessionBoard,
) -> None:
    credited = [photo for photo in board.state(Show())["photos"] if photo["photographer"]]
    assert credited
    assert {photo["photographerPage"] for photo in credited} == {
        "https://unsplash.com/@ana?utm_source=visual_dataset_explorer&utm_medium=referral"
    }
    assert {photo["host"] for photo in credited} == {"Unsplash"}


def test_a_round_that_is_not_there_is_named(board: SessionBoard) -> None:
    with pytest.raises(ExplorerError, match="There is no round 7: there were 1"):
        board.state(Show(7))


def test_a_classifier_is_saved_under_a_name_with_all_thumbs_before_it(
    board: SessionBoard, session: Session, services: Services
) -> None:
    first, second, *_ = ids(session)
    acts = [
        Act("mark", "c1", (first,), UP),
        Act("mark", "c2", (second,), DOWN),
        Act("save", "c3", value="Lakes"),
    ]
    told = answer(board, acts, Show())
    assert told["said"] == ["Saved, fit on 1 up and 1 down. It is on the Classifiers page"]
    assert [c.name for c in services.database.classifiers.all()] == ["Lakes"]
    told = answer(board, [Act("save", "c4", value="lakes"), Act("save", "c5", value=" ")], Show())
    assert told["refused"]["c4"] == ("A refit gives version 1 again: give some more thumbs first")
    assert told["refused"]["c5"].startswith("Give the classifier a name")


def test_a_name_of_the_same_session_makes_a_version_of_it(
    board: SessionBoard, session: Session, services: Services
) -> None:
    answer(board, [Act("rest", "c1", round=1), Act("save", "c2", value="Lakes")], Show())
    acts = [Act("mark", "c3", (ids(session)[0],), UP), Act("save", "c4", value=" LAKES")]
    told = answer(board, acts, Show())
    assert told["said"] == [
        "Saved as version 2 of “Lakes”, fit on 1 up and 8 down. It is on the Classifiers page"
    ]
    (saved,) = services.database.classifiers.all()
    assert (saved.name, saved.number) == ("Lakes", 2)


def test_a_name_of_another_session_is_asked_about(
    board: SessionBoard,
    session: Session,
    services: Services,
    collection: Collection,
    clip: Clip,
) -> None:
    answer(board, [Act("rest", "c1", round=1), Act("save", "c2", value="Lakes")], Show())
    other = Session.start(services.database, collection, clip, "a pond")
    others = SessionBoard(other, services.database, ANYBODY)
    other.label(ids(other)[0], UP)
    told = answer(others, [Act("save", "c1", value="lakes")], Show())
    assert told["asked"] == {
        "c1": {
            "problem": "“Lakes” is there already, from another session (“a lake”)",
            "free": "Lakes 2",
            "version": "Make it version 2 of that",
        }
    }
    assert (told["said"], told["refused"]) == ([], {})
    assert len(services.database.classifiers.all()) == 1, "nothing is saved before it is chosen"
    told = answer(others, [Act("save", "c2", value="lakes", fact=AS_VERSION)], Show())
    assert told["said"][0].startswith("Saved as version 2 of “Lakes”, fit on 1 up")
    (saved,) = services.database.classifiers.all()
    assert saved.session == other.row.id
    first = services.database.classifiers.versions(saved)[-1]
    assert first.session == session.row.id
    told = answer(others, [Act("save", "c3", value="Lakes 2")], Show())
    assert [c.name for c in services.database.classifiers.all()] == ["Lakes 2", "Lakes"]
