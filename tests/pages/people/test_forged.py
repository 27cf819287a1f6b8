"""What somebody may not do on the page can't be done by a request of their own making either."""

import json
import time
from collections.abc import Callable

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from classifier.session import Session
from db.sessions import UP
from pages.boards import boards
from pages.desk.photos import PHOTOS
from pages.desk.routes import DeskRoutes
from pages.people import oidc
from pages.people.team import Team
from pages.people.token import HEADER, page_token, pictures_token
from pages.services import Services
from tests.pages.people.conftest import BEHIND_PROXY, ROLES

OWNER, LABELLER, VIEWER, STRANGER = "ann@x.org", "lea@x.org", "vic@y.org", "eve@z.org"
LABELLING = ("mark", "rest", "undo", "redo", "store", "save")
LOOKING = ("refine", "like", "without")


@pytest.fixture
def client(services: Services) -> TestClient:
    app = Starlette(routes=DeskRoutes(lambda: services, boards).all())
    return TestClient(app, base_url="http://localhost:8501")


def by(name: str, token_of: str | None = None) -> dict[str, str]:
    """The headers of a person, behind the gate."""
    token = page_token(name if token_of is None else token_of)
    return {"x-forwarded-user": name, HEADER: token}


def sent(session: Session, do: str) -> dict[str, object]:
    act = {"do": do, "click": do, "label": UP, "value": "mine", "fact": "keywords"}
    return {"acts": [{**act, "photos": [session.current.photos[0].id]}]}


@pytest.mark.parametrize("name", [OWNER, LABELLER, VIEWER])
def test_every_act_of_a_desk_by_everybody(
    client: TestClient, session: Session, use_team: Callable[..., Team], name: str
) -> None:
    use_team(**BEHIND_PROXY)
    for do in (*LABELLING, *LOOKING):
        before = (session.marks, len(session.rounds))
        found = client.post(
            f"/desk/session/{session.row.id}", json=sent(session, do), headers=by(name)
        )
        assert found.status_code == 200
        refused = found.json()["refused"]
        if name == VIEWER and do in LABELLING:
            deed = "save classifiers" if do == "save" else "give thumbs"
            why = f"A viewer may not {deed}, which takes a labeller: ask ann@x.org"
            assert refused == {do: why}
            assert (session.marks, len(session.rounds)) == before
        else:
            assert refused == {}, do


def test_nobody_is_answered_who_is_not_who_the_token_says(
    client: TestClient, session: Session, use_team: Callable[..., Team]
) -> None:
    use_team(**BEHIND_PROXY)
    before = session.marks
    for headers in (
        by(STRANGER),
        by(""),
        by(LABELLER, VIEWER),
        by(LABELLER, ""),
        {"x-forwarded-user": LABELLER},
        {"x-forwarded-user": LABELLER, HEADER: pictures_token()},
        {HEADER: page_token(LABELLER)},
    ):
        found = client.post(
            f"/desk/session/{session.row.id}", json=sent(session, "mark"), headers=headers
        )
        assert found.status_code == 403, headers
    assert session.marks == before


def test_strangers_see_no_photo_and_get_no_token(
    client: TestClient, session: Session, use_team: Callable[..., Team]
) -> None:
    use_team(**BEHIND_PROXY)
    photo = session.current.photos[0].id
    asked = {"kind": "thumbnail", "collection": "drawings", "id": photo, "token": pictures_token()}
    for name, status in ((STRANGER, 403), ("", 403), (VIEWER, 200)):
        headers = {"x-forwarded-user": name}
        assert client.get(PHOTOS, params=asked, headers=headers).status_code == status
        assert client.get("/desk-token", headers=headers).status_code == status
    del asked["token"]
    assert client.get(PHOTOS, params=asked, headers={"x-forwarded-user": OWNER}).status_code == 403


def test_what_a_desk_offers_is_what_a_person_may(
    client: TestClient, session: Session, use_team: Callable[..., Team]
) -> None:
    use_team(**BEHIND_PROXY)
    offered = {
        name: client.post(f"/desk/session/{session.row.id}", json={}, headers=by(name)).json()
        for name in (LABELLER, VIEWER)
    }
    assert offered[LABELLER]["state"]["can"] == ["mark", "rest", "undo", "refine", "like", "save"]
    assert offered[VIEWER]["state"]["can"] == ["refine", "like"]


# ---- cookies of a sign-in


def cookie(secret: str = "", **claims: object) -> dict[str, str]:
    said = {
        "is_logged_in": True,
        "email": LABELLER,
        "iat": time.time(),
        "origin": "https://photos.x.org",
        **claims,
    }
    value = create_signed_value(secret or get_cookie_secret(), USER_COOKIE_NAME, json.dumps(said))
    return {"cookie": f"{USER_COOKIE_NAME}={value.decode()}", HEADER: page_token(LABELLER)}


def test_a_cookie_counts_as_streamlit_signed_it_for_this_app(
    client: TestClient,
    session: Session,
    use_team: Callable[..., Team],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_team(oidc=True, ROLES=ROLES)
    monkeypatch.setattr(oidc, "get_origin_from_redirect_uri", lambda: "https://photos.x.org")
    for headers, status in [
        (cookie(), 200),
        (cookie(secret="another" * 8), 403),
        (cookie(email="eve@z.org"), 403),
        (cookie(email=OWNER), 403),
        (cookie(email_verified=False), 403),
        (cookie(is_logged_in=False), 403),
        (cookie(iat=time.time() - 2 * oidc.SIGNED_IN_FOR), 403),
        (cookie(origin="https://evil.example"), 403),
        ({**cookie(), "cookie": f"{USER_COOKIE_NAME}=lea"}, 403),
        ({"x-forwarded-user": LABELLER, HEADER: page_token(LABELLER)}, 403),
    ]:
        found = client.post(f"/desk/session/{session.row.id}", json={}, headers=headers)
        assert found.status_code == status, headers
