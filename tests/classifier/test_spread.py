import numpy as np
import pytest

from classifier.refit import ARTICLE, WHITENED
from classifier.session import Session
from classifier.spread import spread
from db.collections import Collection
from db.database import Database
from db.photo import Neighbour, Photo
from db.sessions import DOWN, UP
from tests.conftest import TextTower, filled


@pytest.fixture
def collection(database: Database) -> Collection:
    return filled(database, 60)[0]


def neighbours(vectors: np.ndarray) -> list[Neighbour]:
    return [
        Neighbour(Photo(f"photo-{n}", ""), vector, 1 - n / 100) for n, vector in enumerate(vectors)
    ]


def test_one_of_each_kind_comes_and_the_nearest_first() -> None:
    kinds = np.eye(4, dtype=np.float32)[[0, 0, 0, 1, 1, 2, 2, 3]]
    assert [n.photo.id for n in spread(neighbours(kinds), 4)] == [
        "photo-0", "photo-3", "photo-5", "photo-7",
    ]  # fmt: skip


@pytest.mark.parametrize("n", [0, 1, 3])
def test_where_there_are_no_more_all_come(n: int) -> None:
    found = neighbours(np.eye(4, dtype=np.float32)[:n])
    assert spread(found, 3) == found


@pytest.mark.parametrize(("method", "nearest"), [(WHITENED, False), (ARTICLE, True)])
def test_a_session_looks_far_and_wide_until_something_right_is_found(
    database: Database, collection: Collection, method: str, nearest: bool
) -> None:
    session = Session.start(database, collection, TextTower(), "a lake", method=method)  # type: ignore[arg-type]
    session.rest_are_no()
    session.refine()
    table = database.collections.photos(collection)
    shown = {photo.id for photo in session.rounds[0].photos}
    near = [n.photo.id for n in table.search(session.current.weight, 9, sorted(shown))]
    assert ([photo.id for photo in session.current.photos] == near) is nearest
    scores = session.current.scores
    assert list(scores) == sorted(scores, reverse=True)
    session.label(session.current.photos[0].id, UP)
    session.label(session.current.photos[1].id, DOWN)
    session.refine()
    shown |= {photo.id for photo in session.rounds[1].photos}
    near = [n.photo.id for n in table.search(session.current.weight, 9, sorted(shown))]
    assert [photo.id for photo in session.current.photos] == near
