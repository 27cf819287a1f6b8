"""Servers that are too old, and what is between us and one of the right age."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from db.connection import connect
from db.errors import EngineError, ExplorerError
from tests.clickhouse_server import ClickHouseServer, Dress

NEEDED = (
    "name one in DATABASE_URL that is 23.3 or newer (25.8 or newer searches by an index), or a "
    "MyScale"
)

# What a real 18.16.1 answers to the client's first questions: status and body, no code in a header.
ANSWERS_OF_18_16 = {
    "SELECT version(), timezone()": (200, "18.16.1\tEtc/UTC\n"),
    "SELECT name, value, readonly": (
        404,
        "Code: 47, e.displayText() = DB::Exception: Unknown identifier: readonly, e.what() = "
        "DB::Exception\n",
    ),
}


@contextmanager
def answering(answers: dict[str, tuple[int, str]]) -> Iterator[str]:
    """The DSN of a server that has these answers to statements that begin so, and an error."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told = (status_and_body for start, status_and_body in answers.items() if start in sent)
            status, body = next(told)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep the tests' output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/default"
        server.shutdown()


def why_not(url: str) -> str:
    with pytest.raises(ExplorerError) as caught:
        connect(url)
    return str(caught.value)


def test_a_server_that_is_too_old_for_the_client() -> None:
    with answering(ANSWERS_OF_18_16) as url:
        assert why_not(url) == f"{url} is a ClickHouse that is too old: {NEEDED}"


@pytest.mark.parametrize("version", ["20.8.1.4447", "22.8.21.38", "23.2.7.32"])
def test_a_server_that_is_too_old_for_the_statements(
    server: ClickHouseServer, server_url: str, version: str
) -> None:
    server.version, server.dress = version, Dress()
    server.dress.version = version
    assert why_not(server_url) == (
        f"{server_url} is a ClickHouse that is too old ({version}): {NEEDED}"
    )


@pytest.mark.parametrize("version", ["23.3.2.1", "25.8.2.1", "26.10.1.1"])
def test_a_server_that_is_not(server: ClickHouseServer, server_url: str, version: str) -> None:
    server.version, server.dress = version, Dress()
    server.dress.version = version
    connect(server_url).close()


def test_an_error_whose_code_a_proxy_took_away_is_told_as_it_is() -> None:
    body = "Code: 291. DB::Exception: Cannot access database. (DATABASE_ACCESS_DENIED)\n"
    with answering({"SELECT": (500, body)}) as url:
        line = why_not(url)
    assert line.startswith("The database failed: Code: 291. DB::Exception: Cannot access database")


def test_what_is_no_clickhouse_is_told_so() -> None:
    with answering({"SELECT": (404, "<html>Not here</html>")}) as url:
        assert "is no ClickHouse or MyScale (HTTP status 404)" in why_not(url)


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504, 520, 524])
def test_a_gateway_that_gave_up_is_told_from_a_wrong_address(status: int) -> None:
    with answering({"SELECT": (status, "<html>Busy</html>")}) as url:
        with pytest.raises(EngineError) as caught:
            connect(url)
        assert str(caught.value) == (
            f"{url} is not available just now (HTTP status {status}): try again in a moment"
        )
        assert caught.value.passes
        assert caught.value.unfinished is (status != 429)
