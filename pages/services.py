"""What every page works with, opened once a process."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from db.database import Database, open_database
from db.settings import Settings
from db.thumbnails import Thumbnails
from ingest.job import Loader
from ingest.models import SAMPLE, load_model
from ingest.pipeline import Order
from ingest.sources import SampleSource, read_url

if TYPE_CHECKING:
    from classifier.clip import Clip


@dataclass(frozen=True)
class Services:
    """The database, the thumbnails, the loader and the models of one process."""

    settings: Settings
    database: Database
    thumbnails: Thumbnails
    loader: Loader
    load_model: Callable[[str], "Clip"]


def open_services(settings: Settings) -> Services:
    """Open the database and the caches.

    A database with nothing else in it gets the sample collection, in the background.

    Raises:
        ExplorerError: the database can't be opened.
    """
    database = open_database(settings.database_url)
    thumbnails = Thumbnails(settings.data / "thumbnails", read_url)
    loader = Loader(database, thumbnails)
    if _wants_sample(database):
        loader.start(sample_order())
    return Services(settings, database, thumbnails, loader, load_model)


def _wants_sample(database: Database) -> bool:
    """Whether the sample is all there is, and is not all there."""
    collections = database.collections.all()
    if [collection.name for collection in collections] != [SAMPLE]:
        return not collections
    return database.collections.photos(collections[0]).index_state().state != "built"


def sample_order() -> Order:
    """The order for the sample collection, with its own model."""
    return Order(SampleSource(), SAMPLE, SAMPLE, SAMPLE)
