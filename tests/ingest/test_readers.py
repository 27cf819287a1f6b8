from threading import Barrier, Event, Lock

import pytest

from ingest.readers import results

PATIENCE = 60  # seconds after which a test gives up


@pytest.mark.parametrize("workers", [0, 1, 5])
@pytest.mark.parametrize("ahead", [1, 2, 100])
def test_every_item_is_done_once(workers: int, ahead: int) -> None:
    done = results(lambda item: item * 10, range(50), workers, ahead, Event())
    assert sorted(done) == [item * 10 for item in range(50)]


@pytest.mark.parametrize("workers", [0, 3])
def test_nothing_to_do_is_done_at_once(workers: int) -> None:
    assert list(results(str, [], workers, 4, Event())) == []


def test_items_are_worked_on_at_the_same_time() -> None:
    barrier = Barrier(4)
    assert len(list(results(lambda item: barrier.wait(PATIENCE), range(4), 4, 8, Event()))) == 4


def test_a_slow_item_holds_nobody_up() -> None:
    gate = Event()

    def work(item: int) -> int:
        if item == 0:
            assert gate.wait(PATIENCE)
        return item

    done = results(work, range(20), 2, 4, Event())
    first = [next(done) for _ in range(19)]
    assert sorted(first) == list(range(1, 20))
    gate.set()
    assert list(done) == [0]


@pytest.mark.parametrize("ahead", [1, 3, 8])
def test_no_more_is_begun_than_allowed(ahead: int) -> None:
    begun, lock = 0, Lock()

    def work(item: int) -> int:
        nonlocal begun
        with lock:
            begun += 1
        return item

    for taken, _ in enumerate(results(work, range(40), 3, ahead, Event()), start=1):
        assert begun - taken <= ahead
    assert begun == 40


@pytest.mark.parametrize("workers", [0, 3])
def test_after_a_stop_only_what_was_begun_is_returned(workers: int) -> None:
    stop = Event()
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        return item

    done = []
    for item in results(work, range(1000), workers, 8, stop):
        done.append(item)
        if len(done) == 5:
            stop.set()
    assert sorted(done) == sorted(begun)
    assert len(done) <= 5 + 8


@pytest.mark.parametrize("workers", [0, 3])
def test_an_error_of_the_work_is_the_callers(workers: int) -> None:
    def work(item: int) -> int:
        if item == 7:
            raise MemoryError
        return item

    with pytest.raises(MemoryError):
        list(results(work, range(100), workers, 4, Event()))


def test_who_has_had_enough_leaves_nothing_running() -> None:
    begun: list[int] = []
    done = results(begun.append, range(1000), 3, 6, Event())
    next(done)
    done.close()  # type: ignore[attr-defined]
    assert len(begun) <= 7
