import subprocess
import sys
from pathlib import Path

import pytest

from db.database import open_database
from db.settings import ROOT
from tests.conftest import filled


@pytest.mark.parametrize(
    ("options", "told"), [((), "ClickHouse 26."), (("--dress", "myscale"), "MyScale 23.3.")]
)
def test_the_test_server_serves_another_process(
    tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    command = [sys.executable, "-m", "tests.serve", str(tmp_path / "engine"), *options]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        database = open_database(f"{server.stdout.readline().strip()}/default")
        assert database.connection.engine.startswith(told)
        _, table, vectors = filled(database, 50)
        table.build_index()
        assert table.search(vectors[3], 1)[0].photo.id == "photo-00003"
        database.close()
    finally:
        server.terminate()
        server.communicate()
