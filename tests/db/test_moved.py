"""The data folder is moved away under a running app: it is told, and nothing goes elsewhere."""

import subprocess
import sys
from pathlib import Path

from db.settings import ROOT

_RUN = """
import os, sys
from pathlib import Path
from db.database import open_database
from db.errors import ExplorerError
from tests.conftest import STRATA, filled

data, away = Path(sys.argv[1]), Path(sys.argv[2])
url = f"chdb://{data}/database"
database = open_database(url)
_, table, _ = filled(database, 30, "mine")
other = database.again()

def tell(*attempts):
    for attempt in attempts:
        try:
            attempt()
            print("done")
        except ExplorerError as error:
            print(error)

os.rename(data, away)
tell(
    lambda: database.checks.draw("c", 1, 0.5, ["a"], STRATA),
    lambda: filled(other, 3, "another"),
    lambda: table.count(),
    lambda: database.again(),
)
print(data.exists())
data.mkdir()
(data / "database").mkdir()
(data / "database" / "status").write_text("of another")
tell(lambda: database.checks.draw("c", 1, 0.5, ["a"], STRATA), lambda: other.checks.latest("c"))
print(sorted(str(file.relative_to(data)) for file in data.rglob("*")))
(data / "database" / "status").unlink()
(data / "database").rmdir()
data.rmdir()
os.rename(away, data)
tell(lambda: database.checks.draw("c", 1, 0.5, ["a"], STRATA))
print(list(database.checks.latest("c").labels), table.count())
"""


def test_nothing_is_stored_in_a_folder_that_took_the_place_of_the_database(tmp_path: Path) -> None:
    data, away = tmp_path / "data", tmp_path / "moved"
    run = subprocess.run(
        [sys.executable, "-c", _RUN, str(data), str(away)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    moved = (
        f"The database is no longer in {data}/database: the folder was moved, replaced or deleted "
        "while it was open, and nothing is stored elsewhere. Put it back, or stop the app and "
        "start it with EXPLORER_DATA set to where it is now"
    )
    assert run.stdout.splitlines() == [
        *[moved] * 4,
        "False",
        *[moved] * 2,
        "['database', 'database/status']",
        "done",
        "['a'] 30",
    ], run.stderr
