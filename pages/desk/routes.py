"""What answers a desk: acts on its photos, and the pictures that only this machine has."""

import logging
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.errors import ExplorerError, GoneError
from pages.address import address
from pages.desk.board import Act, Board, Boards, Show, read_acts, read_show
from pages.desk.photos import PHOTOS, picture
from pages.guard import TOKEN_HEADER, knows_token
from pages.services import Services

_LOG = logging.getLogger(__name__)

DESK = "/desk"
MAX_BODY = 1_000_000  # bytes: hundreds of acts
_FORBIDDEN = "This page belongs to an earlier run of the app: reload it"


def desk_routes(
    services: Callable[[], Services], boards: Callable[[Services], Boards]
) -> list[Route]:
    """The routes of all desks, to be served beside the pages.

    Args:
        services: opens them, or returns those that are open; raises ExplorerError.
        boards: what stands behind each kind of desk, by its name in the address.
    """

    async def acts(request: Request) -> Response:
        if not knows_token(request.headers.get(TOKEN_HEADER)):
            return _error(403, _FORBIDDEN)
        try:
            sent = await _body(request)
        except ValueError:
            return _error(400, "A desk sends JSON: reload the page")
        return await run_in_threadpool(_answer, lambda: boards(services()), request, sent)

    def photo(request: Request) -> Response:
        if not knows_token(request.query_params.get("token")):
            return _error(403, _FORBIDDEN)
        try:
            opened = services()
            found = picture(opened.database.collections, opened.thumbnails, request.query_params)
        except ExplorerError as error:
            return _error(404, str(error))
        return Response(found.content, media_type=found.media_type, headers=_PRIVATE)

    return [
        Route(f"{address(DESK)}/{{kind}}/{{key}}", acts, methods=["POST"]),
        Route(address(PHOTOS), photo, methods=["GET"]),
    ]


# A page of somebody else's can't show or read it, and no browser guesses another type.
_PRIVATE = {
    "cache-control": "private, max-age=3600",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


async def _body(request: Request) -> dict[str, Any]:
    if int(request.headers.get("content-length", MAX_BODY)) >= MAX_BODY:
        raise ValueError("too long")
    try:
        sent = await request.json()
    except ClientDisconnect as error:
        raise ValueError("cut short") from error
    if not isinstance(sent, dict):
        raise ValueError("no object")  # noqa: TRY004 -- what JSON readers raise
    return sent


def _answer(boards: Callable[[], Boards], request: Request, sent: dict[str, Any]) -> Response:
    try:
        acts, show = read_acts(sent.get("acts", [])), read_show(sent.get("show", {}))
    except ExplorerError as error:
        return _error(400, str(error))
    try:
        board = boards()[request.path_params["kind"]](request.path_params["key"])
        return JSONResponse(answer(board, acts, show))
    except KeyError:
        return _error(404, "There is no such desk: reload the page")
    except GoneError as error:
        return _error(410, str(error))
    except ExplorerError as error:
        return _error(503, str(error))


def answer(board: Board, acts: list[Act], show: Show) -> dict[str, Any]:
    """Do all acts, in their order, and tell what came of them.

    Returns:
        `state`, of the round that is to be shown now; `said`, sentences; `changed`, the ids of
        photos to point out; `refused`, the reasons of acts that could not be done, by click.
    """
    said, refused = [], {}
    changed: list[str] = []
    for act in acts:
        try:
            done = board.act(act)
        except ExplorerError as error:
            refused[act.click] = str(error)
            continue
        said += [done.said] if done.said else []
        changed += done.photos
        if done.round is not None and show.mark is None:
            show = Show(done.round)
    return {"state": board.state(show), "said": said, "changed": changed, "refused": refused}


def _error(status: int, text: str) -> JSONResponse:
    return JSONResponse({"error": text}, status)
