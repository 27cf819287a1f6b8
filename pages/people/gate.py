"""What a request has to be before anything else of the app looks at it: from whom it says."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope
from streamlit import config

from db.errors import ExplorerError
from pages.people.person import person_of
from pages.people.roles import Role
from pages.people.team import Team, is_this_machine, team
from pages.refusal import Refusing

ALONE = (
    "Nobody signs in to this app, so it answers to the machine that it runs on alone: README's "
    "“For a team” tells how people sign in; ALLOW_ANONYMOUS=true lets everybody do everything"
)
_SIGN_IN = "Sign in to the app first"
# Streamlit's own: files that people upload, and those that it was given to show.
_FOR_PEOPLE = ("/_stcore/upload_file/", "/media/")


class Gate(Refusing):
    """Believes a proxy's word on who somebody is, and nobody else's; the outermost middleware.

    Everything behind it can take the header that names people at its word.
    """

    def refusal(self, scope: Scope, receive: Receive) -> str | None:
        """See Refusing."""
        return _refusal(team(), scope, receive)


def _refusal(now: Team, scope: Scope, receive: Receive) -> str | None:
    """Why a request is not answered, if it isn't; a header that lies is taken out of it."""
    peer = _peer(receive)
    if now.is_private and not is_this_machine(peer if peer is not None else _client(scope)):
        return ALONE
    named = bool(now.user_header) and now.user_header in Headers(scope=scope)
    if named and not (peer and now.trusts(peer)):
        del MutableHeaders(scope=scope)[now.user_header]
    if scope["type"] == "http" and any(part in scope["path"] for part in _FOR_PEOPLE):
        return None if person_of(HTTPConnection(scope)).role > Role.STRANGER else _SIGN_IN
    return None


def _peer(receive: Receive) -> str | None:
    """The address at the other end of the connection; None where the server does not tell it.

    Not the scope's: uvicorn puts there what a header of the request says, if it comes from this
    machine, and anybody here could then be any proxy.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        return None
    name = transport.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) and name else ""


def _client(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def refuse_unguarded() -> None:
    """End the start of an app that would be open to others unguarded.

    Raises:
        SystemExit: it would, or its settings can't be used; the text says what to do.
    """
    try:
        now = team()
    except ExplorerError as error:
        raise SystemExit(str(error)) from error
    address = config.get_option("server.address") or ""
    if now.is_private and address != "localhost" and not is_this_machine(address):
        raise SystemExit(
            f"The app is not started on {address or 'all addresses of this machine'}, where "
            "anybody could do everything, since nobody signs in: README's “For a team” tells how "
            "people sign in; ALLOW_ANONYMOUS=true starts it all the same"
        )
