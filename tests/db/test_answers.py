"""How an answer is waited for: from a server that is at work, stands still, or is asleep."""

import logging
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from classifier.outbox import Outbox
from db.answers import LOAD, PAGE, Answers, Health, heard_by
from db.connection import connect
from db.database import Database, open_database
from db.errors import EngineError
from db.sessions import LabelRow
from tests.clickhouse_server import ClickHouseServer, Dress, Run

URL = "http://host:1/x"
LINE = (
    "http://host:1/x takes connections and answers nothing: it goes on by itself once its machine "
    "or its disk does; if it doesn't, restart it"
)


class Server:
    """A server whose statements take as long as the test wants."""

    def __init__(self, *, there: bool = True) -> None:
        self.there = there
        self.go = threading.Event()
        self.sent = 0
        self.health = Health()

    def answers(self, tries: int = PAGE) -> Answers:
        return Answers(URL, tries, lambda _: None, self.health, lambda _: self.there)

    def statement(self) -> str:
        self.sent += 1
        assert self.go.wait(60)
        return "rows"


def test_a_server_that_is_at_work_is_waited_for_and_somebody_hears_of_it() -> None:
    server = Server()
    heard: list[float] = []

    def hear(seconds: float) -> None:
        heard.append(seconds)
        if len(heard) == 2:
            server.go.set()

    with heard_by(hear):
        assert server.answers().of(server.statement) == "rows"
    assert 0.7 <= heard[0] < heard[1]
    assert server.sent == 1


def test_who_hears_of_a_wait_may_end_it() -> None:
    class GivenUp(BaseException):
        pass

    def hear(seconds: float) -> None:
        raise GivenUp

    server = Server()
    with heard_by(hear), pytest.raises(GivenUp):
        server.answers().of(server.statement)
    server.go.set()
    assert server.answers().of(lambda: 1) == 1, "and nobody hears of the next one"


def test_a_server_that_stands_still_is_told_and_not_sent_another_statement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(there=False)
    with pytest.raises(EngineError) as caught:
        server.answers().of(server.statement)
    assert str(caught.value) == LINE
    assert caught.value.unfinished
    assert caught.value.passes
    with pytest.raises(EngineError, match="answers nothing"):
        server.answers().of(server.statement)
    assert server.sent == 1
    server.there = True
    server.go.set()
    monkeypatch.setattr("db.answers._SURE", 0)
    assert server.answers().of(server.statement) == "rows"


def test_a_load_waits_for_as_long_as_it_takes() -> None:
    server = Server(there=False)
    threading.Timer(1.2, server.go.set).start()
    assert server.answers(LOAD).of(server.statement) == "rows"


def test_a_load_says_once_that_a_server_stands_still(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("db.answers.PATIENCE", 0.01)
    server, asked = Server(there=False), Event()
    answers = replace(server.answers(LOAD), ping=lambda _: bool(asked.set()))
    threading.Thread(target=lambda: asked.wait(60) and server.go.set()).start()
    with caplog.at_level(logging.WARNING, "db.answers"):
        assert answers.of(server.statement) == "rows"
        server.there = True
        assert server.answers(LOAD).of(server.statement) == "rows"
    (record,) = caplog.records
    assert re.fullmatch(
        r"http://host:1/x has not answered for \d+ s, and is waited for: see to the server and "
        "its disk",
        record.getMessage(),
    )


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


def test_whoever_opens_a_server_that_stands_still_is_told_and_may_try_again(
    silent: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("db.answers.PATIENCE", 0.01)
    where = f"http://127.0.0.1:{silent}/photos"
    with caplog.at_level(logging.WARNING, "db.answers"), pytest.raises(EngineError) as caught:
        connect(f"{where}?send_receive_timeout=1", LOAD)
    assert caught.value.passes
    assert str(caught.value).startswith(f"{where} took too long to answer: ")
    (record,) = (each for each in caplog.records if each.name == "db.answers")
    assert record.getMessage().startswith(f"{where} has not answered for ")


# ---- thumbs


class Stalled(Dress):
    """A server on which thumbs are not written for a while."""

    def __init__(self) -> None:
        self.disk = threading.Event()

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """See Dress."""
        if statement.startswith("INSERT INTO `labels`"):
            assert self.disk.wait(60)
        return statement


@pytest.fixture
def stalled(engine: str, database_name: str) -> Iterator[tuple[Database, Stalled]]:
    dress = Stalled()
    with ClickHouseServer(Path(unquote(urlsplit(engine).path)), dress=dress) as server:
        server.run(f"CREATE DATABASE {database_name}")
        database = open_database(f"{server.url}/{database_name}")
        yield database, dress
        dress.disk.set()
        database.close()


@pytest.fixture
def database_name() -> str:
    return f"answers_{threading.get_ident()}"


def test_thumbs_are_kept_while_a_server_stands_still_and_stored_once(
    stalled: tuple[Database, Stalled], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, dress = stalled
    monkeypatch.setattr("db.connection.is_there", lambda client, seconds: False)
    outbox = Outbox(database.sessions)
    first, second = (LabelRow("s", n, n, 0, f"photo-{n}", 1, 1) for n in (1, 2))
    outbox.send([first])
    assert len(outbox) == 1
    assert "takes connections and answers nothing" in outbox.trouble
    outbox.send([second])
    assert len(outbox) == 2
    dress.disk.set()
    monkeypatch.undo()
    monkeypatch.setattr("db.answers._SURE", 0)
    outbox.send(())
    assert not outbox
    assert outbox.trouble == ""
    assert database.sessions.labels("s") == [first, second]


# ---- a cluster that sleeps


@pytest.fixture
def cloud(engine: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ClickHouseServer]]:
    """A server under a name of MyScale Cloud's, that is not started yet."""
    asked = socket.getaddrinfo

    def here(host: Any, *rest: Any, **options: Any) -> Any:
        return asked("127.0.0.1" if ".myscale." in str(host) else host, *rest, **options)

    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(socket, "getaddrinfo", here)
    server = ClickHouseServer(Path(unquote(urlsplit(engine).path)))
    server.start()
    server.stop()
    yield f"http://msc-1.us-east-1.aws.myscale.com:{server.port}/default", server
    server.stop()


def test_a_load_waits_for_a_cluster_to_wake_and_says_so(
    cloud: tuple[str, ClickHouseServer],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url, server = cloud
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if sum(slept) > 60:
            server.start()

    monkeypatch.setattr("db.client.Answers", _patient(sleep))
    with caplog.at_level(logging.WARNING, "db.answers"):
        connection = connect(url, LOAD)
    connection.close()
    assert sum(slept) > 60
    where = url.replace("http://", "")
    assert [record.getMessage() for record in caplog.records if record.name == "db.answers"] == [
        f"Nothing answers at http://{where}: start the server, or correct DATABASE_URL. A cluster "
        "of MyScale Cloud that nobody used wakes up by itself in a minute or two; it is waited for"
    ]


def test_a_page_tries_again_by_itself_and_is_told_at_once(
    cloud: tuple[str, ClickHouseServer],
) -> None:
    url, _ = cloud
    with pytest.raises(EngineError, match="wakes up by itself in a minute or two") as caught:
        connect(url)
    assert caught.value.passes


def test_no_other_server_is_said_to_sleep() -> None:
    with pytest.raises(EngineError) as caught:
        connect("http://127.0.0.1:9/x", LOAD)
    assert "MyScale" not in str(caught.value)


def _patient(sleep: Callable[[float], None]) -> Callable[..., Answers]:
    def answers(url: str, tries: int, ping: None) -> Answers:
        return replace(Answers(url, tries, ping=ping), sleep=sleep)

    return answers
