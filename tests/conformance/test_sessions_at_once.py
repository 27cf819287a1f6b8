"""Several people label at once through one process, as the app's visitors do."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from classifier.session import Session
from db.database import Database
from db.sessions import DOWN, UP
from tests.conftest import TextTower, filled

PEOPLE = 8
ROUNDS = 2


def test_eight_sessions_at_once_lose_no_thumb(database: Database) -> None:
    collection, table, _ = filled(database, 2000)
    table.build_index()

    def label(number: int) -> tuple[str, dict[str, int]]:
        chance = np.random.default_rng(number)
        tower = TextTower(seed=number)
        session = Session.start(database, collection, tower, f"prompt {number}")  # type: ignore[arg-type]
        for _ in range(ROUNDS):
            for photo in session.current.photos:
                session.label(photo.id, int(chance.choice((UP, DOWN))))
            session.undo()
            session.refine()
        assert not session.thumbs.unstored, session.thumbs.trouble
        return session.row.id, session.labels

    with ThreadPoolExecutor(PEOPLE) as pool:
        given = dict(pool.map(label, range(PEOPLE)))
    assert len(given) == PEOPLE
    for session, labels in given.items():
        reopened = Session.reopen(database, session)
        assert reopened.labels == labels
        assert len(labels) == ROUNDS * (reopened.row.page_size - 1)
        assert len(reopened.rounds) == ROUNDS + 1
