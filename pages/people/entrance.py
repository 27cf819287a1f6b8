"""What somebody sees who has not signed in, or has no business here, and the page of who one is."""

from urllib.parse import urlsplit

import streamlit as st
from streamlit.auth_util import get_origin_from_redirect_uri as origin

from pages.markdown import escaped
from pages.people.deeds import LEAST
from pages.people.oidc import providers
from pages.people.person import Person, current, whom_to_ask
from pages.people.roles import Role
from pages.people.team import SignIn, team


def admit() -> Person:
    """Who is at the page; the run of the page ends here for those who may see nothing of it."""
    person = current()
    if person.role is Role.STRANGER:
        st.title("Visual Dataset Explorer")
        if person.name:
            _no_role(person)
        else:
            _sign_in()
        st.stop()
    if team().anonymous:
        st.warning(
            "Nobody signs in here (ALLOW_ANONYMOUS): whoever can reach this app can do everything "
            "in it",
            icon=":material/lock_open:",
        )
    return person


def show_account(person: Person) -> None:
    """The page of who one is, what one may do, and how one leaves."""
    st.title(escaped(person.name))
    st.markdown(f"You are a **{person.role.title}** here. That lets you:")
    st.markdown("\n".join(f"- {deed.value}" for deed in LEAST if person.may(deed)))
    more = [deed.value for deed in LEAST if not person.may(deed)]
    if more:
        st.caption(f"Not: {', '.join(more)}. For more, ask {escaped(whom_to_ask())}.")
    _offer_to_leave()


def _no_role(person: Person) -> None:
    st.markdown(
        f"You are signed in as **{escaped(person.name)}**, and have no access to this app. "
        f"Ask {escaped(whom_to_ask())} for it."
    )
    _offer_to_leave()


def _sign_in() -> None:
    if team().sign_in is SignIn.PROXY:
        st.markdown("Nobody is signed in: open this app by the address of your sign-in page.")
        return
    here, there = urlsplit(st.context.url or ""), urlsplit(origin() or "")
    if here.netloc and (here.scheme, here.netloc) != (there.scheme, there.netloc):
        # The cookie of a sign-in counts there alone, so that here it would be asked for forever.
        st.markdown(
            f"Open this app as {escaped(origin() or '')}: people sign in under that address."
        )
        return
    st.markdown("Sign in to go on.")
    if st.user.to_dict().get("is_logged_in"):
        st.caption(
            "The last sign-in is over a day old, or its provider tells no verified e-mail address."
        )
    for name in providers():
        if st.button(f"Sign in with {escaped(name)}", key=f"sign_in_{name}", type="primary"):
            st.login(name)
    if not providers() and st.button("Sign in", key="sign_in", type="primary"):
        st.login()


def _offer_to_leave() -> None:
    if team().sign_in is SignIn.OIDC and st.button("Sign out", icon=":material/logout:"):
        st.logout()
