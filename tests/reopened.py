"""A database opened by a new process, as after a restart."""

import subprocess
import sys
from pathlib import Path

from db.settings import ROOT

_OPEN = """
import sys
from db.database import open_database
from db.errors import ExplorerError
from tests.conftest import STRATA, filled
try:
    database = open_database(sys.argv[1])
    if "fill" in sys.argv:
        filled(database, 300, "mine")[1].build_index()
    print([(c.name, database.collections.photos(c).count()) for c in database.collections.all()])
    for line in database.damage():
        print(line)
    if "define" in sys.argv:
        filled(database, 3, "another")
    if "thumb" in sys.argv:
        database.checks.draw("a classifier", 1, 0.5, ["photo"], STRATA)
    if "drop" in sys.argv:
        database.drop(database.collections.all()[0])
except ExplorerError as error:
    print(error)
"""


def reopened(path: Path, *what: str) -> list[str]:
    """The lines that a new process says of the embedded database in a folder.

    Args:
        path: the folder.
        what: what it does: `fill`, and then list collections and damage, `define`,
            `thumb` or `drop`.
    """
    run = subprocess.run(
        [sys.executable, "-c", _OPEN, f"chdb://{path}", *what],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Traceback" not in run.stderr, run.stderr
    return run.stdout.splitlines()
