"""What is on screen for those who have not signed in, or need not."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.people import person
from pages.people.person import Person
from pages.people.roles import Role
from pages.people.team import Team
from tests.pages.people.conftest import BEHIND_PROXY


def page() -> AppTest:
    def script() -> None:
        import streamlit as st

        from pages.people.entrance import admit, show_account

        st.caption("the app")
        somebody = admit()
        st.header(f"{somebody.role.title} is in")
        if somebody.name:
            show_account(somebody)

    drawn = AppTest.from_function(script).run()
    assert not drawn.exception
    return drawn


@pytest.fixture
def be(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has a proxy name somebody."""

    def named(name: str) -> None:
        monkeypatch.setattr(Team, "named_by_proxy", lambda *_: name)

    return named


def test_on_ones_own_machine_nothing_is_asked(use_team: Callable[..., Team]) -> None:
    use_team()
    drawn = page()
    assert drawn.header[0].value == "owner is in"
    assert not drawn.warning


def test_an_open_app_says_so_aloud(use_team: Callable[..., Team]) -> None:
    use_team(ALLOW_ANONYMOUS="true")
    assert "whoever can reach this app can do everything" in page().warning[0].value


def test_without_a_name_nothing_is_seen(
    use_team: Callable[..., Team], be: Callable[[str], None]
) -> None:
    use_team(**BEHIND_PROXY)
    be("")
    drawn = page()
    assert not drawn.header
    assert drawn.markdown[0].value.startswith("Nobody is signed in: open this app by the address")


def test_a_name_without_a_role_learns_whom_to_ask(
    use_team: Callable[..., Team], be: Callable[[str], None]
) -> None:
    use_team(**BEHIND_PROXY)
    be("eve*@z.org")
    drawn = page()
    assert not drawn.header
    said = drawn.markdown[0].value
    assert "have no access to this app. Ask" in said
    assert "eve*@" not in said, "it would be read as Markdown"


def test_an_account_tells_what_one_may_do(
    use_team: Callable[..., Team], be: Callable[[str], None]
) -> None:
    use_team(**BEHIND_PROXY)
    be("vic@y.org")
    assert person.current() == Person("vic@y.org", Role.VIEWER)
    drawn = page()
    assert drawn.header[0].value == "viewer is in"
    assert "- search\n- download" in drawn.markdown[1].value
    assert drawn.caption[1].value.startswith("Not: give thumbs, save classifiers")
