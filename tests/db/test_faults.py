"""What is said, and what is done, when a server stumbles."""

import logging
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from urllib3 import Timeout

from db.connection import Connection, connect
from db.database import open_database
from db.dsn import unencrypted
from db.errors import EngineError, ExplorerError
from tests.clickhouse_server import ClickHouseServer, User

SECRET = "s3cret/!"
USERS = {"default": User(), "me": User(SECRET), "reader": User(SECRET, readonly=1)}


@pytest.fixture
def server(engine: str) -> Iterator[ClickHouseServer]:
    with ClickHouseServer(Path(unquote(urlsplit(engine).path)), USERS) as running:
        yield running


def as_user(url: str, user: str, password: str = SECRET) -> str:
    return url.replace("//", f"//{user}:{password.replace('/', '%2F')}@")


def why_not(url: str) -> str:
    """The line with which a DSN is refused."""
    with pytest.raises(ExplorerError) as caught:
        open_database(url)
    line = str(caught.value)
    assert "\n" not in line
    assert SECRET not in line
    return line


def test_a_server_that_is_not_there() -> None:
    assert why_not("http://me:s3cret%2F!@127.0.0.1:9/photos") == (
        "Nothing answers at http://127.0.0.1:9/photos: start the server, or correct DATABASE_URL"
    )


def test_a_host_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    assert why_not("https://me:s3cret%2F!@no.such.host.invalid/photos") == (
        "There is no host no.such.host.invalid for the database: correct DATABASE_URL, or check "
        "the network"
    )


def test_tls_to_a_port_that_has_none(server: ClickHouseServer) -> None:
    url = f"{server.url}/default?secure=true"
    assert why_not(url) == (
        f"{server.url}/default speaks no TLS on that port: write http:// for it in DATABASE_URL, "
        "or the port that does, usually 8443"
    )


@pytest.fixture
def tls_server(engine: str, tmp_path: Path) -> Iterator[ClickHouseServer]:
    """A server with a certificate that it signed itself."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    pem, key = tmp_path / "server.pem", tmp_path / "server.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"),
            *("ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(pem)),
        ],
        check=True,
        capture_output=True,
    )
    pem.write_text(pem.read_text() + key.read_text())
    with ClickHouseServer(Path(unquote(urlsplit(engine).path)), certificate=pem) as running:
        yield running


def test_a_certificate_that_nobody_vouches_for(tls_server: ClickHouseServer) -> None:
    assert why_not(f"{tls_server.url}/default") == (
        f"The certificate of {tls_server.url}/default is not trusted (self-signed certificate): "
        "add ?ca_cert=/path/to/its/authority.pem to DATABASE_URL, or ?verify=false where the "
        "network is yours"
    )


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("option", ["verify=false", "ca_cert={pem}"])
def test_what_that_line_advises_helps(tls_server: ClickHouseServer, option: str) -> None:
    url = f"{tls_server.url}/default?{option.format(pem=tls_server.certificate)}"
    connection = connect(url)
    assert connection.rows("SELECT 1 AS one") == [{"one": 1}]
    connection.close()


def test_plain_http_to_a_port_with_tls(tls_server: ClickHouseServer) -> None:
    url = tls_server.url.replace("https", "http")
    assert why_not(f"{url}/default") == (
        f"The connection to {url}/default broke: try again in a moment, since the server may be "
        "restarting; if it never answers, check http and https in DATABASE_URL"
    )


@pytest.mark.parametrize("user", ["me", "nobody"])
def test_a_wrong_password_or_user(server: ClickHouseServer, user: str) -> None:
    url = f"{server.url}/default"
    assert why_not(as_user(url, user, SECRET + "x")) == (
        f"{url} refuses the user {user}: correct the user in DATABASE_URL, and the password there "
        "or in DATABASE_PASSWORD"
    )


def test_a_user_who_may_only_read(server: ClickHouseServer, server_url: str) -> None:
    assert why_not(as_user(server_url, "reader")) == (
        f"The user reader may only read at {server_url}: photos, sessions and thumbs are stored "
        "there, so name a user in DATABASE_URL who may write"
    )


def test_a_database_that_is_not_there(server: ClickHouseServer) -> None:
    assert why_not(f"{server.url}/photos") == (
        f"There is no database photos at {server.url}: create it there (CREATE DATABASE photos), "
        "or name another one in DATABASE_URL"
    )


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("http://localhost:port/x", "DATABASE_URL=http://localhost:port/x can't be used: Port"),
        ("http://localhost:1/x?nonsense=1", "DATABASE_URL=http://localhost:1/x can't be used: "),
    ],
)
def test_a_dsn_that_makes_no_sense(url: str, line: str) -> None:
    assert why_not(url).startswith(line)


def test_a_statement_that_takes_too_long(server_url: str) -> None:
    connection = connect(server_url)
    # From here on, so that a busy machine gets as far as this.
    connection.client.timeout = Timeout(connect=60, read=0.2)  # type: ignore[attr-defined]
    with pytest.raises(EngineError) as caught:
        connection.rows("SELECT sleep(2)")
    assert caught.value.unfinished
    assert str(caught.value) == (
        f"{server_url} took too long to answer: try again when it is less busy, or add "
        "?send_receive_timeout=SECONDS to DATABASE_URL"
    )
    connection.close()


def test_a_statement_that_the_server_stops(server_url: str) -> None:
    connection = connect(server_url)
    with pytest.raises(
        EngineError, match="gave up, since the statement took longer than it"
    ) as caught:
        connection.rows("SELECT sleep(2) SETTINGS max_execution_time = 1")
    assert not caught.value.unfinished
    connection.close()


def test_an_engines_own_sentence_comes_without_what_the_client_adds(server_url: str) -> None:
    connection = connect(server_url)
    with pytest.raises(ExplorerError) as caught:
        connection.rows("SELECT * FROM nothing")
    line = str(caught.value)
    assert line.startswith("The database failed: Code: 60. DB::Exception: ")
    assert line.endswith(
        "(UNKNOWN_TABLE). What was stored stays; check the disk, or that the "
        "server is up, and try again"
    )
    connection.close()


# ---- waiting for it


def with_waits(url: str, waits: list[float]) -> Connection:
    """A connection that notes how long it would have waited."""
    return replace(connect(url), sleep=waits.append)


def test_a_read_is_tried_again_with_growing_waits(
    server: ClickHouseServer, server_url: str
) -> None:
    waits: list[float] = []
    connection = with_waits(server_url, waits)
    server.stop()
    with pytest.raises(ExplorerError, match="Nothing answers at"):
        connection.rows("SELECT 1")
    assert waits == [0.1, 0.2, 0.4, 0.8]
    with pytest.raises(ExplorerError, match="Nothing answers at"):
        connection.rows("SELECT 1")
    assert len(waits) == 4, "while nothing answers, one try is enough"
    server.start()
    assert connection.rows("SELECT 1 AS one") == [{"one": 1}]
    server.stop()
    with pytest.raises(ExplorerError, match="Nothing answers at"):
        connection.rows("SELECT 1")
    assert len(waits) == 8
    connection.close()


def test_a_restart_in_between_is_not_noticed(server: ClickHouseServer, server_url: str) -> None:
    waits: list[float] = []

    def start_at_the_second(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            server.start()

    connection = replace(connect(server_url), sleep=start_at_the_second)
    connection.command("CREATE TABLE t (n UInt8) ENGINE = MergeTree ORDER BY n")
    server.stop()
    connection.insert("t", {"n": 1})
    assert len(waits) == 2
    server.stop()
    server.start()
    connection.command("DROP TABLE t")
    connection.close()


def test_a_statement_that_may_have_been_run_is_not_run_twice(
    server: ClickHouseServer, server_url: str
) -> None:
    connection = connect(server_url)
    server.lose_answer_to = "CREATE TABLE t"
    with pytest.raises(ExplorerError, match=r"The connection to \S+ broke"):
        connection.command("CREATE TABLE t (n UInt8) ENGINE = MergeTree ORDER BY n")
    server.lose_answer_to = "CREATE TABLE IF"
    connection.command("CREATE TABLE IF NOT EXISTS t (n UInt8) ENGINE = MergeTree ORDER BY n")
    server.lose_answer_to = "SELECT"
    assert connection.rows("SELECT count() AS n FROM t") == [{"n": 0}]
    connection.close()


# ---- in the clear


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://me:s3cret@db.example:8123/photos", "db.example"),
        ("https://db.example/photos?secure=false", "db.example"),
        ("http://10.1.2.3/photos", "10.1.2.3"),
    ],
)
def test_plain_http_to_another_machine_is_said_aloud(url: str, host: str) -> None:
    assert unencrypted(url) == (
        f"The password, the photos' data and the thumbs go to {host} unencrypted: write https:// "
        "in DATABASE_URL, or add ?secure=true"
    )


@pytest.mark.parametrize(
    "url",
    [
        *("chdb:///data/x", "https://db.example/photos", "http://db.example:8443/photos"),
        *("http://localhost:8123/x", "http://127.0.0.1/x", "http://[::1]:8123/x"),
    ],
)
def test_nothing_is_said_where_nobody_listens(url: str) -> None:
    assert unencrypted(url) == ""


def test_the_warning_is_logged_when_the_connection_is_made(
    server_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("db.dsn._is_this_machine", lambda host: False)
    with caplog.at_level(logging.WARNING, "db.connection"):
        connection = connect(server_url)
        connection.again().close()
    connection.close()
    assert [record.message for record in caplog.records] == [unencrypted(server_url)]
