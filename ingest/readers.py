"""Doing a piece of work for many items at once, some way ahead of whoever takes the results.

A disk or a host may let a thread hang where nothing reaches it. Nobody waits for such a one once
the load is to stop: all threads here are daemons, and are left to themselves after GRACE.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Generic, TypeVar

from ingest.retry import Stopped

GRACE = 1.0  # seconds, after a stop, for what was begun
_LOOK = 0.1  # seconds between two looks at the stop

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class _Done(Generic[_Result]):
    """How a piece of work ended: with a result, with an exception, or not begun at all."""

    def __init__(self, work: Callable[[], _Result] | None) -> None:
        self.begun = work is not None
        self._error: BaseException | None = None
        self._results: list[_Result] = []
        try:
            if work is not None:
                self._results.append(work())
        except BaseException as error:  # noqa: BLE001 -- whoever takes the result gets it
            self._error = error

    def result(self) -> _Result:
        if self._error is not None:
            raise self._error
        return self._results[0]


class _Patience:
    """Waits for what comes, and once it is to stop, no longer than GRACE in all."""

    def __init__(self, stop: Event, idle: Callable[[], None] = lambda: None) -> None:
        self._stop = stop
        self._idle = idle
        self._end: float | None = None

    def next(self, done: "SimpleQueue[_Done[_Result]]") -> _Done[_Result] | None:
        """The next outcome, or None if there is none in time."""
        while True:
            if self._end is None and self._stop.is_set():
                self._end = time.monotonic() + GRACE
            try:
                return done.get(timeout=_LOOK)
            except Empty:
                self._idle()
                if self._end is not None and time.monotonic() > self._end:
                    return None


def unless_stopped(work: Callable[[], _Result], stop: Event) -> _Result:
    """What `work`, called in a thread, returns.

    Raises:
        Stopped: it was told to stop, and did not end in time.
        BaseException: whatever `work` raises.
    """
    done: SimpleQueue[_Done[_Result]] = SimpleQueue()
    Thread(target=lambda: done.put(_Done(work)), name="patient", daemon=True).start()
    outcome = _Patience(stop).next(done)
    if outcome is None:
        raise Stopped
    return outcome.result()


def results(
    work: Callable[[_Item], _Result],
    items: Sequence[_Item],
    workers: int,
    ahead: int,
    stop: Event,
    idle: Callable[[], None] = lambda: None,
) -> Iterator[_Result]:
    """What `work` returns for each item, in the order in which they are done.

    One item that takes long holds nobody up but its own worker.

    Args:
        work: called in threads.
        items: what to call it with.
        workers: how many threads; with 0 it is called in this one.
        ahead: how many items may be begun or done before their result is taken.
        stop: once it is set, no further item is begun; what was begun is still returned, if it
            ends within GRACE.
        idle: called in this thread, ten times a second while nothing comes.
    """
    if workers:
        yield from _threaded(work, items, workers, ahead, stop, idle)
        return
    for item in items:
        if stop.is_set():
            return
        yield work(item)


def _threaded(
    work: Callable[[_Item], _Result],
    items: Sequence[_Item],
    workers: int,
    ahead: int,
    stop: Event,
    idle: Callable[[], None],
) -> Iterator[_Result]:
    readers, patience = _Readers(work, workers, stop), _Patience(stop, idle)
    to_begin, waiting = iter(items), 0
    try:
        while True:
            if not stop.is_set():
                for item in islice(to_begin, ahead - waiting):
                    readers.to_do.put(item)
                    waiting += 1
            if not waiting or (outcome := patience.next(readers.done)) is None:
                return
            waiting -= 1
            if outcome.begun:
                yield outcome.result()
    finally:
        readers.close()


class _Readers(Generic[_Item, _Result]):
    """Threads that do what is to do.

    Attributes:
        to_do: what to do; None ends a thread.
        done: how it ended.
    """

    def __init__(self, work: Callable[[_Item], _Result], workers: int, stop: Event) -> None:
        self.to_do: SimpleQueue[_Item | None] = SimpleQueue()
        self.done: SimpleQueue[_Done[_Result]] = SimpleQueue()
        self._work = work
        self._stop = stop
        self._closed = Event()
        self._threads = [
            Thread(target=self._read, name=f"reader {n}", daemon=True) for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End the threads, and wait for those that don't hang."""
        self._closed.set()
        for _ in self._threads:
            self.to_do.put(None)
        end = time.monotonic() + GRACE
        for thread in self._threads:
            # Those that hang in a stop were waited for already.
            thread.join(0 if self._stop.is_set() else max(0.0, end - time.monotonic()))

    def _read(self) -> None:
        while (item := self.to_do.get()) is not None:
            ended = self._stop.is_set() or self._closed.is_set()
            self.done.put(_Done(None if ended else partial(self._work, item)))
