"""A table's merges: an index that is never in the way of one, and one that takes its time."""

import logging
import re
from collections.abc import Callable

import pytest

from db.database import Database
from db.errors import EngineError, ExplorerError
from db.vector_index import IndexState, VectorIndex
from tests.clickhouse_server import Dress, RefusedError, Run
from tests.conftest import filled, photo_ids
from tests.db.conftest import Open, Swallowing, found_by_their_own
from tests.hasty_dress import HastyDress
from tests.myscale_dress import MyScaleDress


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


class Overtaking(MyScaleDress):
    """A server where another load starts the index first, and takes it away at once."""

    def __init__(self, times: int) -> None:
        super().__init__(polls=0)
        self.times = times

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """See Dress."""
        if " ADD VECTOR INDEX " in statement and self.times:
            self.times -= 1
            raise RefusedError(36, "BAD_ARGUMENTS", "Cannot add vector index vindex: it is there")
        return super().rewrite(statement, settings, run)


def test_an_index_that_another_load_started_and_took_away_is_started(opened: Open) -> None:
    database, _ = opened(Overtaking(2))
    _, table, _ = filled(database, 20)
    table.build_index(poll=0)
    assert table.index_state().state == "built"


def test_an_index_that_is_always_refused_is_told_in_the_servers_words(opened: Open) -> None:
    database, _ = opened(Overtaking(3))
    _, table, _ = filled(database, 20)
    with pytest.raises(EngineError, match="vindex: it is there"):
        table.build_index(poll=0)


# ---- what takes its time


@pytest.mark.parametrize("answer", ["cut", "159", "341"])
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


class Merging(Dress):
    """A server that always merges something, since another load inserts."""

    asked = 0

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """See Dress."""
        if "system.merges" not in statement or "is_mutation" in statement:
            return statement
        self.asked += 1
        assert self.asked < 20, "it is waited for in vain"
        merges = r"(?<=FROM )system\.merges WHERE .*? AND table = '[^']*'"
        return re.sub(merges, "system.one", statement)


def test_what_is_cut_off_beside_another_load_is_waited_for_until_it_is_done(opened: Open) -> None:
    database, server = opened(Merging())
    collection, table, vectors = filled(database, 30)
    server.lose_answer_to = "ALTER TABLE `unsplash_25k` DELETE"
    database.remove(collection, photo_ids(30)[:3])
    assert table.ids() == set(photo_ids(30)[3:])
    table.add([found.photo for found in table.get(photo_ids(30)[5:7])], vectors[5:7])
    server.lose_answer_to = "OPTIMIZE"
    table.drop_doubles()
    assert server.lose_answer_to == ""
    assert table.count() == 27


@pytest.mark.parametrize("answer", ["cut", "159-down", "341"])
def test_a_deletion_that_is_cut_off_is_waited_for(opened: Open, answer: str) -> None:
    dress = HastyDress(Dress(), "ALTER TABLE `unsplash_25k` DELETE", answer)
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
