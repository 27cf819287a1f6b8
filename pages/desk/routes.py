"""What answers a desk: acts on its photos, and the pictures that only this machine has."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.errors import ExplorerError, GoneError
from pages.address import address
from pages.desk.board import (
    Act,
    Board,
    Boards,
    Show,
    UnreadableError,
    read_acts,
    read_show,
    searches,
)
from pages.desk.photos import PHOTOS, picture
from pages.people.deeds import Deed
from pages.people.person import NotAllowedError, Person, person_of, require
from pages.people.token import HEADER, knows_page, knows_pictures, page_token
from pages.people.turns import turns
from pages.services import Services

DESK = "/desk"
TOKENS = "/desk-token"
MAX_BODY = 1_000_000  # bytes: hundreds of acts
_FORBIDDEN = "This page belongs to an earlier run of the app: reload it"


class DeskRoutes:
    """The routes of all desks, to be served beside the pages.

    Args:
        services: opens them, or returns those that are open; raises ExplorerError.
        boards: what stands behind each kind of desk for a person, by its name in the address.
    """

    def __init__(
        self, services: Callable[[], Services], boards: Callable[[Services, Person], Boards]
    ) -> None:
        self._services = services
        self._boards = boards

    def all(self) -> list[Route]:
        """For an application's `routes`."""
        return [
            Route(address(TOKENS), self.token, methods=["GET"]),
            Route(f"{address(DESK)}/{{kind}}/{{key}}", self.acts, methods=["POST"]),
            Route(f"{address(DESK)}/{{kind}}/{{key}}/news", self.news, methods=["POST"]),
            Route(address(PHOTOS), self.photo, methods=["GET"]),
        ]

    def token(self, request: Request) -> Response:
        """A person's token, for a page that was open before this process was started."""
        # A page of somebody else's may ask, but no browser lets it read the answer.
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return _error(403, "This is for the app's own page")
        person = person_of(request)
        try:
            require(person, Deed.SEE)
        except NotAllowedError as error:
            return _error(403, str(error))
        sent = {"token": page_token(person.name)}
        return JSONResponse(sent, headers={**_PRIVATE, "cache-control": "no-store"})

    async def acts(self, request: Request) -> Response:
        """Do what a person did on a desk, and answer with what it shows then."""
        return await self._heard(request, self._done)

    async def news(self, request: Request) -> Response:
        """What others have done on a desk since it was told last; no content where it is none."""
        return await self._heard(request, self._new)

    async def _heard(
        self, request: Request, reply: Callable[[Board, dict[str, Any]], Response]
    ) -> Response:
        person = person_of(request)
        if not knows_page(request.headers.get(HEADER), person.name):
            return _error(403, _FORBIDDEN)
        try:
            sent = await _body(request)
        except ValueError:
            return _error(400, "A desk sends JSON: reload the page")
        kind, key = request.path_params["kind"], request.path_params["key"]
        async with turns.one_of_route(person.name if searches(sent.get("acts")) else ""):
            return await run_in_threadpool(self._answer, person, kind, key, sent, reply)

    def photo(self, request: Request) -> Response:
        """A picture that only this machine has."""
        if not knows_pictures(request.query_params.get("token")):
            return _error(403, _FORBIDDEN)
        try:
            require(person_of(request), Deed.SEE)
            opened = self._services()
            found = picture(opened.database.collections, opened.thumbnails, request.query_params)
        except NotAllowedError as error:
            return _error(403, str(error))
        except ExplorerError as error:
            return _error(404, str(error))
        # Asked about each time: the file may have been edited, and loaded again.
        tag = f'"{hashlib.blake2b(found.content, digest_size=16).hexdigest()}"'
        headers = {**_PRIVATE, "etag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(found.content, media_type=found.media_type, headers=headers)

    def _answer(
        self,
        person: Person,
        kind: str,
        key: str,
        sent: dict[str, Any],
        reply: Callable[[Board, dict[str, Any]], Response],
    ) -> Response:
        try:
            require(person, Deed.SEE)
            boards = self._boards(self._services(), person)
            if kind not in boards:
                return _error(404, "There is no such desk: reload the page")
            return reply(boards[kind](key), sent)
        except NotAllowedError as error:
            return _error(403, str(error))
        except GoneError as error:
            return _error(410, str(error))
        except UnreadableError as error:
            return _error(400, str(error))
        except ExplorerError as error:
            return _error(503, str(error))

    def _done(self, board: Board, sent: dict[str, Any]) -> Response:
        acts, show = read_acts(sent.get("acts", [])), read_show(sent.get("show", {}))
        return JSONResponse(answer(board, acts, show))

    def _new(self, board: Board, sent: dict[str, Any]) -> Response:
        show = read_show(sent.get("show", {}))
        if sent.get("at") == board.at:
            return Response(status_code=204, headers=_PRIVATE)
        return JSONResponse({"state": board.state(show)}, headers=_PRIVATE)


# A page of somebody else's can't show or read it, and no browser guesses another type.
_PRIVATE = {
    "cache-control": "private, no-cache",
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


def answer(board: Board, acts: list[Act], show: Show) -> dict[str, Any]:
    """Do all acts, in their order, and tell what came of them.

    Returns:
        `state`, of the round that is to be shown now; `said`, sentences; `changed`, the ids of
        photos to point out; `refused`, the reasons of acts that could not be done, and `asked`,
        what has to be chosen first, by click.
    """
    said, refused, asked = [], {}, {}
    changed: list[str] = []
    with board.together():
        for act in acts:
            try:
                done = board.act(act)
            except ExplorerError as error:
                refused[act.click] = str(error)
                continue
            said += [done.said] if done.said else []
            changed += done.photos
            if done.asked is not None:
                asked[act.click] = asdict(done.asked)
            if done.round is not None and show.mark is None:
                show = replace(show, round=done.round)
    refused |= board.crossed()
    return {
        "state": board.state(show),
        "said": said,
        "changed": changed,
        "refused": refused,
        "asked": asked,
    }


def _error(status: int, text: str) -> JSONResponse:
    return JSONResponse({"error": text}, status)
