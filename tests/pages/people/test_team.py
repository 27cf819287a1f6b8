"""The settings of a team, and an app that is not started on them."""

import pytest
from streamlit import config

from db.errors import ExplorerError
from pages.people import gate
from pages.people.oidc import SIGNED_IN_FOR, name_of
from pages.people.roles import Role
from pages.people.team import SignIn, Team, is_this_machine, read_team
from tests.pages.people.conftest import BEHIND_PROXY, ROLES

ANY = "0.0.0.0"  # noqa: S104 -- what an app is not to be started on


def test_without_settings_nobody_signs_in_and_nobody_else_comes_in() -> None:
    plain = read_team({}, oidc=False)
    assert plain.sign_in is SignIn.NONE
    assert plain.is_private
    assert not read_team({"ALLOW_ANONYMOUS": "true"}, oidc=False).is_private


def test_a_team_behind_a_proxy() -> None:
    made = read_team(BEHIND_PROXY, oidc=False)
    assert made.sign_in is SignIn.PROXY
    assert made.roles.role("ann@x.org") is Role.OWNER
    for peer in ("10.0.0.5", "10.1.0.3", "::ffff:10.0.0.5", "::1"):
        assert made.trusts(peer)
    for peer in ("10.0.0.6", "10.1.0.16", "127.0.0.1", "", "10.0.0.5.evil.example", "testclient"):
        assert not made.trusts(peer)


def test_a_header_names_somebody_only_if_it_does_so_once() -> None:
    made = read_team(BEHIND_PROXY, oidc=False)
    assert made.named_by_proxy(["Ann@X.org "]) == "ann@x.org"
    assert made.named_by_proxy([]) == ""
    assert made.named_by_proxy(["vic@y.org", "ann@x.org"]) == ""


@pytest.mark.parametrize(
    ("given", "oidc", "says"),
    [
        ({"ROLES": ROLES}, False, "ROLES is set and nobody signs in: add [auth] to .streamlit/sec"),
        ({}, True, "People sign in and ROLES is not set, so that nobody could do anything: set it"),
        ({"TRUSTED_PROXIES": "10.0.0.5"}, False, "PROXY_USER_HEADER go together: set both, or"),
        ({"PROXY_USER_HEADER": "X-User"}, False, "PROXY_USER_HEADER go together: set both, or"),
        ({**BEHIND_PROXY, "TRUSTED_PROXIES": "proxy"}, False, "has proxy, which is no address or"),
        ({**BEHIND_PROXY, "TRUSTED_PROXIES": "10.0.0.5/8"}, False, "has 10.0.0.5/8, which is no a"),
        ({**BEHIND_PROXY, "TRUSTED_PROXIES": "0.0.0.0/0"}, False, "has 0.0.0.0/0, which is every"),
        ({**BEHIND_PROXY, "PROXY_USER_HEADER": "X User"}, False, "PROXY_USER_HEADER=x user is no"),
        ({**BEHIND_PROXY, "PROXY_USER_HEADER": "Host"}, False, "PROXY_USER_HEADER=host is no head"),
        (BEHIND_PROXY, True, "PROXY_USER_HEADER is set and [auth] in .streamlit/secrets.toml too:"),
        ({"ALLOW_ANONYMOUS": "true", "ROLES": ROLES}, True, "ALLOW_ANONYMOUS is set and people si"),
        ({"ALLOW_ANONYMOUS": "perhaps"}, False, "ALLOW_ANONYMOUS=perhaps is neither yes nor no"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    given: dict[str, str], oidc: bool, says: str
) -> None:
    with pytest.raises(ExplorerError) as refused:
        read_team(given, oidc=oidc)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({}, "ann@x.org"),
        ({"email": " Ann@X.org"}, "ann@x.org"),
        ({"email_verified": "true"}, "ann@x.org"),
        ({"email_verified": None}, ""),
        ({"email_verified": False}, ""),
        ({"email_verified": "False"}, ""),
        ({"email": None}, ""),
        ({"email": ["ann@x.org"]}, ""),
        ({"is_logged_in": False}, ""),
        ({"is_logged_in": "yes"}, ""),
        ({"iat": 1_000_000_000 - SIGNED_IN_FOR}, ""),
        ({"iat": None}, ""),
        ({"iat": "now"}, ""),
        ({"iat": True}, ""),
    ],
)
def test_only_a_verified_recent_sign_in_names_somebody(
    monkeypatch: pytest.MonkeyPatch, claims: dict[str, object], name: str
) -> None:
    monkeypatch.setattr("pages.people.oidc.time.time", lambda: 1_000_000_000.0)
    said = {"is_logged_in": True, "iat": 1_000_000_000 - 5, "email": "ann@x.org", **claims}
    assert name_of(said) == name


@pytest.mark.parametrize("address", [ANY, "::", "192.168.1.7", "photos.example", ""])
def test_an_app_without_sign_in_is_not_started_where_others_reach_it(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    before = config.get_option("server.address")
    monkeypatch.setattr(gate, "team", Team)
    config.set_option("server.address", address)
    try:
        with pytest.raises(SystemExit) as refused:
            gate.refuse_unguarded()
        assert "since nobody signs in: README's “For a team” tells how" in str(refused.value)
        assert "\n" not in str(refused.value)
        monkeypatch.setattr(gate, "team", lambda: Team(anonymous=True))
        gate.refuse_unguarded()
        for own in ("localhost", "127.0.0.1", "127.8.8.8", "::1"):
            config.set_option("server.address", own)
            monkeypatch.setattr(gate, "team", Team)
            gate.refuse_unguarded()
    finally:
        config.set_option("server.address", before)


def test_addresses_of_this_machine() -> None:
    assert all(map(is_this_machine, ("127.0.0.1", "::1", "::ffff:127.0.0.1")))
    assert not any(map(is_this_machine, ("", "localhost", "10.0.0.1", "::ffff:10.0.0.1", ANY)))
