"""A table's merges: an index that is never in the way of one, and one that takes its time."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

from db.database import Database, open_database
from db.errors import EngineError, ExplorerError
from db.photos import PhotoTable
from db.rows import Rows
from db.vector_index import IndexState, VectorIndex
from tests.clickhouse_server import ClickHouseServer, Dress, RefusedError, Run
from tests.conftest import filled, photo_ids, unit_vectors
from tests.hasty_dress import HastyDress
from tests.myscale_dress import MyScaleDress

Opened = tuple[Database, ClickHouseServer]
Open = Callable[..., Opened]

_numbers = count()


@pytest.fixture
def opened(engine: str) -> Iterator[Open]:
    """Opens an empty database of a server in a dress, whose waits take no time."""
    with ExitStack() as stack:

        def open_one(dress: Dress, options: str = "") -> Opened:
            path = Path(unquote(urlsplit(engine).path))
            server = stack.enter_context(ClickHouseServer(path, dress=dress))
            name = f"merged_{next(_numbers)}"
            server.run(f"CREATE DATABASE {name}")
            patient = stack.enter_context(closing(open_database(f"{server.url}/{name}{options}")))
            return Database(replace(patient.connection, sleep=lambda _: None)), server

        yield open_one


def with_doubles(database: Database) -> tuple[PhotoTable, np.ndarray]:  # type: ignore[type-arg]
    """A table with an index, and then some of its photos twice."""
    _, table, vectors = filled(database, 100)
    table.build_index(poll=0)
    twice = [found.photo for found in table.get(photo_ids(100)[20:30])]
    table.add(twice, vectors[20:30])
    return table, vectors


def found_by_their_own(table: PhotoTable, vectors: np.ndarray) -> list[str]:  # type: ignore[type-arg]
    return [table.search(vector, 1)[0].photo.id for vector in vectors]


def test_an_index_that_another_load_took_away_meanwhile_is_away(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, _ = opened(MyScaleDress(polls=0))
    _, table, _ = filled(database, 20)
    table.build_index(poll=0)
    real = VectorIndex.state
    seen = [IndexState("built")]
    monkeypatch.setattr(VectorIndex, "state", lambda index: seen.pop() if seen else real(index))
    database.connection.command(f"ALTER TABLE {table.name} DROP VECTOR INDEX vindex")
    table.drop_index()
    assert table.index_state().state == "none"


class Meddling(Dress):
    """A server where another load starts the index as often as this one takes it away."""

    def __init__(self, times: int) -> None:
        self.times = times

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """See Dress."""
        if " DROP INDEX " in statement and self.times:
            self.times -= 1
            run("SYSTEM STOP MERGES unsplash_25k")
            run("ALTER TABLE unsplash_25k MATERIALIZE INDEX vindex SETTINGS mutations_sync = 0")
        elif " DROP INDEX " in statement:
            run("SYSTEM START MERGES unsplash_25k")
        return statement


def test_an_index_that_another_load_starts_meanwhile_is_taken_away(opened: Open) -> None:
    dress = Meddling(times=0)
    database, _ = opened(dress)
    _, table, _ = filled(database, 20)
    table.build_index(poll=0)
    dress.times = 2
    table.drop_index()
    assert dress.times == 0
    assert table.index_state().state == "none"


def test_an_index_that_is_started_each_time_is_told(opened: Open) -> None:
    dress = Meddling(times=0)
    database, _ = opened(dress)
    _, table, _ = filled(database, 20)
    table.build_index(poll=0)
    dress.times = 3
    with pytest.raises(EngineError, match="Cannot drop index vindex"):
        table.drop_index()


def test_who_takes_an_index_away_does_not_stop_another_load_deleting(opened: Open) -> None:
    database, _ = opened(Meddling(times=0))
    _, table, _ = filled(database, 20)
    table.build_index(poll=0)
    first = photo_ids(20)[0]
    connection = database.connection
    connection.command(f"SYSTEM STOP MERGES {table.name}")
    connection.command(
        f"ALTER TABLE {table.name} DELETE WHERE id = '{first}' SETTINGS mutations_sync = 0"
    )
    table.drop_index()
    assert table.ids() == set(photo_ids(20)[1:])


# ---- the trap


def test_an_index_is_taken_away_before_doubles_are_and_built_anew(opened: Open) -> None:
    database, server = opened(MyScaleDress())
    table, vectors = with_doubles(database)
    table.drop_doubles()
    table.build_index(poll=0)
    assert table.index_state().state == "built"
    assert found_by_their_own(table, vectors[::9]) == photo_ids(100)[::9]
    sent = [sql for sql in server.statements if " VECTOR INDEX " in sql or "OPTIMIZE" in sql]
    assert [sql.split("`")[-1].split(" vindex")[0].split(" SETTINGS")[0] for sql in sent] == [
        " FINAL",
        " ADD VECTOR INDEX",
        " DROP VECTOR INDEX",
        " FINAL DEDUPLICATE BY id",
        " FINAL",
        " ADD VECTOR INDEX",
    ]


def test_an_indexed_table_is_not_merged_for_nothing(opened: Open) -> None:
    database, server = opened(MyScaleDress())
    _, table, _ = filled(database, 100)
    table.build_index(poll=0)
    before = len(server.statements)
    table.drop_doubles()
    table.build_index(poll=0)
    assert not [sql for sql in server.statements[before:] if "OPTIMIZE" in sql or "ALTER" in sql]


def test_the_dress_has_the_trap_and_a_load_heals_what_fell_into_it(
    opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    database, _ = opened(MyScaleDress())
    table, vectors = with_doubles(database)
    database.connection.command(f"OPTIMIZE TABLE {table.name} FINAL DEDUPLICATE BY id")
    assert found_by_their_own(table, vectors[:20:5]) == photo_ids(100)[:20:5]
    found = found_by_their_own(table, vectors[30::9])
    assert not set(enumerate(found)) & set(enumerate(photo_ids(100)[30::9]))
    assert table.index_state().state == "built"
    with caplog.at_level(logging.WARNING, "db.vector_index"):
        table.build_index(poll=0)
    assert [record.getMessage() for record in caplog.records] == [
        "The vector index of unsplash_25k found the wrong photos and was taken away: searches are "
        "exact until a load has built it anew"
    ]
    assert found_by_their_own(table, vectors[::9]) == photo_ids(100)[::9]


def test_rows_that_change_on_an_indexed_table_leave_it_right(opened: Open) -> None:
    database, _ = opened(MyScaleDress())
    collection, table, vectors = filled(database, 100)
    table.build_index(poll=0)
    rows = Rows(database.connection, table)
    changed = [replace(found.photo, url="sample:x") for found in table.get(photo_ids(100)[:5])]
    rows.restate(changed)
    rows.replace(changed, unit_vectors(5, seed=77))
    database.remove(collection, photo_ids(100)[50:60])
    left = [5, 6, 49, 60, 61, 98, 99]
    assert found_by_their_own(table, vectors[left]) == [photo_ids(100)[place] for place in left]
    assert found_by_their_own(table, unit_vectors(5, seed=77)) == photo_ids(100)[:5]
    table.drop_doubles()
    table.build_index(poll=0)
    assert found_by_their_own(table, vectors[left]) == [photo_ids(100)[place] for place in left]


def test_a_table_that_an_earlier_version_spoilt_is_found_out_when_it_is_opened(
    opened: Open,
) -> None:
    database, _ = opened(MyScaleDress())
    table, vectors = with_doubles(database)
    database.connection.command(f"OPTIMIZE TABLE {table.name} FINAL DEDUPLICATE BY id")
    open_database(database.connection.url).close()
    assert table.index_state().state == "none"
    assert found_by_their_own(table, vectors[::9]) == photo_ids(100)[::9]


def test_a_removal_takes_an_index_away_that_finds_others(opened: Open) -> None:
    database, _ = opened(MyScaleDress())
    table, vectors = with_doubles(database)
    collection = database.collections.all()[0]
    database.connection.command(f"OPTIMIZE TABLE {table.name} FINAL DEDUPLICATE BY id")
    database.remove(collection, photo_ids(100)[:1])
    assert table.index_state().state == "none"
    assert found_by_their_own(table, vectors[1::9]) == photo_ids(100)[1::9]


def test_a_search_before_the_index_is_there_is_by_cosine(opened: Open) -> None:
    database, _ = opened(MyScaleDress())
    _, table, vectors = filled(database, 50)
    near = table.search(vectors[3] * 7, 3)
    assert near[0].distance == pytest.approx(0, abs=1e-5)
    expected = 1 - np.sort(vectors @ vectors[3])[::-1][:3]
    assert [found.distance for found in near] == pytest.approx(list(expected), abs=1e-5)
    raw = database.connection.rows(
        f"SELECT distance(vector, [{','.join(f'{x:.6f}' for x in vectors[4])}]) AS d "
        f"FROM {table.name} ORDER BY d LIMIT 2"
    )
    assert raw[1]["d"] == pytest.approx(float(np.sqrt(2 - 2 * np.sort(vectors @ vectors[4])[-2])))


# ---- what takes its time


@pytest.mark.parametrize("answer", ["cut", "159"])
@pytest.mark.parametrize("engine_dress", [Dress, MyScaleDress])
def test_a_load_gets_to_its_index_though_the_merge_is_cut_off(
    opened: Open, engine_dress: Callable[[], Dress], answer: str
) -> None:
    dress = HastyDress(engine_dress(), "OPTIMIZE", answer)
    database, server = opened(dress)
    _, table, vectors = filled(database, 60)
    twice = [found.photo for found in table.get(photo_ids(60)[:10])]
    table.add(twice, vectors[:10])
    reported: list[IndexState] = []
    table.drop_doubles()
    dress.times = 1
    table.build_index(reported.append, poll=0)
    assert IndexState("building") in reported
    assert table.index_state().state == "built"
    assert table.count() == 60
    assert found_by_their_own(table, vectors[:20]) == photo_ids(60)[:20]
    merges = [sql for sql in server.statements if sql.startswith("OPTIMIZE")]
    assert [sql.partition("SETTINGS ")[2] for sql in merges] == [
        "optimize_skip_merged_partitions = 0",
        "optimize_skip_merged_partitions = 1",
    ]


def test_a_merge_that_was_done_is_not_done_again(opened: Open) -> None:
    database, server = opened(Dress())
    _, table, _ = filled(database, 60)
    table.build_index(poll=0)
    table.drop_index()

    def part() -> str:
        sql = f"SELECT name FROM system.parts WHERE active AND table = '{table.name}'"
        return server.run(f"{sql} AND database = '{server_database(database)}'")

    before = part()
    database.connection.command(database.connection.dialect.merge(table.name))
    assert part() == before


def server_database(database: Database) -> str:
    return str(database.connection.command("SELECT currentDatabase()"))


def test_a_deletion_that_is_cut_off_is_waited_for(opened: Open) -> None:
    dress = HastyDress(Dress(), "ALTER TABLE `unsplash_25k` DELETE")
    database, _ = opened(dress)
    collection, table, _ = filled(database, 30)
    database.remove(collection, photo_ids(30)[:3])
    assert dress.times == 0
    assert table.ids() == set(photo_ids(30)[3:])


def test_a_limit_of_the_cluster_is_not_called_one_of_the_statement(opened: Open) -> None:
    database, server = opened(HastyDress(Dress(), "OPTIMIZE", "159"))
    filled(database, 3)
    with pytest.raises(EngineError) as caught:
        database.connection.command("OPTIMIZE TABLE unsplash_25k FINAL")
    where = database.connection.url
    assert caught.value.unfinished
    assert str(caught.value).startswith(
        f"Some nodes of the cluster behind {where} are not done yet, and go on by themselves (Code:"
    )
    assert str(caught.value).endswith(
        ": try again later, or raise distributed_ddl_task_timeout there"
    )
    assert server.statements


class Swallowing(Dress):
    """Another dress, under which some statements are answered and do nothing."""

    def __init__(self, dress: Dress, words: str) -> None:
        self._dress, self._words = dress, words
        self.version = dress.version

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """See Dress."""
        swallowed = "SELECT 1 WHERE 0" if self._words in statement else statement
        return self._dress.rewrite(swallowed, settings, run)


def test_doubles_that_stay_are_told(opened: Open, caplog: pytest.LogCaptureFixture) -> None:
    database, server = opened(Swallowing(Dress(), " DEDUPLICATE "))
    _, table, vectors = filled(database, 10)
    table.add([found.photo for found in table.get(photo_ids(10)[:2])], vectors[:2])
    with caplog.at_level(logging.WARNING, "db.doubles"):
        table.drop_doubles()
    assert [record.getMessage() for record in caplog.records] == [
        "2 rows of unsplash_25k are there twice: load it again once no other load is at work"
    ]
    assert len([sql for sql in server.statements if " DEDUPLICATE " in sql]) == 3


def test_an_index_that_somebody_takes_away_is_not_started_for_ever(opened: Open) -> None:
    database, _ = opened(Swallowing(MyScaleDress(), " ADD VECTOR INDEX "))
    _, table, _ = filled(database, 10)
    with pytest.raises(ExplorerError) as caught:
        table.build_index(poll=0)
    assert str(caught.value) == (
        "The vector index of unsplash_25k was taken away each time that it was started: load the "
        "collection again once no other load of it is at work"
    )


# ---- who has no index


class Refusing(Dress):
    """A server that refuses the index, as one without USearch or of an older `compatibility`."""

    def __init__(self, code: int, text: str) -> None:
        self._error = RefusedError(code, "REFUSED", text)

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """See Dress."""
        if " ADD INDEX " in statement:
            raise self._error
        return statement


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (80, "Unknown Index type 'vector_similarity'. Available index types: minmax, set"),
        (344, "Vector similarity index is disabled. Turn on enable_vector_similarity_index"),
    ],
)
def test_a_server_that_refuses_the_index_is_searched_exactly_and_it_is_said_once(
    opened: Open, caplog: pytest.LogCaptureFixture, code: int, text: str
) -> None:
    database, _ = opened(Refusing(code, text))
    _, table, vectors = filled(database, 40)
    with caplog.at_level(logging.WARNING, "db.vector_index"):
        table.drop_doubles()
        table.build_index(poll=0)
        table.build_index(poll=0)
    (record,) = caplog.records
    assert record.getMessage() == (
        "This server builds no vector index, so unsplash_25k is searched exactly "
        f"(Code: {code}. DB::Exception: {text}. (REFUSED))"
    )
    assert table.index_state().state == "none"
    assert found_by_their_own(table, vectors) == photo_ids(40)


def test_another_refusal_is_an_error(opened: Open) -> None:
    database, _ = opened(Refusing(241, "Memory limit (total) exceeded"))
    _, table, _ = filled(database, 10)
    with pytest.raises(ExplorerError, match=r"Memory limit \(total\) exceeded"):
        table.build_index(poll=0)


# ---- who may not see it


def test_myscale_is_known_where_its_tables_are_hidden_and_the_grants_are_named(
    opened: Open,
) -> None:
    dress = MyScaleDress()
    dress.granted = False
    with pytest.raises(ExplorerError) as caught:
        opened(dress)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith("The user default can't see at http://127.0.0.1:")
    assert line.endswith(
        "how far MyScale's vector indexes are: have its administrator run "
        "GRANT SELECT ON system.vector_indices TO `default`; "
        "GRANT SELECT ON system.vector_index_segments TO `default`"
    )
