"""One person at the app, as pages and routes ask for them."""

from dataclasses import dataclass

import streamlit as st
from starlette.requests import HTTPConnection

from db.errors import ExplorerError
from pages.people.deeds import LEAST, Deed
from pages.people.oidc import cookie_claims, name_of
from pages.people.roles import Role
from pages.people.team import SignIn, team


class NotAllowedError(ExplorerError):
    """Somebody wants what their role does not let them do."""


@dataclass(frozen=True)
class Person:
    """Who is at the app.

    Attributes:
        name: the e-mail address or the proxy's name, in small letters; "" for nobody: no sign-in is
            configured, or nobody has signed in.
        role: what they are here, as the settings have it now.
    """

    name: str
    role: Role

    def may(self, deed: Deed) -> bool:
        """Whether their role is enough for a deed."""
        return self.role >= LEAST[deed]

    def may_change(self, owner: str) -> bool:
        """Whether a thing of that owner ("" for anybody's) is theirs to change."""
        return owner in ("", self.name) or self.may(Deed.MANAGE)


# Where nobody signs in: the app on one's own machine.
ANYBODY = Person("", Role.OWNER)


def require(person: Person, deed: Deed) -> None:
    """Stop where a person may not do it.

    Raises:
        NotAllowedError: they may not; the text names the role that it takes.
    """
    if person.may(deed):
        return
    if person.role is Role.STRANGER:
        raise NotAllowedError("You are not signed in here any more: reload the page, and sign in")
    raise NotAllowedError(
        f"A {person.role.title} may not {deed.value}, which takes a{_n(LEAST[deed])} "
        f"{LEAST[deed].title}: ask {whom_to_ask()}"
    )


def require_own(person: Person, owner: str, what: str) -> None:
    """Stop where a thing is another person's, who is not to lose it.

    Args:
        person: who wants to change it.
        owner: whose it is, or "" for anybody's.
        what: the thing, as a subject.

    Raises:
        NotAllowedError: it is another person's.
    """
    if not person.may_change(owner):
        raise NotAllowedError(f"{what} belongs to {owner}: ask them, or {whom_to_ask()}")


def whom_to_ask() -> str:
    """The owners of the app by name, or a word for them."""
    return ", ".join(team().roles.named(Role.OWNER)[:3]) or "whoever runs this app"


def current() -> Person:
    """Who looks at the page that is being drawn."""
    now = team()
    if now.sign_in is SignIn.NONE:
        return ANYBODY
    if now.sign_in is SignIn.OIDC:
        return _person(name_of(st.user.to_dict()))
    return _person(now.named_by_proxy(st.context.headers.get_all(now.user_header)))


def person_of(request: HTTPConnection) -> Person:
    """Who sends a request to one of the app's own routes."""
    now = team()
    if now.sign_in is SignIn.NONE:
        return ANYBODY
    if now.sign_in is SignIn.OIDC:
        return _person(name_of(cookie_claims(request.cookies)))
    return _person(now.named_by_proxy(request.headers.getlist(now.user_header)))


def _person(name: str) -> Person:
    return Person(name, team().roles.role(name))


def _n(role: Role) -> str:
    return "n" if role is Role.OWNER else ""
