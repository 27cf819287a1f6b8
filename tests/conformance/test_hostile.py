"""Words of every kind come back as they went in, from every table of the explorer's own."""

from dataclasses import replace

import numpy as np

from db.classifiers import SavedClassifier
from db.database import Database
from db.photos import Filter
from db.sessions import UP, LabelRow, RoundRow, SessionRow
from tests.conformance.test_connection import HOSTILE

LONG = HOSTILE + "a lake 😀 \\' " * 10_000


def test_in_sessions_rounds_and_labels(database: Database) -> None:
    sessions = database.sessions
    only = Filter((HOSTILE, ""), (HOSTILE,), (LONG,))
    row = SessionRow(HOSTILE, HOSTILE, HOSTILE, LONG, 9, only, HOSTILE)
    sessions.add(row)
    stored = sessions.find(HOSTILE)
    assert stored is not None
    assert replace(stored, created=row.created) == row
    weight = np.ones(512, dtype=np.float32)
    sessions.add_round(RoundRow(HOSTILE, 1, weight, (HOSTILE, LONG)))
    (shown,) = sessions.rounds(HOSTILE)
    assert shown.photos == (HOSTILE, LONG)
    label = LabelRow(HOSTILE, 1, 1, 0, LONG, UP, 1)
    sessions.add_labels([label])
    assert sessions.labels(HOSTILE) == [label]
    (summary,) = sessions.recent(HOSTILE)
    assert (summary.id, summary.prompt) == (HOSTILE, LONG)


def test_in_classifiers(database: Database) -> None:
    weight = np.eye(1, 512, dtype=np.float32)[0]
    name = " ".join(HOSTILE.split())
    words = (HOSTILE, name, HOSTILE, HOSTILE, HOSTILE, LONG, HOSTILE, HOSTILE)
    database.classifiers.save(SavedClassifier(*words, 3, 4, 5, weight))
    (stored,) = database.classifiers.all()
    told = (stored.id, stored.name, stored.collection, stored.model, stored.fingerprint)
    assert (*told, stored.prompt, stored.session, stored.method) == words


def test_in_checks(database: Database) -> None:
    checks = database.checks
    checks.draw(HOSTILE, 0.5, [LONG, HOSTILE])
    check = checks.latest(HOSTILE)
    assert check is not None
    checks.label(HOSTILE, check, HOSTILE, UP)
    again = checks.latest(HOSTILE)
    assert again is not None
    assert again.labels[HOSTILE] == UP
    assert list(again.labels) == [LONG, HOSTILE]
