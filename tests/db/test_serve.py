import sys

import pytest

from db.database import open_database
from tests.conftest import filled
from tests.engines import served


@pytest.mark.parametrize(
    ("options", "told"), [((), "ClickHouse 26."), (("--dress", "myscale"), "MyScale 23.3.")]
)
def test_the_test_server_serves_another_process(options: tuple[str, ...], told: str) -> None:
    with served(sys.executable, *options) as url:
        database = open_database(url)
        assert database.connection.engine.startswith(told)
        _, table, vectors = filled(database, 50)
        table.build_index()
        assert table.search(vectors[3], 1)[0].photo.id == "photo-00003"
        database.close()
