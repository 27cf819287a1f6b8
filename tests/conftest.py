"""What all tests share: one embedded engine a process, and a database of its own a test."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import numpy.typing as npt
import pytest

from db.checks import Strata
from db.collections import Collection
from db.database import Database, open_database
from db.photo import Photo
from db.photos import PhotoTable
from tests.clickhouse_server import ClickHouseServer

_numbers = count()

# The photo hosts of the tests are on this machine.
os.environ["PRIVATE_HOSTS"] = "true"
# Where test processes share the cores, threads that wait for one another take a quarter of them.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--screenshots FOLDER` makes the browser tests keep pictures of the screens."""
    parser.addoption("--screenshots", metavar="FOLDER", help="where to keep pictures of the app")


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The DSN of the process's one engine, kept open until the last test."""
    path = tmp_path_factory.mktemp("engine") / "a database"
    url = f"chdb://{path.as_posix().replace(' ', '%20')}"
    database = open_database(url)
    yield url
    database.close()


@pytest.fixture
def database_url(engine: str) -> str:
    """The DSN of an empty database."""
    return f"{engine}?database=test_{next(_numbers)}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database."""
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def server(engine: str) -> Iterator[ClickHouseServer]:
    """The engine behind ClickHouse's HTTP interface, to be stopped and started."""
    with ClickHouseServer(Path(unquote(urlsplit(engine).path))) as running:
        yield running


@pytest.fixture
def server_url(server: ClickHouseServer) -> str:
    """The DSN of an empty database of that server."""
    name = f"test_{next(_numbers)}"
    server.run(f"CREATE DATABASE {name}")
    return f"{server.url}/{name}"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder."""
    return tmp_path / "data"


def unit_vectors(n: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """float32 (n, 512), unit norm, in clusters as CLIP's vectors are."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(1, n // 50), 512))
    vectors = centres[rng.integers(len(centres), size=n)] + rng.normal(size=(n, 512)) * 0.7
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit.astype(np.float32)


@dataclass(frozen=True)
class TextTower:
    """Stands where CLIP would: every prompt is one fixed vector."""

    seed: int = 11
    model_id: str = "a-model"
    fingerprint: str = "a-fingerprint"
    text_fingerprint: str = "a-fingerprint"

    def encode_text(self, prompts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.repeat(unit_vectors(1, self.seed), len(prompts), axis=0)


def photo_ids(n: int) -> list[str]:
    """The ids of n photos."""
    return [f"photo-{number:05d}" for number in range(n)]


def filled(
    database: Database, n: int, name: str = "unsplash_25k", seed: int = 0
) -> tuple[Collection, PhotoTable, npt.NDArray[np.float32]]:
    """A collection of n photos, without an index, and its vectors."""
    collection = Collection(name, "a-model", "a-fingerprint", "a test")
    table = database.collections.open(collection)
    vectors = unit_vectors(n, seed)
    photos = [
        Photo(
            id=photo,
            url=f"sample:{photo}",
            country=("Norway", "Peru", "")[number % 3],
            photographer=f"Person {number % 4}",
            keywords=("lake", "boat") if number % 5 == 0 else ("tree's",),
        )
        for number, photo in enumerate(photo_ids(n))
    ]
    table.add(photos, vectors)
    return collection, table, vectors


STRATA = Strata(unit_vectors(1)[0], (0.5,), (0, 0))  # of some check sample
