"""The engines that the promises are tested on; `database` is an empty one on each in turn."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from db.connection import connect
from db.database import Database
from tests.clickhouse_server import ClickHouseServer
from tests.serve import DRESSES

NewUrl = Callable[[], str]

_numbers = count()


def embedded(engine: str) -> Iterator[NewUrl]:
    """Databases of the process's own engine."""
    yield lambda: f"{engine}?database={_name()}"


def http(engine: str) -> Iterator[NewUrl]:
    """The same engine behind ClickHouse's HTTP interface."""
    yield from served(ClickHouseServer(_folder(engine)))


def dressed(dress: str, engine: str) -> Iterator[NewUrl]:
    """The same, claiming to be another engine."""
    yield from served(ClickHouseServer(_folder(engine), dress=DRESSES[dress]()))


def served(server: ClickHouseServer) -> Iterator[NewUrl]:
    """Databases of a test server."""

    def new_url() -> str:
        name = _name()
        server.run(f"CREATE DATABASE {name}")
        return f"{server.url}/{name}"

    with server:
        yield new_url


def named(engine: str) -> Iterator[NewUrl]:
    """Databases of the server that CONFORMANCE_DATABASE_URL names; dropped at the end."""
    url = os.environ["CONFORMANCE_DATABASE_URL"]
    connection = connect(url)
    made: list[str] = []

    def new_url() -> str:
        made.append(_name())
        connection.command(f"CREATE DATABASE {made[-1]}")
        return urlsplit(url)._replace(path=f"/{made[-1]}").geturl()

    yield new_url
    for name in made:
        connection.command(f"DROP DATABASE {name}")
    connection.close()


ENGINES: dict[str, Callable[[str], Iterator[NewUrl]]] = {
    "embedded": embedded,
    "http": http,
    "myscale-dress": partial(dressed, "myscale"),
    "myscale-dress-scann": partial(dressed, "myscale-scann"),
    "clickhouse-24.3-dress": partial(dressed, "clickhouse-24.3"),
}
if os.environ.get("CONFORMANCE_DATABASE_URL"):
    ENGINES["named"] = named


def _folder(engine: str) -> Path:
    return Path(unquote(urlsplit(engine).path))


def _name() -> str:
    return f"conformance_{os.getpid()}_{next(_numbers)}"


@pytest.fixture(scope="session", params=ENGINES)
def new_url(request: pytest.FixtureRequest, engine: str) -> Iterator[NewUrl]:
    """Makes the DSN of an empty database, on one engine after the other."""
    yield from ENGINES[request.param](engine)


@pytest.fixture
def database_url(new_url: NewUrl) -> str:
    """The DSN of an empty database; the `database` of all tests opens it."""
    return new_url()


def after_building(database: Database) -> str:
    """What becomes of an index: an engine that has none stays without."""
    return "built" if database.connection.dialect.has_index else "none"
