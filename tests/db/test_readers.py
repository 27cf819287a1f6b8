"""Several searches at once in the embedded engine."""

from threading import Thread
from typing import Any

import pytest

from db.database import Database
from db.readers import Readers
from tests.conftest import filled


class Client:
    """Stands where the engine's would."""

    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


def readers(most: int) -> tuple[Readers, list[Client]]:
    made: list[Client] = []

    def opened() -> Any:
        made.append(Client())
        return made[-1]

    return Readers(opened, most), made


def test_each_is_lent_to_one_at_a_time_and_used_again() -> None:
    lent, made = readers(2)
    with lent.lent() as first, lent.lent() as second:
        assert first is not second
    with lent.lent():
        assert len(made) == 2


def test_who_comes_when_all_are_lent_waits() -> None:
    lent, made = readers(1)
    order = []

    def wait() -> None:
        with lent.lent():
            order.append("second")

    with lent.lent():
        waiting = Thread(target=wait)
        waiting.start()
        waiting.join(0.05)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]
    assert len(made) == 1


def test_one_that_failed_comes_back() -> None:
    lent, made = readers(1)
    with pytest.raises(ValueError, match="failed"), lent.lent():
        raise ValueError("failed")
    with lent.lent():
        assert len(made) == 1


def test_all_are_closed_those_that_are_lent_when_they_come_back() -> None:
    lent, made = readers(2)
    with lent.lent(), lent.lent():
        pass
    with lent.lent():
        lent.close()
        assert sorted(client.is_closed for client in made) == [False, True]
    assert all(client.is_closed for client in made)


def test_a_search_and_a_thumb_don_t_wait_for_another_search(database: Database) -> None:
    _, table, vectors = filled(database, 30)
    lent = database.connection.readers
    assert lent is not None
    with lent.lent():
        assert table.search(vectors[3], 1)[0].photo.id == "photo-00003"
    with lent.lent(), lent.lent():
        assert table.count() == 30, "this one has another client"
