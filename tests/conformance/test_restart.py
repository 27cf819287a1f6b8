"""A server that goes and comes back, in every dress."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from db.connection import connect
from db.database import Database, open_database
from db.errors import ExplorerError
from db.sessions import UP, LabelRow
from tests.clickhouse_server import ClickHouseServer
from tests.conformance.conftest import after_building
from tests.conftest import filled
from tests.serve import DRESSES

_numbers = count()


@pytest.fixture(params=DRESSES)
def server(request: pytest.FixtureRequest, engine: str) -> Iterator[ClickHouseServer]:
    folder = Path(unquote(urlsplit(engine).path))
    with ClickHouseServer(folder, dress=DRESSES[request.param]()) as running:
        yield running


@pytest.fixture
def database_url(server: ClickHouseServer) -> str:
    name = f"restart_{next(_numbers)}"
    server.run(f"CREATE DATABASE {name}")
    return f"{server.url}/{name}"


def test_what_was_stored_is_there_after_a_restart(
    server: ClickHouseServer, database: Database
) -> None:
    _, table, vectors = filled(database, 200)
    table.build_index()
    server.stop()
    server.start()
    assert table.count() == 200
    assert table.index_state().state == after_building(database)
    assert table.search(vectors[5], 1)[0].photo.id == "photo-00005"


def test_a_read_waits_until_the_server_is_back(server: ClickHouseServer, database_url: str) -> None:
    waits: list[float] = []

    def start_at_the_second(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            server.start()

    connection = replace(connect(database_url), sleep=start_at_the_second)
    server.stop()
    assert connection.rows("SELECT 1 AS one") == [{"one": 1}]
    assert waits == [0.1, 0.2]
    connection.close()


def test_a_thumb_and_photos_whose_answer_was_lost_count_once(
    server: ClickHouseServer, database: Database
) -> None:
    label = LabelRow("s", 1, 1, 0, "photo", UP, 1)
    server.lose_answer_to = "INSERT INTO `labels`"
    database.sessions.add_labels([label])
    assert server.lose_answer_to == ""
    assert database.sessions.labels("s") == [label]
    server.lose_answer_to = "INSERT INTO `unsplash_25k`"
    _, table, vectors = filled(database, 60)
    assert server.lose_answer_to == ""
    assert table.count() == 120, "the block was sent again"
    table.drop_doubles()
    table.build_index()
    assert table.count() == 60
    found = table.search(vectors[5], 9)
    assert len({hit.photo.id for hit in found}) == 9


def test_a_server_that_stays_away_is_one_line(server: ClickHouseServer, database_url: str) -> None:
    connection = replace(connect(database_url), sleep=lambda _: None)
    server.stop()
    with pytest.raises(ExplorerError, match="Nothing answers at"):
        connection.rows("SELECT 1")
    connection.close()
    server.start()
    open_database(database_url).close()
