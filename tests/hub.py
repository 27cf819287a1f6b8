"""A model hub on this machine: as much of the Hugging Face hub as a download of a model needs."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """The hub.

    Attributes:
        port: of its address.
        models: the folder of each model id.
        downloads: the file names that were fetched.
        broken: files whose download breaks off in the middle.
    """

    port: int
    models: dict[str, Path] = field(default_factory=dict)
    downloads: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Its address, for HF_ENDPOINT."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def hub(models: dict[str, Path], port: int = 0) -> Iterator[Hub]:
    """Run a hub with these models on a port of this machine; 0 takes a free one."""
    running = Hub(port, models)

    class Handler(_Handler):
        hub = running

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    running.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        path = self.path.partition("?")[0]
        for model, folder in self.hub.models.items():
            if path == f"/api/models/{model}/revision/main":
                return self._json({"id": model, "sha": COMMIT, "siblings": []})
            if path == f"/api/models/{model}/tree/{COMMIT}":
                return self._json([_entry(file) for file in sorted(folder.iterdir())])
            name = path.removeprefix(f"/{model}/resolve/{COMMIT}/")
            if name != path and (folder / name).is_file():
                return self._file(folder / name, with_body=with_body)
        return self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _file(self, file: Path, *, with_body: bool) -> None:
        body = file.read_bytes()
        headers = {"ETag": f'"{_blob_id(body)}"', "X-Repo-Commit": COMMIT}
        if not with_body:
            return self._send(200, b"", headers, length=len(body))
        self.hub.downloads.append(file.name)
        if file.name in self.hub.broken:
            return self._send(200, body[: len(body) // 2], headers, length=len(body))
        return self._send(200, body, headers)

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(
        self, status: int, body: bytes, headers: dict[str, str], length: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Keep the test's output clean."""


def _entry(file: Path) -> dict[str, object]:
    body = file.read_bytes()
    return {"type": "file", "path": file.name, "size": len(body), "oid": _blob_id(body)}


def _blob_id(body: bytes) -> str:
    """Git's name for a blob of these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()  # noqa: S324 -- git's choice
