"""Databases of servers in a dress, and photo tables to try them on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import numpy.typing as npt
import pytest

from db.database import Database, open_database
from db.photos import PhotoTable
from tests.clickhouse_server import ClickHouseServer, Dress, Run

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


def found_by_their_own(table: PhotoTable, vectors: npt.NDArray[np.float32]) -> list[str]:
    """What a search with each photo's own vector finds."""
    return [table.search(vector, 1)[0].photo.id for vector in vectors]


class Swallowing(Dress):
    """Another dress, under which some statements are answered and do nothing."""

    def __init__(self, dress: Dress, words: str) -> None:
        self._dress, self._words = dress, words
        self.version = dress.version

    def rewrite(self, statement: str, settings: dict[str, str], run: Run) -> str:
        """See Dress."""
        swallowed = "SELECT 1 WHERE 0" if self._words in statement else statement
        return self._dress.rewrite(swallowed, settings, run)
