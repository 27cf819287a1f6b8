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
from db.errors import EngineError
from tests.clickhouse_server import ClickHouseServer, Dress
from tests.conformance.quirks import QUIRKS
from tests.dresses import DRESSES

NewUrl = Callable[[], str]

_numbers = count()


def embedded(engine: str) -> Iterator[NewUrl]:
    """Databases of the process's own engine."""
    yield lambda: f"{engine}?database={_name()}"


def http(engine: str, dress: Dress | None = None) -> Iterator[NewUrl]:
    """The same engine behind ClickHouse's HTTP interface, dressed up or not."""
    path = Path(unquote(urlsplit(engine).path))
    yield from served(ClickHouseServer(path, dress=dress or Dress()))


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
    **{
        f"{name}-dress": partial(http, dress=dress())
        for name, dress in DRESSES.items()
        if name != "none"
    },
}
if os.environ.get("CONFORMANCE_DATABASE_URL"):
    ENGINES["named"] = named


# What differs in its index alone from an engine that all tests run on: SCANN from MSTG, and the
# engine behind HTTP from the same in an old ClickHouse's dress. Other tests know nothing of it.
_BY_THEIR_INDEX = ("http", "myscale-scann-dress")
_OF_THE_INDEX = ("test_doubles", "test_photos", "test_rows")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what tells nothing new, and what an engine is known not to do, with its reason."""
    items[:] = [
        item
        for item in items
        if _engine_of(item) not in _BY_THEIR_INDEX or item.path.stem in _OF_THE_INDEX
    ]
    known = QUIRKS.get(os.environ.get("CONFORMANCE_ENGINE", ""), {})
    for item in items:
        reason = known.get(getattr(item, "originalname", ""))
        if reason and "named" in item.keywords:
            item.add_marker(pytest.mark.skip(reason))


def _engine_of(item: pytest.Item) -> str:
    call = getattr(item, "callspec", None)
    return call.params.get("new_url", "") if call is not None else ""


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


def built(database: Database) -> str:
    """The state of a collection's index once all is done for it."""
    has_index = database.connection.dialect.has_index and not refuses_index(database)
    return "built" if has_index else "none"


def refuses_index(database: Database) -> bool:
    """Whether a ClickHouse that is new enough was built without its index, or has it forbidden."""
    codes = database.connection.dialect.refuses_index
    if not codes:
        return False
    index = "INDEX i v TYPE vector_similarity('hnsw', 'cosineDistance', 1)"
    try:
        database.connection.command(
            f"CREATE TABLE probe (v Array(Float32), {index}) ENGINE = MergeTree ORDER BY tuple()"
        )
    except EngineError as error:
        if error.code in codes:
            return True
        raise
    database.connection.command("DROP TABLE probe SYNC")
    return False
