"""ClickHouse's HTTP interface in front of embedded chDB, for the real clickhouse-connect client.

    python -m tests.serve FOLDER [PORT] [--dress NAME]

It speaks what that client asks for: queries in the body or the address, settings, database and
server-side parameters in the address, compression both ways, the X-ClickHouse headers, basic
authentication, read-only users, and errors with ClickHouse's text, codes and HTTP statuses. Each
request gets an engine handle of its own, so that no setting outlives it. It is no ClickHouse
server: passing tests against it says that our side of the conversation is right.

Sources: clickhouse.com/docs/interfaces/http, src/Server/HTTP/exceptionCodeToHTTPStatus.cpp and
src/Server/HTTPHandler.cpp of ClickHouse, and what clickhouse-connect reads.
"""

import base64
import contextlib
import email
import email.policy
import json
import re
import socket
import ssl
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.compression import ENCODINGS
from tests.engine import Answer, Handle, keep_open, open_handle

# What the HTTP interface takes out of the address for itself; everything else there is a setting.
_OWN_PARAMETERS = frozenset(
    {
        *("query", "query_id", "database", "default_format", "user", "password", "quota_key"),
        *("session_id", "session_timeout", "session_check", "buffer_size", "wait_end_of_query"),
        *("compress", "decompress", "client_protocol_version", "role", "stacktrace"),
    }
)
_STATUS = {
    194: 401,
    **dict.fromkeys((192, 193, 497, 512, 516), 403),
    **dict.fromkeys((6, 15, 16, 27, 36, 41, 38, 44, 53, 62, 72, 117, 168, 427), 400),
    **dict.fromkeys((46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 511), 404),
    159: 408,
    62_000: 413,
    48: 501,
    209: 503,
}
_ANSWERS = re.compile(r"(?i)\s*(SELECT|WITH|SHOW|DESC|DESCRIBE|EXISTS|EXPLAIN|CHECK)\b")
_INSERT = re.compile(
    rb"\s*INSERT\s+INTO\s.*?\sFORMAT\s+\w+[ \t]*(?:\n|$)", re.IGNORECASE | re.DOTALL
)
_FORMAT = re.compile(r"(?i)\sFORMAT\s+(\w+)\s*;?\s*$")


class RefusedError(Exception):
    """An error that the server answers with: ClickHouse's code, its name, and a sentence."""

    def __init__(self, code: int, name: str, text: str) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {text}. ({name})")
        self.code = code


class CutOffError(Exception):
    """The connection is cut instead of an answer."""


Run = Callable[[str], str]


class Dress:
    """What a server claims to be.

    Attributes:
        version: what `version()` answers; "" for the engine's own.
        config: the engine's configuration, in XML; "" for its own.
    """

    version = ""
    config = ""

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """The statement that the engine gets, or a RefusedError.

        Args:
            statement: SQL as it was sent; of an INSERT, the part before the data.
            settings: what was set in the address; what is left there is set in the engine.
            run: runs a statement in the request's database, and returns its rows as TabSeparated.
        """
        return statement


@dataclass(frozen=True)
class User:
    """Who may come in; `readonly` is 0, 1 (no settings either) or 2, as in ClickHouse."""

    password: str = ""
    readonly: int = 0


@dataclass
class ClickHouseServer:
    """A server that can be stopped and started again on its port.

    Attributes:
        folder: the engine's path; one a process.
        users: by name.
        dress: what it claims to be.
        certificate: a PEM file with a certificate and its key, for TLS.
        port: where it listens; chosen when it first starts.
        lose_answer_to: a statement that begins so is run, but the connection is cut before the
            answer, once.
        statements: what was run, latest last.
        timezone: the engine's.
        version: the one that it claims.
    """

    folder: Path
    users: Mapping[str, User] = field(default_factory=lambda: {"default": User()})
    dress: Dress = field(default_factory=Dress)
    certificate: Path | None = None
    port: int = 0
    lose_answer_to: str = ""
    statements: list[str] = field(default_factory=list)
    _http: "_Server | None" = None
    timezone: str = ""
    version: str = ""
    _kept: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> "ClickHouseServer":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The DSN without user and database."""
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen, in a thread of its own."""
        self._kept.enter_context(keep_open(self.folder, self.dress.config))
        # Asked now: an old engine can't be asked while it answers.
        self.timezone, own = self.run("SELECT timezone(), version()").split()
        self.version = self.dress.version or own
        self._http = _Server(self)
        self.port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening and cut every open connection, as a server that is killed does."""
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._kept.close()
            self._http = None

    def handle(self) -> Handle:
        """A new handle of the engine."""
        return open_handle(self.folder, self.dress.config)

    def run(self, statement: str, database: str = "default") -> str:
        """Run a statement past the interface; returns TabSeparated rows."""
        handle = self.handle()
        try:
            handle.use(database)
            return handle.rows(statement)
        finally:
            handle.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: ClickHouseServer) -> None:
        self.owner = owner
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._tls = None
        if owner.certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(owner.certificate)
        super().__init__(("127.0.0.1", owner.port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self._tls is not None:
            # The handshake is left to the handler's thread.
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self._lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that goes away, or doesn't trust us: tests are about those."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@dataclass(frozen=True)
class _Request:
    """What a request asks for, whichever way it was put."""

    statement: bytes
    data: bytes
    settings: Mapping[str, str]
    parameters: Mapping[str, str]
    database: str
    default_format: str
    query_id: str


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: the second of two would wait for the first's receipt.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the tests' output clean."""

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/ping" or "query=" not in self.path:
            self._answer(200, b"Ok.\n", {})
            return
        self._serve(readonly=2)

    def do_POST(self) -> None:
        self._serve(readonly=0)

    def _serve(self, readonly: int) -> None:
        owner = self.server.owner
        query_id = ""
        try:
            user = self._user()
            request = self._request()
            query_id = request.query_id
            body, headers, text = self._run(request, user.readonly or readonly)
            if owner.lose_answer_to and text.lstrip().startswith(owner.lose_answer_to):
                owner.lose_answer_to = ""
                self.close_connection = True
                return
            self._answer(200, body, {"X-ClickHouse-Query-Id": query_id, **headers})
        except (RefusedError, RuntimeError) as error:
            self._refuse(str(error), query_id)
        except CutOffError:
            self.close_connection = True

    def _refuse(self, text: str, query_id: str) -> None:
        start = max(text.find("Code: "), 0)
        found = re.match(r"Code: (\d+)", text[start:])
        code = int(found[1]) if found else 1002
        body = f"{text[start:].strip()} (version {self.server.owner.version} (official build))\n"
        self._answer(
            _STATUS.get(code, 500),
            body.encode(),
            {"X-ClickHouse-Exception-Code": str(code), "X-ClickHouse-Query-Id": query_id},
        )

    def _user(self) -> User:
        asked = dict(parse_qsl(urlsplit(self.path).query))
        name, password = asked.get("user", "default"), asked.get("password", "")
        scheme, _, credentials = self.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            name, _, password = base64.b64decode(credentials).decode().partition(":")
        name = self.headers.get("X-ClickHouse-User", name)
        password = self.headers.get("X-ClickHouse-Key", password)
        user = self.server.owner.users.get(name)
        if user is None or user.password != password:
            self._body()
            raise RefusedError(
                516,
                "AUTHENTICATION_FAILED",
                f"{name}: Authentication failed: password is incorrect, or there is no user with "
                "such name",
            )
        return user

    def _request(self) -> _Request:
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self._body()
        if self.headers.get_content_type() == "multipart/form-data":
            asked |= _form(self.headers["Content-Type"], body)
            body = b""
        if asked.get("compress") == "1" or asked.get("decompress") == "1":
            raise RefusedError(48, "NOT_IMPLEMENTED", "Native compression is not spoken here")
        query = asked.get("query", "").encode("utf-8", "surrogateescape")
        whole = query + b"\n" + body if query else body
        if not whole.strip():
            raise RefusedError(62, "SYNTAX_ERROR", "Empty query")
        insert = _INSERT.match(whole)
        end = insert.end() if insert else len(whole)
        return _Request(
            statement=whole[:end],
            data=whole[end:],
            settings={
                name: value
                for name, value in asked.items()
                if name not in _OWN_PARAMETERS and not name.startswith("param_")
            },
            parameters={
                name.removeprefix("param_"): value
                for name, value in asked.items()
                if name.startswith("param_")
            },
            database=asked.get("database") or self.headers.get("X-ClickHouse-Database", "default"),
            default_format=asked.get("default_format")
            or self.headers.get("X-ClickHouse-Format", "TabSeparated"),
            query_id=asked.get("query_id") or str(uuid.uuid4()),
        )

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = b"".join(iter(self._chunk, b""))
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        encoding = self.headers.get("Content-Encoding", "")
        if encoding and encoding not in ENCODINGS:
            raise RefusedError(48, "NOT_IMPLEMENTED", f"Unknown compression method: {encoding}")
        return ENCODINGS[encoding].decompress(body) if encoding else body

    def _chunk(self) -> bytes:
        size = int(self.rfile.readline().partition(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def _run(self, request: _Request, readonly: int) -> tuple[bytes, dict[str, str], str]:
        """Run a request; returns the rows, headers about them, and the statement as it was sent."""
        owner = self.server.owner
        handle = owner.handle()
        try:
            handle.use(request.database)
            sent = request.statement.decode("utf-8", "surrogateescape")
            owner.statements.append(sent)
            settings = dict(request.settings)
            statement = owner.dress.rewrite(sent, settings, handle.rows)
            if owner.dress.version:
                statement = statement.replace("version()", f"'{owner.dress.version}'")
            if readonly:
                settings.setdefault("readonly", str(readonly))
            _set(handle, settings, request.parameters)
            answer = _query(handle, statement, request)
            return answer.rows, _about(answer, statement, request, owner.timezone), sent
        finally:
            handle.close()

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        offered = re.findall(r"\w+", self.headers.get("Accept-Encoding", ""))
        wanted = "enable_http_compression=1" in self.path
        encoding = next((name for name in ENCODINGS if wanted and name in offered), "")
        if encoding:
            body = ENCODINGS[encoding].compress(body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _form(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a multipart form."""
    message = email.message_from_bytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body, policy=email.policy.HTTP
    )
    return {
        str(part.get_param("name", header="content-disposition")): bytes(
            part.get_payload(decode=True)  # type: ignore[arg-type]
        ).decode()
        for part in message.iter_parts()  # type: ignore[attr-defined]
    }


def _set(handle: Handle, settings: Mapping[str, str], parameters: Mapping[str, str]) -> None:
    """Give a handle its settings, `readonly` last, since nothing can be set after it."""
    for name, value in parameters.items():
        handle.set(f"param_{name}", value)
    for name, value in sorted(settings.items(), key=lambda setting: setting[0] == "readonly"):
        if not re.fullmatch(r"\w+", name):
            raise RefusedError(115, "UNKNOWN_SETTING", f"Unknown setting '{name}'")
        handle.set(name, value)


def _query(handle: Handle, statement: str, request: _Request) -> Answer:
    """Run a statement, with the data of an INSERT in a file: chDB reads none behind a statement."""
    with contextlib.ExitStack() as stack:
        if request.data:
            file = stack.enter_context(tempfile.NamedTemporaryFile(suffix=".data"))
            file.write(request.data)
            file.flush()
            statement = _FORMAT.sub(rf" FROM INFILE '{file.name}' FORMAT \1", statement)
        return handle.query(statement.encode("utf-8", "surrogateescape"), request.default_format)


def _about(answer: Answer, statement: str, request: _Request, timezone: str) -> dict[str, str]:
    inserted = bool(request.data)
    summary = {
        "read_rows": "0" if inserted else str(answer.rows_read),
        "read_bytes": "0" if inserted else str(answer.bytes_read),
        "written_rows": str(answer.rows_read) if inserted else "0",
        "written_bytes": str(answer.bytes_read) if inserted else "0",
        "elapsed_ns": str(int(answer.seconds * 1e9)),
    }
    headers = {"X-ClickHouse-Summary": json.dumps(summary), "X-ClickHouse-Timezone": timezone}
    if _ANSWERS.match(statement):
        named = _FORMAT.search(statement)
        headers["X-ClickHouse-Format"] = named[1] if named else request.default_format
    return headers
