"""A photo host on this machine: serves bytes over HTTP, and misbehaves where it is asked to."""

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest
import requests


@dataclass(frozen=True)
class Answer:
    """What a path is answered with.

    Attributes:
        body: the bytes that are sent.
        status: the HTTP status.
        content_type: of the body.
        missing: by how many bytes the announced length is larger than the body.
        length: what is announced instead, or "".
        location: where a redirect points to, or "".
        waits: whether the answer comes only when the host closes.
        stalls: whether the body's second half comes only when the host closes.
        drips: seconds between two bytes of the body.
        drips_head: seconds between two bytes of a head that never ends.
        resets: whether the connection is reset instead of an answer.
        headers: further ones.
    """

    body: bytes = b""
    status: int = 200
    content_type: str = "image/jpeg"
    missing: int = 0
    length: str = ""
    location: str = ""
    waits: bool = False
    stalls: bool = False
    drips: float = 0
    drips_head: float = 0
    resets: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class PhotoHost:
    """The host.

    Attributes:
        url: its address, without a slash at the end.
        answers: by path; a path that isn't there is answered with 404. Of several, each is given
            once, in turn, and the last one from then on.
        latency: seconds before every answer.
        asked: every path with its query, in the order asked for.
        headers: what came with each of them.
        closing: set when the host is about to stop.
    """

    url: str
    answers: dict[str, list[Answer | Path]] = field(default_factory=dict)
    latency: float = 0
    asked: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    closing: Event = field(default_factory=Event)

    def serve(self, path: str, *answers: Answer | Path) -> str:
        """Answer a path as told, or with a file; returns its URL."""
        self.answers[path] = list(answers)
        return self.url + path

    def answer(self, path: str) -> Answer | Path:
        """What the path is answered with this time."""
        answers = self.answers.get(path, [Answer(b"not here", 404)])
        return answers.pop(0) if len(answers) > 1 else answers[0]


def wait_as_long_as_it_takes(host: PhotoHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have clients wait shortly for what the host never sends, and long for all that it does.

    So a busy machine changes no outcome.
    """
    get = requests.Session.get

    def patient(
        session: requests.Session, url: str, *, timeout: tuple[float, float], stream: bool
    ) -> requests.Response:
        coming = host.answers.get(urlsplit(url).path, [Answer()])[0]
        never = isinstance(coming, Answer) and (coming.waits or coming.stalls)
        return get(session, url, timeout=(timeout[0], 0.2 if never else 60), stream=stream)

    monkeypatch.setattr(requests.Session, "get", patient)


@contextmanager
def photo_host() -> Iterator[PhotoHost]:
    """Run a host on a free port of this machine."""
    running = PhotoHost("")

    class Handler(_Handler):
        host = running

    server = _QuietServer(("127.0.0.1", 0), Handler)
    running.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield running
    finally:
        running.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else the body waits 40 ms for the client to acknowledge the head.
    disable_nagle_algorithm = True
    host: PhotoHost

    def do_GET(self) -> None:
        self.host.asked.append(self.path)
        self.host.headers.append(self.headers)
        if self.host.latency:
            self.host.closing.wait(self.host.latency)
        answer = self.host.answer(urlsplit(self.path).path)
        self._send(Answer(answer.read_bytes()) if isinstance(answer, Path) else answer)

    def _send(self, answer: Answer) -> None:
        if answer.waits:
            self.host.closing.wait()
        if answer.resets:
            # Closing with SO_LINGER at zero sends a reset.
            self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if answer.drips_head:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not self.host.closing.wait(answer.drips_head):
                self.wfile.write(b"x")
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        length = answer.length or str(len(answer.body) + answer.missing)
        self.send_header("Content-Length", length)
        if answer.location:
            self.send_header("Location", answer.location)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self._send_body(answer)
        self.close_connection = answer.missing > 0 or bool(answer.length)

    def _send_body(self, answer: Answer) -> None:
        if answer.drips:
            for byte in answer.body:
                self.wfile.write(bytes([byte]))
                self.host.closing.wait(answer.drips)
            return
        half = len(answer.body) // 2 if answer.stalls else len(answer.body)
        self.wfile.write(answer.body[:half])
        if answer.stalls:
            self.host.closing.wait()
            self.wfile.write(answer.body[half:])

    def log_message(self, *arguments: object) -> None:
        """Keep the test's output clean."""


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *arguments: object) -> None:
        """A client that gave up is part of the game."""
