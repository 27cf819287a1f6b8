"""A team, as its settings make it."""

from collections.abc import Callable

import pytest

from pages import upload_form
from pages.people import acting, audit, entrance, folders, gate, person
from pages.people.team import Team, read_team

ROLES = "owner: ann@x.org; labeller: @x.org; viewer: vic@y.org"
BEHIND_PROXY = {
    "ROLES": ROLES,
    "TRUSTED_PROXIES": "10.0.0.5, 10.1.0.0/28, ::1",
    "PROXY_USER_HEADER": "X-Forwarded-User",
}


@pytest.fixture
def use_team(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Team]:
    """Has the app's settings be those of a team."""

    def use(*, oidc: bool = False, **given: str) -> Team:
        used = read_team(given, oidc=oidc)
        for module in (acting, audit, entrance, folders, gate, person, upload_form):
            monkeypatch.setattr(module, "team", lambda: used)
        return used

    return use
