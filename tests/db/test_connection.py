import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from db.connection import checked_name, connect
from db.database import Database
from db.errors import ExplorerError
from tests.conftest import filled, unit_vectors

HOSTILE = 'it\'s \\ "q" `b` %s %(x)s {a:String} \n\t; DROP TABLE labels -- 😀'


def test_bound_values_come_back_as_they_went_in(database: Database) -> None:
    rows = database.connection.rows(
        "SELECT %(text)s AS text, %(list)s AS list", {"text": HOSTILE, "list": [HOSTILE, ""]}
    )
    assert rows == [{"text": HOSTILE, "list": [HOSTILE, ""]}]


@pytest.mark.parametrize("name", ["", "1st", "a-b", "a b", "a`; DROP", "é", "x" * 65, "a.b"])
def test_a_name_that_needs_quoting_is_refused(name: str) -> None:
    with pytest.raises(ExplorerError, match="can't name a collection"):
        checked_name(name)


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


HOLD = """
import sys
from db.database import open_database
database = open_database(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""

OPEN = """
import sys
from db.database import open_database
from db.errors import ExplorerError
try:
    open_database(sys.argv[1])
except ExplorerError as error:
    print(error)
"""


def test_a_second_process_is_told_which_file_is_locked_and_by_whom(tmp_path: Path) -> None:
    url = f"chdb://{tmp_path}/database"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        second = subprocess.run(
            [sys.executable, "-c", OPEN, url], capture_output=True, text=True, check=True
        )
    finally:
        holder.communicate("")
    assert second.stdout == (
        f"{tmp_path}/database/status is locked by process {holder.pid}, and the embedded database "
        "serves one process: stop that one, or, if it is the app, load photos from its "
        "Collection page\n"
    )
    assert second.stderr == ""
    again = subprocess.run(
        [sys.executable, "-c", OPEN, url], capture_output=True, text=True, check=True
    )
    assert again.stdout == "", "the lock went with the process that held it"


def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(ExplorerError) as caught:
        connect("http://me:s3cret@127.0.0.1:9/photos?connect_timeout=2&secure=false")
    message = str(caught.value)
    assert message.startswith("Can't use the database at http://127.0.0.1:9/photos: ")
    assert message.endswith("Check DATABASE_URL and that the server is up")
    assert "s3cret" not in message
    assert "\n" not in message
