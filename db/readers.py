"""Clients of the embedded engine for questions that are asked at once: each takes one at a time."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Semaphore

from clickhouse_connect.driver.client import Client

# Searches use a core each; more of them at once would only take turns elsewhere.
AT_ONCE = min(max(os.cpu_count() or 1, 2), 8)


class Readers:
    """Opens clients as they are needed, and lends each to one thread at a time.

    Args:
        opened: opens a client.
        most: how many are lent at once; who comes then waits.
    """

    def __init__(self, opened: Callable[[], Client], most: int = AT_ONCE) -> None:
        self._opened = opened
        self._turns = Semaphore(most)
        self._lock = Lock()
        self._idle: list[Client] = []
        self._closed = False

    @contextmanager
    def lent(self) -> Iterator[Client]:
        """A client that nobody else uses meanwhile."""
        with self._turns:
            with self._lock:
                idle = self._idle.pop() if self._idle else None
            client = idle or self._opened()
            try:
                yield client
            finally:
                self._take_back(client)

    def _take_back(self, client: Client) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(client)
                return
        client.close()

    def close(self) -> None:
        """Close those that are not lent, now, and each of the others when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for client in idle:
            client.close()
