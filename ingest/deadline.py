"""One deadline for a whole exchange over HTTP: connecting, the head of the answer, and its body.

The time-outs of a socket start anew with every byte, so a host that sends one now and then, in the
head of its answer or while it is still agreeing on TLS, would be waited for without end. Here a
timer ends the connection itself, which ends whatever waits for it.
"""

import socket
from contextlib import suppress
from threading import Lock, Timer, local
from types import TracebackType
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_thread = local()


class Deadline:
    """Ends what this thread asks by a watched session, once its time is over.

    Attributes:
        passed: whether it is over.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._timer = Timer(seconds, self._end)
        self._timer.daemon = True
        self._lock = Lock()
        self._connections: list[Watched] = []

    def __enter__(self) -> "Deadline":
        _thread.deadline = self
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        _thread.deadline = None
        with self._lock:
            self._connections.clear()

    def watch(self, connection: "Watched") -> None:
        """End this connection too when the time is over, or now if it is."""
        with self._lock:
            self._connections.append(connection)
            if self.passed:
                connection.cut()

    def _end(self) -> None:
        with self._lock:
            self.passed = True
            for connection in self._connections:
                connection.cut()


class Watched:
    """Mixed into a connection of urllib3, it obeys the deadline of the thread that uses it."""

    sock: Any
    _twin: socket.socket | None = None

    def connect(self) -> None:
        """See urllib3."""
        _watch(self)
        try:
            super().connect()  # type: ignore[misc]
        finally:
            twin, self._twin = self._twin, None
            if twin is not None:
                twin.close()

    def request(self, *arguments: Any, **options: Any) -> None:
        """See urllib3."""
        _watch(self)
        super().request(*arguments, **options)  # type: ignore[misc]

    def cut(self) -> None:
        """End the connection, in whatever state it is; whoever reads from it finds its end."""
        for end in (self._twin, self.sock):
            if end is not None:
                with suppress(OSError):
                    # Not TLS's own, which would take from the reader what it is reading with.
                    socket.socket.shutdown(end, socket.SHUT_RDWR)

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]
        # While TLS is agreed on, the socket is in nobody's hands.
        self._twin = made.dup()
        return made


def _watch(connection: Watched) -> None:
    deadline: Deadline | None = getattr(_thread, "deadline", None)
    if deadline is not None:
        deadline.watch(connection)


def watched_pools(*mixed_in: type) -> dict[str, type[HTTPConnectionPool]]:
    """The classes of urllib3's pools, by scheme, whose connections obey a deadline.

    Args:
        mixed_in: what their connections are besides.
    """
    kinds: tuple[tuple[str, type[HTTPConnectionPool], type[HTTPConnection]], ...] = (
        ("http", HTTPConnectionPool, HTTPConnection),
        ("https", HTTPSConnectionPool, HTTPSConnection),
    )
    return {
        scheme: type(
            pool.__name__,
            (pool,),
            {"ConnectionCls": type(made.__name__, (Watched, *mixed_in, made), {})},
        )
        for scheme, pool, made in kinds
    }


class WatchedAdapter(HTTPAdapter):
    """Makes connections that obey a deadline.

    Attributes:
        pools: the classes of urllib3's pools, by scheme.
    """

    pools: Any = watched_pools()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """See HTTPAdapter."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self.pools

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        """See HTTPAdapter. A proxy's connections are watched, whatever else a subclass does."""
        manager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = WatchedAdapter.pools
        return manager


def watched_session(adapter: HTTPAdapter | None = None) -> requests.Session:
    """A session of requests whose connections obey a deadline.

    Args:
        adapter: another one than WatchedAdapter, which it should be a kind of.
    """
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter or WatchedAdapter())
    return session
