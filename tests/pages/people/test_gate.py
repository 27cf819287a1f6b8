"""The gate on a real server, which tells the gate who is at the other end of a connection."""

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import httpx
import pytest
import uvicorn
from anyio.from_thread import start_blocking_portal
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.sync.client import connect

from pages.people.gate import ALONE, Gate
from pages.people.person import person_of
from pages.people.team import Team
from tests.pages.people.conftest import BEHIND_PROXY

ANN = ("X-Forwarded-User", "ann@x.org")
OWN = {**BEHIND_PROXY, "TRUSTED_PROXIES": "127.0.0.1"}


def told(connection: HTTPConnection) -> dict[str, object]:
    client = connection.client
    return {"name": person_of(connection).name, "client": client.host if client else ""}


def answer(request: Request) -> Response:
    return JSONResponse(told(request))


async def greet(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_json(told(socket))
    await socket.close()


APP = Starlette(
    routes=[
        Route("/", answer),
        Route("/_stcore/upload_file/a/b", answer, methods=["PUT"]),
        WebSocketRoute("/ws", greet),
    ],
    middleware=[Middleware(Gate)],
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    # As Streamlit sets it up: uvicorn believes X-Forwarded-For of this machine.
    server = uvicorn.Server(
        uvicorn.Config(APP, port=0, log_level="error", ws="websockets-sansio", access_log=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
        assert thread.is_alive()
    yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def names(address: str, headers: list[tuple[str, str]]) -> set[str]:
    """Who a page and its socket are taken for."""
    page = httpx.get(f"http://{address}/", headers=headers).json()
    with connect(f"ws://{address}/ws", additional_headers=headers) as socket:
        heard = httpx.Response(200, text=str(socket.recv())).json()
    return {page["name"], heard["name"]}


def test_the_word_of_a_trusted_proxy_counts(address: str, use_team: Callable[..., Team]) -> None:
    use_team(**OWN)
    assert names(address, [ANN]) == {"ann@x.org"}
    assert names(address, [ANN, ("X-Forwarded-For", "8.8.8.8")]) == {"ann@x.org"}
    assert names(address, []) == {""}
    assert names(address, [ANN, ("x-forwarded-user", "vic@y.org")]) == {""}


@pytest.mark.parametrize("forwarded", ["10.0.0.5", "10.0.0.5:8501", "8.8.8.8, 10.0.0.5", "::1"])
def test_nobody_else_is_believed_whatever_address_they_claim(
    address: str, use_team: Callable[..., Team], forwarded: str
) -> None:
    use_team(**BEHIND_PROXY)
    headers = [("X-Forwarded-For", forwarded), ("Forwarded", f"for={forwarded}"), ANN]
    assert names(address, headers) == {""}


def test_a_server_that_does_not_tell_the_peer_makes_nobody_a_proxy(
    use_team: Callable[..., Team],
) -> None:
    use_team(**OWN)
    client = TestClient(APP, client=("127.0.0.1", 4000))
    assert client.get("/", headers=dict([ANN])).json()["name"] == ""


def test_without_sign_in_only_this_machine_is_answered(use_team: Callable[..., Team]) -> None:
    use_team()
    assert TestClient(APP, client=("127.0.0.1", 4000)).get("/").status_code == 200
    other = TestClient(APP, client=("192.168.1.7", 4000))
    found = other.get("/")
    assert (found.status_code, found.text) == (403, f"{ALONE}\n")
    with pytest.raises(WebSocketDisconnect) as closed, other.websocket_connect("/ws"):
        pass
    assert closed.value.code == 1008
    use_team(ALLOW_ANONYMOUS="yes")
    assert other.get("/").status_code == 200


def test_the_address_is_the_connections_and_not_what_a_request_says(
    use_team: Callable[..., Team],
) -> None:
    class Cycle:
        """As uvicorn has it: `receive` is a method of what holds the transport."""

        transport = SimpleNamespace(get_extra_info=lambda name: ("192.168.1.7", 4000))

        async def receive(self) -> dict[str, object]:
            return {"type": "http.request"}

    use_team()
    said: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        said.append(message)

    scope = {"type": "http", "path": "/", "headers": [], "client": ("127.0.0.1", 0)}
    # In a thread of its own: where a browser was driven before, this one has a loop that runs.
    with start_blocking_portal() as portal:
        portal.call(Gate(APP), scope, Cycle().receive, send)
    assert said[0]["status"] == 403


def test_strangers_upload_nothing(address: str, use_team: Callable[..., Team]) -> None:
    use_team(**OWN)
    upload = f"http://{address}/_stcore/upload_file/a/b"
    assert httpx.put(upload).status_code == 403
    assert httpx.put(upload, headers={"X-Forwarded-User": "nobody@z.org"}).status_code == 403
    assert httpx.put(upload, headers=dict([ANN])).status_code == 200
