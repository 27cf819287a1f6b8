"""What is MyScale's alone, and an old ClickHouse's, as far as the tests' server plays them."""

import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from db.database import open_database
from db.errors import ExplorerError
from db.photos import IndexState, PhotoTable
from tests.clickhouse_server import ClickHouseServer, Dress
from tests.conformance.conftest import served
from tests.conftest import filled, unit_vectors
from tests.myscale_dress import MyScaleDress
from tests.older_dress import OlderDress

DISTANCE = "distance(vector, [1.0])"


class Dressed:
    """A server in a dress, and an empty database of it."""

    def __init__(self, engine: str, dress: Dress) -> None:
        self.dress = dress
        self.server = ClickHouseServer(Path(unquote(urlsplit(engine).path)), dress=dress)
        self._urls = served(self.server)
        self.url = next(self._urls)()
        self.database = open_database(self.url)

    def close(self) -> None:
        self.database.close()
        self._urls.close()  # type: ignore[attr-defined]


@pytest.fixture
def myscale(engine: str) -> Iterator[Dressed]:
    dressed = Dressed(engine, MyScaleDress())
    yield dressed
    dressed.close()


@pytest.fixture
def self_hosted(engine: str) -> Iterator[Dressed]:
    dressed = Dressed(engine, MyScaleDress(mstg=False))
    yield dressed
    dressed.close()


@pytest.fixture
def old(engine: str) -> Iterator[Dressed]:
    dressed = Dressed(engine, OlderDress("24.3.1.1"))
    yield dressed
    dressed.close()


def test_the_kind_of_engine_is_asked_once_and_told(myscale: Dressed, old: Dressed) -> None:
    assert myscale.database.connection.engine == "MyScale 23.3.2.1"
    assert old.database.connection.engine.startswith("ClickHouse 24.3.1.1 (exact search")
    asked = [sql for sql in myscale.server.statements if "name = 'vector_indices'" in sql]
    assert len(asked) == 1


def test_the_build_is_watched_until_it_is_done(myscale: Dressed) -> None:
    _, table, _ = filled(myscale.database, 100)
    seen: list[IndexState] = []
    table.build_index(seen.append, poll=0)
    assert [state.state for state in seen] == ["building"] * len(seen)
    progress = [state.progress for state in seen]
    assert progress == sorted(progress, key=float)  # type: ignore[arg-type]
    assert progress[-1] is not None
    assert 0 < progress[-1] < 1
    assert table.index_state() == IndexState("built", "MSTG", 1)


def test_scann_takes_the_place_of_mstg_and_that_is_said(
    self_hosted: Dressed, caplog: pytest.LogCaptureFixture
) -> None:
    _, table, vectors = filled(self_hosted.database, 100)
    with caplog.at_level(logging.WARNING):
        table.build_index(poll=0)
    assert "This server has no MSTG: unsplash_25k gets SCANN" in caplog.text
    assert table.index_state().detail == "SCANN"
    assert table.search(vectors[7], 1)[0].photo.id == "photo-00007"


def test_a_build_that_failed_is_told_with_its_reason_and_made_anew_by_the_next_load(
    myscale: Dressed,
) -> None:
    assert isinstance(myscale.dress, MyScaleDress)
    _, table, _ = filled(myscale.database, 100)
    myscale.dress.fail = "Memory limit of the build exceeded"
    with pytest.raises(ExplorerError, match=r"could not be built: Memory limit of the build exc"):
        table.build_index(poll=0)
    assert table.index_state().state == "failed"
    myscale.dress.fail = ""
    table.build_index(poll=0)
    assert table.index_state().state == "built"


def test_an_index_that_another_load_has_just_started_is_waited_for(
    myscale: Dressed, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, table, _ = filled(myscale.database, 100)
    asked = PhotoTable.index_state

    def none_at_first(self: PhotoTable) -> IndexState:
        monkeypatch.setattr(PhotoTable, "index_state", asked)
        other = myscale.database.collections.photos(myscale.database.collections.all()[0])
        for statement in myscale.database.connection.dialect.build_index(other.name):
            myscale.database.connection.command(statement)
        return IndexState("none")

    monkeypatch.setattr(PhotoTable, "index_state", none_at_first)
    table.build_index(poll=0)
    assert table.index_state().state == "built"


@pytest.mark.parametrize("brute_force", [0, 1])
def test_rows_without_an_index_are_found_all_the_same(myscale: Dressed, brute_force: int) -> None:
    """Also on a server that reads none without its index, whatever it is asked for."""
    client = myscale.database.connection.client
    assert client.get_client_setting("enable_brute_force_vector_search") == "1"
    client.set_client_setting("enable_brute_force_vector_search", brute_force)
    _, table, vectors = filled(myscale.database, 100)
    before = [n.photo.id for n in table.search(vectors[3], 9, ["photo-00003"])]
    assert len(before) == 9
    table.build_index(poll=0)
    assert [n.photo.id for n in table.search(vectors[3], 9, ["photo-00003"])] == before


def test_the_accuracy_of_the_settings_is_searched_with(engine: str) -> None:
    dressed = Dressed(engine, MyScaleDress())
    database = open_database(f"{dressed.url}?alpha=4")
    _, table, vectors = filled(database, 100)
    table.build_index(poll=0)
    assert len(table.search(vectors[0], 5)) == 5
    assert any("distance('alpha=4')(vector, [" in sql for sql in dressed.server.statements)
    database.close()
    dressed.close()


def test_an_old_clickhouse_is_searched_exactly(old: Dressed) -> None:
    _, table, vectors = filled(old.database, 300)
    table.build_index()
    assert table.index_state().state == "none"
    query = unit_vectors(1, seed=9)[0]
    hidden = [f"photo-{place:05d}" for place in (-(vectors @ query)).argsort()[:20]]
    wanted = [f"photo-{place:05d}" for place in (-(vectors @ query)).argsort()[20:29]]
    assert [n.photo.id for n in table.search(query, 9, hidden)] == wanted


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        (f"SELECT id, {DISTANCE} AS dist FROM unsplash_25k ORDER BY dist DESC LIMIT 9", "Code: 62"),
        (
            "SELECT id, distance('alpha=9')(vector, [1.0]) AS dist FROM unsplash_25k",
            "needs to be 1~4",
        ),
        ("SELECT 1 SETTINGS hnsw_candidate_list_size_for_search = 9", "Unknown setting"),
        (
            "ALTER TABLE unsplash_25k ADD INDEX v vector TYPE vector_similarity('hnsw')",
            "Unknown Index type",
        ),
        (
            "ALTER TABLE unsplash_25k ADD VECTOR INDEX b vector TYPE MSTG('metric_type=Cosine')",
            "already has a vector index",
        ),
        (
            "SELECT id, distance(vector, [1]) AS dist FROM unsplash_25k ORDER BY dist LIMIT 9",
            "no decimal point",
        ),
    ],
)
def test_the_dress_refuses_what_myscale_refuses(
    myscale: Dressed, statement: str, refusal: str
) -> None:
    _, table, _ = filled(myscale.database, 10)
    table.build_index(poll=0)
    with pytest.raises(ExplorerError, match=refusal):
        myscale.database.connection.command(statement)
