"""A collection behind a small real model, and the services that the pages work with."""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner

from classifier.clip import Clip, load_clip
from classifier.session import Session
from db.classifiers import SavedClassifier
from db.collections import Collection
from db.database import Database
from db.photo import Photo
from db.photos import PhotoTable
from db.sessions import DOWN, UP
from db.settings import Settings
from db.thumbnails import Thumbnails
from ingest.job import Loader
from ingest.models import load_model
from ingest.sources import read_url
from pages.services import Services
from tests.checkpoints import make_checkpoint
from tests.conftest import unit_vectors


@pytest.fixture(autouse=True)
def _main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put `__main__` back: AppTest leaves its script there, and new processes import it."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture(scope="session", autouse=True)
def _installed_components() -> Iterator[None]:
    """Each AppTest looks through all installed packages, which takes a third of a second."""
    with pytest.MonkeyPatch.context() as patch:
        scan = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return load_clip(str(make_checkpoint(tmp_path_factory.mktemp("models") / "small")))


@pytest.fixture
def services(database: Database, data: Path, clip: Clip) -> Iterator[Services]:
    thumbnails = Thumbnails(data / "thumbnails", read_url)
    settings = Settings(database.connection.url, data, clip.model_id)
    yield Services(settings, database, thumbnails, Loader(database, thumbnails), load_model)
    thumbnails.close()


@pytest.fixture
def collection(services: Services, clip: Clip) -> Collection:
    return add_collection(services, clip, "drawings", 40)


def add_collection(services: Services, clip: Clip, name: str, n: int) -> Collection:
    collection = Collection(name, clip.model_id, clip.fingerprint, "a test")
    table: PhotoTable = services.database.collections.open(collection)
    photos = [
        Photo(
            id=f"{name}-{number:03d}",
            url=f"sample:scene-{number:06d}",
            photographer="Ana *Bold*" if number % 2 else "",
            photographer_url="https://unsplash.com/@ana" if number % 2 else "",
            country=("Peru", "Norway")[number % 2],
            keywords=("lake",) if number % 4 == 0 else (),
        )
        for number in range(n)
    ]
    table.add(photos, unit_vectors(n, seed=3))
    return collection


@pytest.fixture
def session(services: Services, collection: Collection, clip: Clip) -> Session:
    """An open session with four thumbs up and five down."""
    started = Session.start(services.database, collection, clip, "a [lake](x)")
    services.sessions.put(started)
    for place, photo in enumerate(started.current.photos):
        started.label(photo.id, UP if place < 4 else DOWN)
    return started


@pytest.fixture
def saved(services: Services, session: Session) -> SavedClassifier:
    """What that session made."""
    services.database.classifiers.save(session.to_save("Lakes"))
    return services.database.classifiers.all()[0]
