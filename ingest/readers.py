"""Doing a piece of work for many items at once, some way ahead of whoever takes the results."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def results(
    work: Callable[[_Item], _Result],
    items: Sequence[_Item],
    workers: int,
    ahead: int,
    stop: Event,
) -> Iterator[_Result]:
    """What `work` returns for each item, in the order in which they are done.

    One item that takes long holds nobody up but its own worker.

    Args:
        work: called in threads.
        items: what to call it with.
        workers: how many threads; with 0 it is called in this one.
        ahead: how many items may be begun or done before their result is taken.
        stop: once it is set, no further item is begun; what was begun is still returned.
    """
    if workers:
        yield from _threaded(work, items, workers, ahead, stop)
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
) -> Iterator[_Result]:
    done: SimpleQueue[Future[_Result]] = SimpleQueue()
    to_begin = iter(items)
    waiting = 0
    with ThreadPoolExecutor(workers, "reader") as pool:
        try:
            while True:
                while waiting < ahead and (item := next(to_begin, None)) is not None:
                    pool.submit(work, item).add_done_callback(done.put)
                    waiting += 1
                if not waiting:
                    return
                future = done.get()
                waiting -= 1
                if stop.is_set():
                    to_begin = iter(())
                    pool.shutdown(wait=False, cancel_futures=True)
                if not future.cancelled():
                    yield future.result()
        finally:
            # Also where whoever takes the results has had enough.
            pool.shutdown(wait=False, cancel_futures=True)
