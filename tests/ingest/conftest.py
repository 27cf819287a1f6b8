"""A small CLIP, a folder of photos, and a cache, for everything that loads photos."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.thumbnails import Thumbnails
from ingest.sources import read_url
from tests.checkpoints import make_checkpoint
from tests.ingest.photos import write_photos


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a CLIP with random weights."""
    return str(make_checkpoint(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture(scope="session")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of another one."""
    return str(make_checkpoint(tmp_path_factory.mktemp("models") / "other", seed=1))


@pytest.fixture
def thumbnails(tmp_path: Path) -> Iterator[Thumbnails]:
    """An empty cache."""
    cache = Thumbnails(tmp_path / "thumbnails", read_url)
    yield cache
    cache.close()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of ten photos."""
    return write_photos(tmp_path / "photos", 10)
