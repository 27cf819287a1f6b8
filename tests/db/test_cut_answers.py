"""Answers that are cut off anywhere: among their headers, in their rows, or ended by an error."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace

import pytest

from db.connection import Connection, connect
from db.errors import EngineError
from tests.clickhouse_server import ClickHouseServer, _Handler


class Cutter:
    """Stands before a server, and cuts some of its answers off.

    Attributes:
        at: the byte of an answer at which it is cut; None lets all pass.
        times: how many answers are cut yet.
    """

    def __init__(self, server: ClickHouseServer) -> None:
        self.at: int | None = None
        self.times = 0
        self._to = server.port
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._to)) as there, suppress(OSError):
            threading.Thread(target=_copy, args=(client, there), daemon=True).start()
            while piece := there.recv(1 << 16):
                if self.at is not None and self.times:
                    self.times -= 1
                    client.sendall(piece[: self.at])
                    break
                client.sendall(piece)
            client.shutdown(socket.SHUT_RDWR)


def _copy(reader: socket.socket, writer: socket.socket) -> None:
    with suppress(OSError):
        while piece := reader.recv(1 << 16):
            writer.sendall(piece)


@pytest.fixture
def cutter(server: ClickHouseServer) -> Iterator[Cutter]:
    found = Cutter(server)
    with found.listening:
        yield found


@pytest.fixture
def connection(cutter: Cutter) -> Iterator[Connection]:
    with closing(connect(f"http://127.0.0.1:{cutter.port}/default")) as opened:
        yield replace(opened, sleep=lambda _: None)


SQL = "SELECT number, toString(number) AS word FROM numbers(1000)"
# The headers of these answers take some 330 bytes.
PLACES = (0, 20, 200, 320, 400)


@pytest.mark.parametrize("times", [1, 99])
def test_rows_that_are_cut_off_are_asked_for_again_and_never_taken_for_all(
    cutter: Cutter, connection: Connection, times: int
) -> None:
    for cutter.at in PLACES:
        for ask in (connection.rows, connection.arrow):
            cutter.times = times
            if times == 1:
                assert len(ask(SQL)) == 1000
                continue
            with pytest.raises(EngineError, match=r"The connection to \S+ broke") as caught:
                ask(SQL)
            assert caught.value.passes
            assert caught.value.unfinished


@pytest.mark.parametrize("place", [50, 200])
def test_a_value_that_is_cut_off_is_not_taken_for_none(
    cutter: Cutter, connection: Connection, place: int
) -> None:
    cutter.at, cutter.times = place, 2
    assert int(connection.command("SELECT count() FROM numbers(7)")) == 7
    cutter.at, cutter.times = place, 2
    with pytest.raises(EngineError, match=r"The connection to \S+ broke"):
        connection.command("OPTIMIZE TABLE nothing FINAL")


@pytest.mark.parametrize("ask", ["rows", "arrow"])
def test_an_error_in_the_middle_of_an_answer_is_one(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, ask: str
) -> None:
    """As servers until 24 end it: the answer is whole, and its last words are the reason."""
    whole = _Handler._answer

    def failing(handler: _Handler, status: int, body: bytes, headers: dict[str, str]) -> None:
        reason = b"Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)"
        whole(handler, status, body[: len(body) // 2] + reason, headers)

    monkeypatch.setattr(_Handler, "_answer", failing)
    with pytest.raises(EngineError) as caught:
        getattr(connection, ask)(SQL)
    assert "\n" not in str(caught.value)
