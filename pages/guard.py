"""Who may talk to the app: its own page, under a name that it was told to answer to."""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed


class Guard:
    """Refuses names that are not this app's and pages of others, and lets nobody frame the app.

    Streamlit checks the name for its web socket alone. A page of somebody else's may point a name
    of its own at this machine (DNS rebinding), and then the browser takes the app for that page's.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = _refusal(Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, _unframed(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[:120]})
        else:
            await PlainTextResponse(refusal, 403)(scope, receive, send)


def _refusal(headers: Headers) -> str | None:
    host, origin = headers.get("host"), headers.get("origin")
    if not is_host_allowed(host):
        return (
            f"This app does not answer to {_shown(host)}: open it as http://localhost, or add the "
            "name to server.allowedHosts in .streamlit/config.toml\n"
        )
    if origin is None or urlsplit(origin).netloc == host or _is_allowed_origin(origin):
        return None
    return (
        f"This app does not answer to pages of {_shown(origin)}: open it by itself, or add that "
        "origin to server.corsAllowedOrigins in .streamlit/config.toml\n"
    )


def _is_allowed_origin(origin: str) -> bool:
    allowed: list[str] = config.get_option("server.corsAllowedOrigins")
    return origin in allowed


def _shown(sent: str | None) -> str:
    return "an unnamed host" if sent is None else sent[:80]


def _unframed(send: Send) -> Send:
    async def send_unframed(message: Message) -> None:
        if message["type"] == "http.response.start":
            _forbid_frames(message)
        await send(message)

    return send_unframed


def _forbid_frames(message: MutableMapping[str, Any]) -> None:
    headers = MutableHeaders(scope=message)
    headers["content-security-policy"] = "frame-ancestors 'none'"
    headers["x-frame-options"] = "DENY"
