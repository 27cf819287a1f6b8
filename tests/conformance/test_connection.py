"""What a connection promises, on every engine."""

from threading import Thread

from db.database import Database
from tests.conftest import filled, unit_vectors

HOSTILE = 'it\'s \\ "q" `b` %s %(x)s {a:String} \n\t\0; DROP TABLE labels -- 😀'


def test_bound_values_come_back_as_they_went_in(database: Database) -> None:
    rows = database.connection.rows(
        "SELECT %(text)s AS text, %(list)s AS list", {"text": HOSTILE, "list": [HOSTILE, ""]}
    )
    assert rows == [{"text": HOSTILE, "list": [HOSTILE, ""]}]


def test_ten_thousands_of_bound_ids_fit_into_a_statement(database: Database) -> None:
    ids = tuple(f"an-id-of-some-length-{n}" for n in range(50_000))
    count = database.connection.command(
        "SELECT count() FROM numbers(3) WHERE toString(number) NOT IN %(ids)s", {"ids": ids}
    )
    assert int(count) == 3


def test_threads_share_a_connection(database: Database) -> None:
    _, table, _ = filled(database, 50)
    found: list[int] = []

    def search() -> None:
        found.extend(len(table.search(query, 9)) for query in unit_vectors(5, seed=1))

    threads = [Thread(target=search) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [9] * 30
