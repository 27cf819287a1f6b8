"""Ctrl-C, once to stop in good order and twice to leave at once."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

# A terminal's Ctrl-C, and what a scheduler sends some seconds before it kills.
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible(stop: Event, tell: Callable[[], None]) -> Iterator[None]:
    """While the context is open, a first signal sets `stop` and a second one ends the process.

    Python runs handlers in the main thread alone, between two of its steps: leave that thread
    nothing to do but wait, or a long query makes the signal wait too.

    Args:
        stop: set by the first signal.
        tell: called then.
    """

    def handle(_number: int, _frame: FrameType | None) -> None:
        # The second one is the operating system's to handle, whatever this process is doing.
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        stop.set()
        tell()

    before = [signal.signal(number, handle) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, handler in zip(_SIGNALS, before, strict=True):
            signal.signal(number, handler)
