"""What every page and route works with, opened once a process."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from classifier.exports.job import Exporter
from classifier.map.job import Mapper
from classifier.open_sessions import OpenSessions
from db.answers import started
from db.collections import Collection
from db.database import Database, open_database
from db.errors import EngineError, ExplorerError
from db.faults import shown_url
from db.maps import Maps
from db.private import keep_private
from db.settings import Settings, load_settings
from db.thumbnails import Thumbnails
from ingest.job import Job, Loader
from ingest.models import SAMPLE, load_model, load_text
from ingest.pipeline import Order
from ingest.sources import SampleSource, read_url

if TYPE_CHECKING:
    from classifier.clip import Clip

_LOG = logging.getLogger(__name__)

WITHIN = 2.0  # seconds until it is said that the database is waited for


@dataclass(frozen=True)
class Services:
    """The database, the thumbnails, the loader and the models of one process.

    `first_load` is the job that fills an empty database, if this process had to start one.
    """

    settings: Settings
    database: Database
    thumbnails: Thumbnails
    loader: Loader
    load_model: Callable[[str], "Clip"]
    first_load: Job | None = None

    @cached_property
    def sessions(self) -> OpenSessions:
        """The labelling sessions that are open."""
        return OpenSessions(self.database)

    @cached_property
    def exporter(self) -> Exporter:
        """What puts photos into folders."""
        return Exporter()

    @cached_property
    def mapper(self) -> Mapper:
        """What lays collections out.

        Raises:
            ExplorerError: the folder of its cache can't be written.
        """
        return Mapper(self.database, Maps(self.settings.data / "maps"))

    def load_searcher(self, model_id: str) -> "Clip":
        """The model of a collection, behind the text tower that the settings name.

        The sample's tiny model keeps its own: no other one belongs to it.

        Raises:
            ExplorerError: one of them can't be had, or they don't belong together.
        """
        clip = self.load_model(model_id)
        if not self.settings.clip_text_model or model_id == SAMPLE:
            return clip
        return clip.with_text(load_text(self.settings.clip_text_model, model_id))

    def warm_up(self, collection: Collection) -> None:
        """Get ready behind the page that is on screen, so that the first search is quick."""
        self._behind(f"load {collection.model}", lambda: self.load_searcher(collection.model))
        if collection.name not in self.database.connection.unreached:
            self._behind(f"read {collection.name}", lambda: self._read_index(collection))

    def _read_index(self, collection: Collection) -> None:
        # With a connection of its own: the page is not to wait.
        with closing(self.database.again()) as database:
            database.collections.photos(collection).warm_up()

    def _behind(self, name: str, work: Callable[[], object]) -> None:
        def run() -> None:
            try:
                work()
            except ExplorerError as error:
                # The search that needs it meets the same error, and shows it.
                _LOG.warning("%s", error)

        if all(thread.name != name for thread in threading.enumerate()):
            threading.Thread(target=run, name=name, daemon=True).start()


class NotYetError(EngineError):
    """The database is still being opened: its text says which one is waited for."""

    def __init__(self, settings: Settings) -> None:
        where = shown_url(settings.database_url)
        line = (
            f"{where} is still being opened"
            if where.startswith("chdb:")
            else f"{where} has not answered yet, and is waited for: if it never does, see to the "
            "server and its disk"
        )
        super().__init__(line, passes=True)


class Opener:
    """Opens the services when a page or a route asks first, and keeps them.

    A database that stands still may let itself be waited for as long as it likes, so it is opened
    in a thread of its own: once, however many ask meanwhile.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opening: Future[Services] | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody has to wait."""
        opening = self._opening
        return opening is not None and opening.done() and opening.exception() is None

    def __call__(self) -> Services:
        """The services.

        Raises:
            NotYetError: it takes longer than a person looks at a page that says nothing; the next
                call goes on waiting.
            ExplorerError: the settings can't be used or the database can't be opened; the next
                call tries again.
        """
        with self._lock:
            if self._opening is None:
                settings = load_settings()
                self._opening = started(lambda: open_services(settings))
            opening = self._opening
        wait([opening], WITHIN)
        if not opening.done():
            raise NotYetError(load_settings())
        with self._lock:
            if opening.exception() is not None and self._opening is opening:
                self._opening = None
        return opening.result()


# One for all pages and routes of this process.
opener = Opener()


def open_services(settings: Settings) -> Services:
    """Open the database and the caches.

    A database with nothing else in it, and nothing missing from it, gets the sample collection,
    in the background.

    Raises:
        ExplorerError: the database can't be opened.
    """
    keep_private(settings.data)
    database = open_database(settings.database_url)
    thumbnails = Thumbnails(settings.data / "thumbnails", read_url)
    loader = Loader(database, thumbnails)
    first_load = loader.start(sample_order()) if _wants_sample(database) else None
    return Services(settings, database, thumbnails, loader, load_model, first_load)


def _wants_sample(database: Database) -> bool:
    """Whether the sample is all there is, and is not all there: cut short, not damaged."""
    if database.damage():
        return False
    collections = database.collections.all()
    if [collection.name for collection in collections] != [SAMPLE]:
        return not collections
    return database.collections.photos(collections[0]).index_state().state != "built"


def sample_order() -> Order:
    """The order for the sample collection, with its own model."""
    return Order(SampleSource(), SAMPLE, SAMPLE, SAMPLE)
