"""Sessions of several people: who may see and label in which, and what each sees of the others."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from classifier.clip import Clip
from classifier.session import Session
from db.collections import Collection
from db.errors import ExplorerError
from db.sessions import DOWN, LABELLING, NOBODY, NONE, READING, UP, SessionRow
from pages.boards import boards
from pages.classifiers import page as classifiers_page
from pages.classifiers import sharpen
from pages.desk.routes import DeskRoutes
from pages.label import history
from pages.label import page as label_page
from pages.label.access import (
    authorize_change,
    may_change,
    may_label,
    may_see,
    require_change,
    require_part,
    require_sight,
)
from pages.people import acting
from pages.people.person import ANYBODY, Person
from pages.people.roles import Role
from pages.people.team import Team
from pages.people.token import HEADER, page_token
from pages.services import Services
from tests.pages.desks import desk
from tests.pages.people.conftest import BEHIND_PROXY, use_team  # noqa: F401 -- a fixture

OWNER, ANN, BOB, VIC = "boss@x.org", "ann@x.org", "bob@x.org", "vic@y.org"
PEOPLE = {
    OWNER: Person(OWNER, Role.OWNER),
    ANN: Person(ANN, Role.LABELLER),
    BOB: Person(BOB, Role.LABELLER),
    VIC: Person(VIC, Role.VIEWER),
}
ROLES = {**BEHIND_PROXY, "ROLES": f"owner: {OWNER}; labeller: {ANN}, {BOB}; viewer: {VIC}"}
ACTS = ("mark", "rest", "undo", "redo", "refine", "like", "without", "save", "store")


@pytest.fixture
def session(services: Services, collection: Collection, clip: Clip) -> Session:
    started = Session.start(services.database, collection, clip, "a lake", owner=ANN)
    return services.sessions.put(started)


@pytest.fixture
def client(services: Services, use_team: Callable[..., Team]) -> TestClient:  # noqa: F811
    use_team(**ROLES)
    app = Starlette(routes=DeskRoutes(lambda: services, boards).all())
    return TestClient(app, base_url="http://localhost:8501")


Post = Callable[..., Any]


@pytest.fixture
def post(client: TestClient, session: Session) -> Post:
    """Sends what a person's desk sends."""

    def send(name: str, *acts: dict[str, Any], path: str = "", **sent: Any) -> Any:
        headers = {"x-forwarded-user": name, HEADER: page_token(name)}
        url = f"/desk/session/{session.row.id}{path}"
        return client.post(url, json={"acts": list(acts), **sent}, headers=headers)

    return send


def mark(photo: str, label: int, seen: int = NONE, click: str = "") -> dict[str, Any]:
    act = {"do": "mark", "photos": [photo], "label": label, "seen": {photo: seen}}
    return {**act, "click": click or f"{photo}-{label}-{seen}"}


def ids(session: Session) -> list[str]:
    return [photo.id for photo in session.current.photos]


# ---- who may


@pytest.mark.parametrize(
    ("owner", "shared", "sees", "labels", "changes"),
    [
        (ANN, NOBODY, {ANN, OWNER}, {ANN}, {ANN, OWNER}),
        (ANN, READING, {*PEOPLE}, {ANN}, {ANN, OWNER}),
        (ANN, LABELLING, {*PEOPLE}, {*PEOPLE}, {ANN, OWNER}),
        (VIC, NOBODY, {VIC, OWNER}, {VIC}, {VIC, OWNER}),
        ("", NOBODY, {*PEOPLE}, {*PEOPLE}, {OWNER}),
    ],
)
def test_whose_a_session_is(
    owner: str, shared: str, sees: set[str], labels: set[str], changes: set[str]
) -> None:
    row = SessionRow("s", "drawings", "f", "a lake", 9, owner=owner, shared=shared)
    for rule, whom, require in (
        (may_see, sees, require_sight),
        (may_label, labels, require_part),
        (may_change, changes, require_change),
    ):
        assert {name for name, person in PEOPLE.items() if rule(person, row)} == whom
        assert rule(ANYBODY, row) or owner, "without sign-in all is as it was"
        for name in PEOPLE.keys() - whom:
            with pytest.raises(ExplorerError, match=r"^This session is .*(: ask|changes it)"):
                require(PEOPLE[name], row)
    assert may_see(ANYBODY, row)
    assert may_label(ANYBODY, row)


def test_every_act_in_anothers_session_is_refused_where_it_is_done(
    client: TestClient, session: Session
) -> None:
    session.label(ids(session)[0], UP, ANN)
    before = session.changes
    acts = [
        {"do": do, "click": do, "photos": ids(session)[1:2], "label": DOWN, "value": "mine"}
        for do in ACTS
    ]
    headers = {"x-forwarded-user": BOB, HEADER: page_token(BOB)}
    urls = [f"/desk/{kind}/{session.row.id}" for kind in ("session", "sharpen")]
    for url in (*urls, f"{urls[0]}/news"):
        answer = client.post(url, json={"acts": acts}, headers=headers)
        assert answer.status_code == 410
        assert answer.json() == {
            "error": "This session is not shared with you: ask who sent you its address"
        }
    session.terms.share(READING)
    for url in urls:
        told = client.post(url, json={"acts": acts}, headers=headers).json()
        said = "ann@x.org's, shared to be looked at: ask them to share it for labelling"
        assert told["refused"] == dict.fromkeys(ACTS, f"This session is {said}")
        assert told["state"]["can"] == []
    assert session.changes == before + 1, "sharing alone changed it"


def test_who_it_is_shared_with_for_labelling_labels_as_their_role_lets_them(
    post: Post, session: Session
) -> None:
    session.terms.share(LABELLING)
    first, second, *_ = ids(session)
    assert post(BOB, mark(first, UP)).json()["refused"] == {}
    refused = post(VIC, mark(second, UP, click="v")).json()["refused"]
    assert refused == {"v": "A viewer may not give thumbs, which takes a labeller: ask boss@x.org"}
    assert session.thumbs.authors == {first: BOB}
    assert post(OWNER).json()["state"]["marks"] == {first: UP}


def test_what_owners_do_to_other_peoples_sessions_is_written_down(
    services: Services,
    session: Session,
    use_team: Callable[..., Team],  # noqa: F811
) -> None:
    use_team(**ROLES)
    authorize_change(services.database, PEOPLE[ANN], session.row, "delete")
    with pytest.raises(ExplorerError, match=r"^This session is ann@x\.org's: ask them$"):
        authorize_change(services.database, PEOPLE[BOB], session.row, "delete")
    assert services.database.audit.count() == 0
    authorize_change(services.database, PEOPLE[OWNER], session.row, "delete")
    (entry,) = services.database.audit.latest(5)
    assert (entry.who, entry.target) == (OWNER, f"the session a lake: delete (of {ANN})")


# ---- what each sees of the others


def test_a_thumb_is_news_for_the_others_and_says_whose_it_is(post: Post, session: Session) -> None:
    session.terms.share(LABELLING)
    photo = ids(session)[0]
    state = post(BOB).json()["state"]
    show = {"round": 1, "have": state["key"]}
    quiet = post(BOB, path="/news", at=state["at"], show=show)
    assert (quiet.status_code, quiet.content) == (204, b"")
    post(ANN, mark(photo, UP))
    news = post(BOB, path="/news", at=state["at"], show=show).json()["state"]
    assert (news["marks"], news["by"], news["also"]) == ({photo: UP}, {photo: ANN}, {})
    assert news["photos"] is None, "the browser has them"
    assert news["at"] > state["at"]
    assert news["undo"] is None, "ann's click is not bob's to take back"
    own = post(ANN).json()["state"]
    assert (own["by"], own["undo"]["photos"]) == ({}, 1)


def test_nobody_overwrites_what_their_page_has_not_shown(post: Post, session: Session) -> None:
    session.terms.share(LABELLING)
    photo, other, *_ = ids(session)
    post(ANN, mark(photo, DOWN))
    told = post(BOB, mark(photo, UP, click="k"), mark(other, UP)).json()
    assert told["refused"] == {"k": "ann@x.org marked it no a moment ago: look, and press again"}
    assert told["state"]["marks"] == {photo: DOWN, other: UP}
    told = post(BOB, mark(photo, UP, seen=DOWN)).json()
    assert told["refused"] == {}
    assert (told["state"]["marks"][photo], told["state"]["by"]) == (UP, {})
    assert told["state"]["also"] == {photo: "ann@x.org: no"}
    state = post(ANN).json()["state"]
    assert (state["by"], state["also"]) == ({photo: BOB, other: BOB}, {})
    told = post(BOB, {"do": "undo", "click": "u", "of": state["undo"]["click"]}).json()
    assert told["said"][0].startswith("Another thumb came in between")
    assert post(VIC).json()["state"]["undo"] is None


def test_what_a_desk_says_it_saw_is_checked(post: Post, session: Session) -> None:
    for seen in ([1], {"a": "yes"}, {"a": True}, "x"):
        answer = post(ANN, {**mark(ids(session)[0], UP), "seen": seen})
        assert answer.status_code == 400
        assert answer.json() == {"error": "An act tells the marks that it saw: reload the page"}


# ---- agreement


def labelled(session: Session, *people: str) -> list[str]:
    """Several people on the first six photos; the last of them differs on the first two."""
    session.terms.share(LABELLING)
    photos = ids(session)
    for name in people:
        for place, photo in enumerate(photos[:6]):
            differs = name == people[-1] and place < 2
            session.label(photo, UP if (place % 2 == 0) != differs else DOWN, name)
    session.label(photos[7], UP, people[0])
    return photos


def be(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Have pages drawn for a person."""
    for module in (acting, history, label_page, sharpen):
        monkeypatch.setattr(module, "current", lambda: PEOPLE[name])


def page_of(services: Services, monkeypatch: pytest.MonkeyPatch, name: str) -> AppTest:
    be(monkeypatch, name)
    return AppTest.from_function(script, kwargs={"services": services}, default_timeout=60)


def script(services: object) -> None:
    import streamlit as st

    from pages.label import history
    from pages.label import page as label

    pages: list[object] = []

    def listed() -> None:
        history.show(services, pages[1])  # type: ignore[arg-type]

    def labels() -> None:
        label.show(services)  # type: ignore[arg-type]

    pages += [
        st.Page(listed, title="History", default=True),
        st.Page(labels, title="Label", url_path="label"),
    ]
    st.navigation(pages).run()  # type: ignore[arg-type]


def healthy(page: AppTest) -> AppTest:
    assert [error.value for error in page.exception] == []
    return page


def lines(page: AppTest) -> list[str]:
    return [m.value for m in page.markdown]


def test_agreement_is_told_and_the_disagreements_are_looked_at(
    services: Services, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = labelled(session, ANN, BOB)
    page = page_of(services, monkeypatch, ANN)
    page.query_params["of"] = session.row.id
    healthy(page.run())
    said = "labelled 6 photos in common, 4 of them alike: Cohen's kappa is **0.33**"
    assert any(said in line for line in lines(page))
    page.button(key=f"disputed-{session.row.id}").click()
    healthy(page.run())
    state = desk(page)
    assert [photo["id"] for photo in state["photos"]] == photos[:2]
    assert state["by"] == dict.fromkeys(photos[:2], BOB)


def test_history_lists_ones_own_and_what_is_shared_and_says_whose(
    services: Services,
    session: Session,
    collection: Collection,
    clip: Clip,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Session.start(services.database, collection, clip, "hidden", owner=BOB)
    shown = Session.start(services.database, collection, clip, "shown", owner=BOB)
    shown.terms.share(READING)
    page = healthy(page_of(services, monkeypatch, ANN).run())
    (line,) = [line for line in lines(page) if "UTC" in line]
    assert line.startswith("**a lake**")
    assert line.endswith(" · not shared")
    page.segmented_control(key="history_whose").set_value("Shared with you")
    healthy(page.run())
    (line,) = [line for line in lines(page) if "UTC" in line]
    assert line.startswith("**shown**")
    assert "by bob" in line
    assert line.endswith(" · shared to look at")
    assert not [b for b in page.button if b.key.startswith(("do-rename", "do-delete"))]
    page = page_of(services, monkeypatch, OWNER).run()
    page.segmented_control(key="history_whose").set_value("Other people's")
    healthy(page.run())
    assert len([line for line in lines(page) if "UTC" in line]) == 3
    assert [b for b in page.button if b.key.startswith("do-delete")]


def test_a_session_is_shared_by_its_owner_and_its_address_is_no_use_before(
    services: Services, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit_label(services, monkeypatch, BOB, session)
    assert page.warning[0].value.startswith("This session is not shared with you")
    page = visit_label(services, monkeypatch, ANN, session)
    way = page.segmented_control(key=f"shared-{session.row.id}-0")
    way.set_value(LABELLING)
    healthy(page.run())
    stored = services.database.sessions.find(session.row.id)
    assert stored is not None
    assert stored.shared == LABELLING
    assert page.code[0].value.endswith(f"?session={session.row.id}")
    assert not [line for line in lines(page) if "in common" in line]
    labelled(services.sessions.get(session.row.id), ANN, BOB)
    page = visit_label(services, monkeypatch, BOB, session)
    assert desk(page)["can"] == ["mark", "rest", "undo", "refine", "like", "save"]
    assert any("started it, shared for labelling" in line for line in lines(page))
    link = f"[6 photos in common](/history?of={session.row.id})"
    assert any(link in line for line in lines(page))


def visit_label(
    services: Services, monkeypatch: pytest.MonkeyPatch, name: str, session: Session
) -> AppTest:
    be(monkeypatch, name)

    def only(services: object) -> None:
        from pages.label import page as label

        label.show(services)  # type: ignore[arg-type]

    page = AppTest.from_function(only, kwargs={"services": services}, default_timeout=60)
    page.query_params["session"] = session.row.id
    return healthy(page.run())


def test_a_classifier_names_a_session_to_those_who_may_see_it(
    services: Services, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.terms.rename("a secret")
    services.database.classifiers.save(session.to_save("Lakes"))
    (classifier,) = services.database.classifiers.all()
    for name, sees in ((ANN, True), (OWNER, True), (BOB, False), (VIC, False)):
        monkeypatch.setattr(classifiers_page, "current", lambda name=name: PEOPLE[name])
        origin = classifiers_page._origin(services, classifier)
        assert ("a secret" in origin, session.row.id in origin) == (sees, sees)
        assert sees or origin == "From the prompt “a lake”"
