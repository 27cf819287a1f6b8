"""Whatever a person types, or a table brings along, comes back as it went in."""

from dataclasses import replace

import pytest

from classifier.session import Session
from db.database import Database
from db.sessions import DOWN, UP
from tests.conftest import STRATA, TextTower, filled, photo_ids

HOSTILE = [
    'it\'s \\ "q" `b` %s %(x)s {x:String} $1 ?',
    "'; DROP TABLE labels; --",
    "a\nb\tc\rd",
    "\0 a NUL in front",
    "😀 雪の中の犬 שלום",
    "x" * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_prompt_and_a_photos_id_come_back(database: Database, text: str) -> None:
    collection, table, vectors = filled(database, 30)
    known = table.get(photo_ids(1))[0].photo
    hostile = replace(known, id=text, description=text, keywords=(text, ""))
    table.add([hostile], vectors[:1])
    tower = TextTower()
    session = Session.start(database, collection, tower, text, 31)  # type: ignore[arg-type]
    session.label(text, UP)
    session.label("photo-00001", DOWN)
    session.refine(after=0)
    assert session.thumbs.trouble == ""
    reopened = Session.reopen(database, session.row.id)
    assert reopened.row.prompt == text.strip()
    assert reopened.labels == {text: UP, "photo-00001": DOWN}
    assert hostile in reopened.current.photos
    assert [s.row.prompt for s in database.listed.recent(collection.name)] == [text.strip()]


@pytest.mark.parametrize("text", HOSTILE[:-1], ids=range(len(HOSTILE) - 1))
def test_a_classifiers_name_and_a_checks_photo_come_back(database: Database, text: str) -> None:
    collection, _, _ = filled(database, 30)
    tower = TextTower()
    session = Session.start(database, collection, tower, text)  # type: ignore[arg-type]
    database.classifiers.save(session.to_save(text[:70]))
    (saved,) = database.classifiers.all()
    assert saved.name == " ".join(text[:70].replace("\0", "").split()), "a line, all of it shown"
    assert saved.prompt == text.strip()
    checks = database.checks
    checks.draw(saved.id, checks.moment(saved.id), 0.5, [text, "another"], STRATA)
    check = database.checks.latest(saved.id)
    assert check is not None
    database.checks.label(saved.id, check, text, UP)
    found = database.checks.latest(saved.id)
    assert found is not None
    assert found.labels == {text: UP, "another": -1}
