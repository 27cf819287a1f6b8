"""Who may talk to the app: its own page, under a name that it was told to answer to."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Receive, Scope, Send
from streamlit import config
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from pages.address import address
from pages.health import HEALTH
from pages.policy import headers
from pages.refusal import Refusing


class Guard(Refusing):
    """Refuses names that are not this app's and pages of others, and sends the policy along.

    Streamlit checks the name for its web socket alone. A page of somebody else's may point a name
    of its own at this machine (DNS rebinding), and then the browser takes the app for that page's.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        await super().__call__(scope, receive, _with_policy(send))

    def refusal(self, scope: Scope, receive: Receive) -> str | None:  # noqa: ARG002 -- the base's
        """See Refusing."""
        # A balancer asks by whatever address it has, and hears nothing that anybody may not hear.
        of_health = scope["type"] == "http" and scope["path"] == address(HEALTH)
        return None if of_health else _refusal(Headers(scope=scope))


def _refusal(sent: Headers) -> str | None:
    hosts, origins = sent.getlist("host"), sent.getlist("origin")
    host = hosts[0] if len(hosts) == 1 else None
    if not is_host_allowed(host):
        return (
            f"This app does not answer to {_shown(host)}: open it as http://localhost, or add the "
            "name to server.allowedHosts in .streamlit/config.toml"
        )
    strange = [origin for origin in origins if not _is_allowed_origin(origin, host)]
    if not strange and not _is_embedded(sent):
        return None
    return (
        f"This app does not answer to pages of {_shown(', '.join(strange) or 'another site')}: "
        "open it by itself, or add that origin to server.corsAllowedOrigins in "
        ".streamlit/config.toml"
    )


def _is_allowed_origin(origin: str, host: str | None) -> bool:
    allowed: list[str] = config.get_option("server.corsAllowedOrigins")
    return origin in allowed or origin in (f"http://{host}", f"https://{host}")


def _is_embedded(sent: Headers) -> bool:
    """Whether a page of somebody else's asks for a part of itself, and no person for a page."""
    site, mode = sent.get("sec-fetch-site", "none"), sent.get("sec-fetch-mode")
    return site in ("cross-site", "same-site") and mode != "navigate" and "origin" not in sent


def _shown(sent: str | None) -> str:
    return "an unnamed host" if sent is None else sent[:80]


def _with_policy(send: Send) -> Send:
    async def send_with_policy(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(headers())
        await send(message)

    return send_with_policy
