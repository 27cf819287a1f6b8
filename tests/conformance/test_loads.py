"""A load on every engine: once, twice, two at once, and after the engine was closed."""

from concurrent.futures import ThreadPoolExecutor

from db.database import Database, open_database
from db.photos import PhotoTable
from ingest.pipeline import Order, load
from ingest.report import Report
from ingest.sample import CHECKPOINT
from ingest.shard import Shard
from ingest.sources import SampleSource
from tests.conformance.conftest import built

N = 40


def run(database: Database, shard: Shard | None = None) -> Report:
    order = Order(SampleSource(), "mine", str(CHECKPOINT), "", N, shard=shard)
    return load(order, database, None, lambda _: None, lambda _: None)


def table_of(database: Database) -> PhotoTable:
    collection = database.collections.find("mine")
    assert collection is not None
    return database.collections.photos(collection)


def test_a_second_load_adds_nothing(database: Database) -> None:
    assert run(database).added == N
    again = run(database)
    assert (again.added, again.present) == (0, N)
    table = table_of(database)
    assert table.count() == len(table.ids()) == N
    assert table.index_state().state == built(database)


def test_two_loads_and_two_parts_at_once_leave_each_photo_once(database: Database) -> None:
    shards = (None, None, Shard(1, 2), Shard(2, 2))
    others = [database.again() for _ in shards]
    with ThreadPoolExecutor(len(shards)) as pool:
        reports = list(pool.map(run, others, shards))
    for other in others:
        other.close()
    assert sum(report.added for report in reports) >= N
    run(database)
    table = table_of(database)
    assert table.count() == len(table.ids()) == N
    assert table.index_state().state == built(database)


def test_what_is_stored_outlasts_the_connection(database: Database, database_url: str) -> None:
    run(database)
    before = table_of(database).get(sorted(table_of(database).ids()))
    database.close()
    reopened = open_database(database_url)
    table = table_of(reopened)
    after = table.get(sorted(table.ids()))
    assert [found.photo for found in after] == [found.photo for found in before]
    assert all((a.vector == b.vector).all() for a, b in zip(after, before, strict=True))
    assert table.index_state().state == built(reopened)
    assert table.search(after[0].vector, 1)[0].photo == after[0].photo
    reopened.close()
