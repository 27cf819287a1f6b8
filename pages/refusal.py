"""What stands in front of the app, and answers some requests by itself: that they are refused."""

from abc import ABC, abstractmethod

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_REASON = 40  # characters: a web socket is closed with at most 123 bytes of them


class Refusing(ABC):
    """A middleware that lets a request through, or says in one line why not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    @abstractmethod
    def refusal(self, scope: Scope, receive: Receive) -> str | None:
        """Why an HTTP request or a web socket is not answered, or None if it is."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        asks = scope["type"] in ("http", "websocket")
        refusal = self.refusal(scope, receive) if asks else None
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[:_REASON]})
        else:
            await PlainTextResponse(f"{refusal}\n", 403)(scope, receive, send)
