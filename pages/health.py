"""What a balancer asks: whether the app is up, and its database answers."""

import asyncio
import logging
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.client import is_up
from db.errors import ExplorerError
from pages.address import address
from pages.services import Services

HEALTH = "/healthz"
WITHIN = 2.0  # seconds
_LOG = logging.getLogger(__name__)
_AWAY = "the database does not answer"


class Health:
    """The route. It tells everybody the same, and nothing but that: nobody signs in to ask.

    Args:
        services: opens them, or returns those that are open; raises ExplorerError.
    """

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services
        self._asking: asyncio.Task[str] | None = None

    def route(self) -> Route:
        """For an application's `routes`."""
        return Route(address(HEALTH), self.answer, methods=["GET"])

    async def answer(self, _: Request) -> Response:
        """200 where all is well, 503 where the database is away or too slow to say."""
        # However often it is asked, one thread waits for the database.
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(run_in_threadpool(self._look))
        try:
            trouble = await asyncio.wait_for(asyncio.shield(self._asking), WITHIN)
        except TimeoutError:
            trouble = _AWAY
        told = {"status": trouble or "ok"}
        return JSONResponse(told, 503 if trouble else 200, headers={"cache-control": "no-store"})

    def _look(self) -> str:
        try:
            connection = self._services().database.connection
        except ExplorerError as error:
            _LOG.warning("%s", error)
            return "the database can't be opened"
        # The embedded engine is in this process: it is up where it was opened.
        return "" if connection.is_alone or is_up(connection.client, WITHIN) else _AWAY
