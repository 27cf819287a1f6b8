"""Fills a data folder with text that means harm: `python -m tests.browser.hostile FOLDER`.

Everything that is stored and shown somewhere holds TEXT, which a page that took it for Markdown or
HTML would make links, pictures, formulas, icons and a dialog of.
"""

import sys
from dataclasses import replace
from pathlib import Path

from PIL import Image

from classifier.session import Session
from db.collections import Collection
from db.database import Database, open_database
from db.failures import Failure
from db.photo import Photo
from db.photos import Filter
from db.sessions import DOWN, UP
from db.settings import load_settings
from ingest.models import SAMPLE, load_model
from tests.conftest import unit_vectors

HOST = "evil.example"
TEXT = (
    f"![i](https://{HOST}/i.png) [l](https://{HOST}/) https://{HOST}/x www.{HOST} a@{HOST} "
    f"<img src=https://{HOST}/i.png onerror=alert(1)> <b>b</b> **bold** $x^2$ :material/home: "
    f":smile: :red[r] ``` `c` -> \\[b](https://{HOST}/) &lt; \u202eturned\nnext"
)
COLLECTION = "hostile"
_ONLY = Filter((TEXT,), (TEXT,), (TEXT,))


def fill(data: Path) -> str:
    """Put TEXT wherever text can be; returns the id of a session."""
    database = open_database(load_settings({"EXPLORER_DATA": str(data)}).database_url)
    clip = load_model(SAMPLE)
    # No name of a photo may hold a slash.
    file = data / TEXT.replace("/", "|").replace("\n", " ")[:80]
    Image.new("RGB", (60, 60), "teal").save(file, "PNG")
    collection = Collection(COLLECTION, SAMPLE, clip.fingerprint, TEXT)
    table = database.collections.open(collection)
    photos = [_photo(number, file) for number in range(12)]
    table.add(photos, unit_vectors(len(photos)))
    database.failures.add(COLLECTION, [Failure(TEXT, TEXT, TEXT, final=True)])
    # Another one, whose model's name is what is shown of it.
    database.collections.open(Collection("hostile_model", TEXT, "0", TEXT))
    session = _session(database, collection)
    database.close()
    return session


def _photo(number: int, file: Path) -> Photo:
    return Photo(
        id=f"{number} {TEXT}",
        url=file.as_uri(),
        page=f"javascript:alert({number})//{TEXT}",
        photographer=TEXT,
        photographer_url="https://unsplash.com/x) " + TEXT if number % 2 else "javascript:alert(1)",
        description=TEXT if number % 3 else "",
        country=TEXT,
        keywords=(TEXT, "lake"),
    )


def _session(database: Database, collection: Collection) -> str:
    """A session of two rounds, and two classifiers of it, one of them published."""
    session = Session.start(database, collection, load_model(SAMPLE), "a lake", only=_ONLY)
    database.sessions.update(session.row.id, prompt=TEXT, name=TEXT)
    for place, photo in enumerate(session.current.photos):
        session.label(photo.id, UP if place % 2 else DOWN)
    session.like(session.current.photos[0].id)
    for name in ("one", "two"):
        saved = replace(session.to_save(name), prompt=TEXT)
        database.classifiers.save(saved)
        database.classifiers.use(replace(saved, name=TEXT + name))
    database.views.publish(database.classifiers.all()[0], 0.1)
    return session.row.id


if __name__ == "__main__":
    print(fill(Path(sys.argv[1])))  # noqa: T201 -- the session, for whoever called it
