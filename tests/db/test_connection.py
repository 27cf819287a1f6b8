import subprocess
import sys
from pathlib import Path

import pytest

from db.errors import ExplorerError
from db.names import checked_name


@pytest.mark.parametrize("name", ["", "1st", "a-b", "a b", "a`; DROP", "é", "x" * 65, "a.b"])
def test_a_name_that_needs_quoting_is_refused(name: str) -> None:
    with pytest.raises(ExplorerError, match="can't name a collection"):
        checked_name(name)


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
