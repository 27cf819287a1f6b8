"""Searches of one person, of whom some may be at work at once and others wait for their turn."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from threading import Lock

AT_ONCE = 2
TOLD_AFTER = 2.0  # seconds
_LOOKED = 0.1  # seconds


class Turns:
    """Who has how many searches at work."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._at_work: Counter[str] = Counter()

    @contextmanager
    def one(self, name: str, tell: Callable[[], object]) -> Iterator[None]:
        """Wait until it is this search's turn.

        Args:
            name: whose it is; "" waits for nobody, as on one's own machine.
            tell: called again and again after TOLD_AFTER; what it raises ends the wait.
        """
        began = time.monotonic()
        while not self._take(name):
            time.sleep(_LOOKED)
            if time.monotonic() - began > TOLD_AFTER:
                tell()
        try:
            yield
        finally:
            self._give_back(name)

    @asynccontextmanager
    async def one_of_route(self, name: str) -> AsyncIterator[None]:
        """The same where no thread is to be held by whoever waits."""
        while not self._take(name):
            await asyncio.sleep(_LOOKED)
        try:
            yield
        finally:
            self._give_back(name)

    def _take(self, name: str) -> bool:
        with self._lock:
            free = not name or self._at_work[name] < AT_ONCE
            self._at_work[name] += free
            return free

    def _give_back(self, name: str) -> None:
        with self._lock:
            self._at_work[name] -= 1
            if not self._at_work[name]:
                del self._at_work[name]


# One for all pages and routes of this process.
turns = Turns()
