"""What the product does on a server in MyScale's dress, or an older ClickHouse's.

None of this was tested on MyScale: see tests/myscale_dress.py.
"""

import logging
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from db.database import Database, open_database
from db.errors import ExplorerError
from db.photos import PhotoTable
from db.search import vector_literal
from db.settings import load_settings
from db.vector_index import IndexState, VectorIndex
from tests.clickhouse_server import ClickHouseServer, Dress
from tests.conftest import filled, photo_ids, unit_vectors
from tests.myscale_dress import MyScaleDress
from tests.older_dress import OlderDress

Opened = tuple[Database, ClickHouseServer]
Open = Callable[..., Opened]

_numbers = count()
LITERAL = vector_literal(unit_vectors(1)[0])


@pytest.fixture
def opened(engine: str) -> Iterator[Open]:
    """Opens an empty database of a server in a dress."""
    running: list[Opened] = []

    def open_one(dress: Dress, options: str = "", **environ: str) -> Opened:
        server = ClickHouseServer(Path(unquote(urlsplit(engine).path)), dress=dress)
        server.start()
        name = f"dressed_{next(_numbers)}"
        server.run(f"CREATE DATABASE {name}")
        environ["DATABASE_URL"] = f"{server.url}/{name}{options}"
        url = load_settings(environ, Path("/nowhere")).database_url
        running.append((open_database(url), server))
        return running[-1]

    yield open_one
    for database, server in running:
        database.close()
        server.stop()


# ---- the product on it


@pytest.mark.parametrize(
    ("dress", "told"),
    [
        (MyScaleDress(), "MyScale 23.3.2.1"),
        (OlderDress("25.8.1.1"), "ClickHouse 25.8.1.1"),
    ],
)
def test_the_engine_is_known_by_asking_it(opened: Open, dress: Dress, told: str) -> None:
    database, _ = opened(dress)
    assert database.connection.engine == told


def test_scann_is_built_where_mstg_is_refused_and_said(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    database, server = opened(MyScaleDress(mstg=False))
    _, table, _ = filled(database, 50)
    with caplog.at_level(logging.WARNING, "db.vector_index"):
        table.build_index()
    assert [record.message for record in caplog.records] == [
        "This server has no MSTG: unsplash_25k gets SCANN"
    ]
    assert table.index_state() == IndexState("built", "SCANN", 1.0)
    added = [sent.split("TYPE ")[1] for sent in server.statements if "ADD VECTOR INDEX" in sent]
    assert added == ["MSTG('metric_type=Cosine')", "SCANN('metric_type=Cosine')"]


def test_the_progress_of_a_build_is_reported(opened: Open) -> None:
    database, _ = opened(MyScaleDress(polls=4))
    _, table, _ = filled(database, 50)
    reported: list[IndexState] = []
    table.build_index(reported.append, poll=0)
    assert [state.state for state in reported] == ["building"] * 3
    assert [state.progress for state in reported] == [0.25, 0.5, 0.75]
    assert table.index_state() == IndexState("built", "MSTG", 1.0)


def test_an_error_is_shown_with_its_reason_and_the_next_run_builds_anew(opened: Open) -> None:
    dress = MyScaleDress()
    database, server = opened(dress)
    _, table, _ = filled(database, 50)
    dress.fail = "Memory limit (total) exceeded"
    with pytest.raises(
        ExplorerError,
        match=r"index of unsplash_25k could not be built: Memory limit \(total\) exceeded\.",
    ):
        table.build_index(poll=0)
    assert table.index_state() == IndexState("failed", "Memory limit (total) exceeded", 0.0)
    dress.fail = ""
    table.build_index(poll=0)
    assert table.index_state().state == "built"
    assert "ALTER TABLE `unsplash_25k` DROP VECTOR INDEX vindex" in server.statements


@pytest.mark.parametrize(
    ("options", "environ", "distance"),
    [
        ("", {}, "distance("),
        ("?alpha=2", {}, "distance('alpha=2')("),
        ("", {"MYSCALE_ALPHA": "3"}, "distance('alpha=3')("),
    ],
)
def test_alpha_reaches_the_statement(
    opened: Open, options: str, environ: dict[str, str], distance: str
) -> None:
    database, server = opened(MyScaleDress(), options, **environ)
    _, table, vectors = filled(database, 50)
    table.build_index(poll=0)
    assert table.search(vectors[7], 1)[0].photo.id == "photo-00007"
    assert f" {distance}vector, [" in server.statements[-1]


def test_photos_without_an_index_are_found_too(opened: Open) -> None:
    database, _ = opened(MyScaleDress())
    _, table, vectors = filled(database, 50)
    assert table.search(vectors[7], 1)[0].photo.id == "photo-00007"
    other = database.connection.again()
    assert PhotoTable(other, table.name).search(vectors[8], 1)[0].photo.id == "photo-00008"
    other.close()


def test_photos_without_an_index_are_found_where_the_server_looks_at_none(opened: Open) -> None:
    database, _ = opened(MyScaleDress())
    client = database.connection.client
    assert client.get_client_setting("enable_brute_force_vector_search") == "1"
    client.set_client_setting("enable_brute_force_vector_search", 0)
    _, table, vectors = filled(database, 100)
    exact = [photo_ids(100)[place] for place in (-(vectors @ vectors[3])).argsort()]
    found = table.search(vectors[3], 9, exact[:1])
    assert [neighbour.photo.id for neighbour in found] == exact[1:10]


def test_an_index_that_another_load_has_just_started_is_waited_for(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, _ = opened(MyScaleDress())
    _, table, _ = filled(database, 100)
    asked = VectorIndex.state

    def none_at_first(self: VectorIndex) -> IndexState:
        monkeypatch.setattr(VectorIndex, "state", asked)
        for statement in database.connection.dialect.build_index(table.name):
            database.connection.command(statement)
        return IndexState("none")

    monkeypatch.setattr(VectorIndex, "state", none_at_first)
    table.build_index(poll=0)
    assert table.index_state().state == "built"


def test_an_old_clickhouse_is_searched_exactly_and_asked_for_nothing_new(opened: Open) -> None:
    database, server = opened(OlderDress("24.3.1.1"))
    name = "ClickHouse 24.3.1.1 (exact search: no index before 25.8)"
    assert database.connection.engine == name
    _, table, vectors = filled(database, 2000)
    table.build_index()
    query = unit_vectors(1, seed=9)[0]
    exact = [photo_ids(2000)[place] for place in (-(vectors @ query)).argsort()]
    found = table.search(query, 9, exact[:50])
    assert [hit.photo.id for hit in found] == exact[50:59]
    assert not [sent for sent in server.statements if "SETTINGS hnsw" in sent or " INDEX " in sent]


# ---- the rules of the dress


@pytest.fixture
def database(opened: Open) -> Database:
    """A table with a built index, on the dress."""
    database, _ = opened(MyScaleDress(polls=0))
    _, photos, _ = filled(database, 20)
    photos.build_index(poll=0)
    return database


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "SELECT 1 SETTINGS hnsw_candidate_list_size_for_search = 1",
            "Unknown setting hnsw_candidate_list_size_for_search",
        ),
        (
            "SELECT 1 SETTINGS max_threads = 1, query_plan_try_use_vector_search = 0",
            "Unknown setting query_plan_try_use_vector_search",
        ),
        (
            "SELECT 1 SETTINGS vector_search_filter_strategy = 'prefilter'",
            "Unknown setting vector_search_filter_strategy",
        ),
        ("SELECT arrayDotProduct([1.0], [1.0])", "Unknown function arrayDotProduct"),
        (
            "ALTER TABLE unsplash_25k ADD INDEX i vector TYPE vector_similarity('hnsw')",
            "Unknown Index type 'vector_similarity'",
        ),
        (
            "ALTER TABLE unsplash_25k ADD VECTOR INDEX v2 vector TYPE SCANN('metric_type=Cosine')",
            "Cannot add vector index v2: this column already has a vector index definition",
        ),
        ("ALTER TABLE unsplash_25k DROP VECTOR INDEX other", "it does not exist"),
        (
            "ALTER TABLE collections ADD VECTOR INDEX v name TYPE MSTG('metric_type=Cosine')",
            "The element type inside the array must be `Float32`",
        ),
        (
            "ALTER TABLE rounds ADD VECTOR INDEX v weight TYPE MSTG('metric_type=Cosine')",
            "no constraint on its length",
        ),
        ("ALTER TABLE nothing ADD VECTOR INDEX v vector TYPE MSTG", "Table nothing doesn't exist"),
        (
            f"SELECT id, distance(vector, {LITERAL}) AS d FROM unsplash_25k "
            "ORDER BY d DESC LIMIT 1",
            "ordered ascending",
        ),
        (
            f"SELECT id, distance('alpha=5')(vector, {LITERAL}) AS d FROM unsplash_25k "
            "ORDER BY d LIMIT 1",
            "Value for parameter `alpha` range needs to be 1~4",
        ),
        (
            f"SELECT id, distance('ef_s=50')(vector, {LITERAL}) AS d FROM unsplash_25k "
            "ORDER BY d LIMIT 1",
            "Unsupported vector search argument `ef_s` on vector index `MSTG`",
        ),
        (
            "SELECT id, distance(vector, [1, 1e-05]) AS d FROM unsplash_25k ORDER BY d LIMIT 1",
            "No element of the query vector has a decimal point: 1, 1e-05",
        ),
    ],
)
def test_the_dress_refuses(database: Database, statement: str, said: str) -> None:
    with pytest.raises(ExplorerError) as caught:
        database.connection.command(statement)
    assert said in str(caught.value)


def test_the_dress_forgets_the_index_of_a_dropped_table(opened: Open) -> None:
    database, _ = opened(MyScaleDress(polls=0))
    collection, table, _ = filled(database, 5)
    table.build_index(poll=0)
    database.collections.drop(collection)
    _, again, _ = filled(database, 5)
    assert again.index_state().state == "none"
