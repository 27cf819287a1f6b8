from collections.abc import Iterator
from threading import Barrier, Event, Lock

import pytest

from ingest import readers
from ingest.readers import results, unless_stopped
from ingest.retry import Stopped

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


@pytest.fixture
def gate() -> Iterator[Event]:
    """What a piece of work hangs on until the test is over."""
    opened = Event()
    yield opened
    opened.set()


def test_after_a_stop_nobody_waits_for_work_that_hangs(
    gate: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "GRACE", 0.3)
    stop = Event()

    def work(item: int) -> int:
        if item % 2:
            gate.wait(PATIENCE)
        return item

    done = results(work, range(1000), 4, 8, stop)
    assert next(done) == 0
    stop.set()
    assert not [item for item in done if item % 2]
    assert not gate.is_set()


def test_who_has_had_enough_of_work_that_hangs_waits_for_it_no_longer_than_that(
    gate: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "GRACE", 0.3)
    done = results(lambda item: item and gate.wait(PATIENCE), range(9), 3, 6, Event())
    next(done)
    done.close()  # type: ignore[attr-defined]
    assert not gate.is_set()


def test_a_long_step_is_left_to_itself_after_a_stop(
    gate: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "GRACE", 0.3)
    stop = Event()
    stop.set()
    with pytest.raises(Stopped):
        unless_stopped(lambda: gate.wait(PATIENCE), stop)
    assert not gate.is_set()


def test_what_a_long_step_returns_or_raises_is_its_callers() -> None:
    assert unless_stopped(lambda: 7, Event()) == 7
    with pytest.raises(KeyError, match="a"):
        unless_stopped(lambda: {}["a"], Event())
