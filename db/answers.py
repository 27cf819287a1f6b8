"""A statement's answer: waited for, asked for again while that is of use, and given up in time.

A server that takes connections and answers nothing (one that was stopped, one whose machine is out
of memory) is told from one that is at work by its `/ping`, which no statement stands in the way of.
"""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Thread
from typing import TypeVar

from clickhouse_connect.driver.exceptions import ClickHouseError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
)

from db.errors import EngineError
from db.faults import Fault, fault_of, is_myscale_cloud, shown_url, still

_LOG = logging.getLogger(__name__)

T = TypeVar("T")

# How often a statement is tried while nothing answers: about 1.5 s in all under a page that
# somebody waits for, half a minute under a load, and two minutes where a cluster may be asleep.
PAGE, LOAD, ASLEEP = 5, 10, 21

# Both together are two seconds, as long as a person looks at a page that says nothing.
NOTICE = 0.7  # seconds without an answer, after which the server is asked whether it is there
PING = 1.3  # seconds in which it has to answer that, or it is taken to stand still
PATIENCE = 5.0  # seconds after which a load says that it waits for a server that stands still
_TICK = 0.5  # seconds between two looks
_SURE = 2.0  # seconds in which it is not asked again

_heard: ContextVar[Callable[[float], None] | None] = ContextVar("heard", default=None)


@contextmanager
def heard_by(listener: Callable[[float], None]) -> Iterator[None]:
    """Has somebody hear, in the thread that waits, how many seconds an answer is waited for.

    The listener may raise an exception: the answer is then no longer waited for.
    """
    before = _heard.set(listener)
    try:
        yield
    finally:
        _heard.reset(before)


@dataclass
class Health:
    """Of a server, shared by all connections to it.

    Attributes:
        away: whether the last statement could not be sent: waiting for each would be in vain.
        still: when it was last found to stand still, on the clock that only goes forward.
    """

    away: bool = False
    still: float | None = None


@dataclass(frozen=True)
class Answers:
    """What gets answers from one database.

    Attributes:
        url: the DSN.
        tries: how often a statement is tried while nothing answers.
        sleep: waits between two tries, in seconds.
        health: the server's.
        ping: whether the server answers anything within so many seconds, asked beside all
            statements; None where it is in this process.
    """

    url: str = field(repr=False)
    tries: int = PAGE
    sleep: Callable[[float], None] = time.sleep
    health: Health = field(default_factory=Health)
    ping: Callable[[float], bool] | None = None

    def of(self, statement: Callable[[], T], *, repeatable: bool = True) -> T:
        """The answer of a statement.

        Args:
            statement: sends it.
            repeatable: whether it may be sent twice.

        Raises:
            EngineError: it was refused, or not answered.
        """
        retrying = Retrying(
            sleep=self.sleep,
            stop=stop_after_attempt(self._tries()),
            wait=wait_exponential(multiplier=0.1, max=8),
            retry=retry_if_exception(lambda error: _may_repeat(error, repeatable)),
            before_sleep=self._say,
            reraise=True,
        )
        try:
            answer: T = retrying(self._told, statement)
        except _FailedError as error:
            fault = error.fault
            self.health.away = fault.passes and fault.unsent
            raise EngineError(
                fault.line,
                fault.code,
                unfinished=fault.unfinished,
                passes=fault.passes,
                said=fault.said,
            ) from error.__cause__
        self.health.away = False
        return answer

    def _tries(self) -> int:
        if self.tries == LOAD and is_myscale_cloud(self.url):
            return ASLEEP
        return 1 if self.tries == PAGE and self.health.away else self.tries

    def _say(self, state: RetryCallState) -> None:
        if state.attempt_number == PAGE and self._tries() == ASLEEP and state.outcome is not None:
            _LOG.warning("%s; it is waited for", state.outcome.exception())

    def _told(self, statement: Callable[[], T]) -> T:
        try:
            if self.ping is None:
                return statement()
            watched = self._watched if self.tries == PAGE else self._waited_for
            return watched(statement, self.ping)
        except (ClickHouseError, OSError) as error:
            raise _FailedError(fault_of(error, self.url)) from error

    def _watched(self, statement: Callable[[], T], ping: Callable[[float], bool]) -> T:
        """The answer, unless the server stands still: nobody in front of a page waits for that."""
        if self.health.still is not None:
            self._check(ping)
        answer = started(statement)
        begun = time.monotonic()
        wait([answer], NOTICE)
        while not answer.done():
            self._check(ping)
            if listener := _heard.get():
                listener(time.monotonic() - begun)
            wait([answer], _TICK)
        return answer.result()

    def _waited_for(self, statement: Callable[[], T], ping: Callable[[float], bool]) -> T:
        """The answer, however long it takes; a server that stands still is told of, once."""
        answer = started(statement)
        begun, told = time.monotonic(), False
        wait([answer], PATIENCE)
        while not answer.done():
            if not told and not ping(PING):
                told = True
                _LOG.warning(
                    "%s has not answered for %.0f s, and is waited for: see to the server and its "
                    "disk",
                    shown_url(self.url),
                    time.monotonic() - begun,
                )
            wait([answer], PATIENCE)
        return answer.result()

    def _check(self, ping: Callable[[float], bool]) -> None:
        known = self.health.still
        if known is None or time.monotonic() - known > _SURE:
            self.health.still = None if ping(PING) else time.monotonic()
        if self.health.still is not None:
            raise _FailedError(still(self.url))


class _FailedError(Exception):
    """A statement that failed, on its way to become one line."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.line)
        self.fault = fault


def _may_repeat(error: BaseException, repeatable: bool) -> bool:
    if not isinstance(error, _FailedError):
        return False
    # What stands still may stand so for hours, and its statements are still with it.
    fault = error.fault
    return fault.passes and not fault.still and (repeatable or fault.unsent)


def started(statement: Callable[[], T]) -> "Future[T]":
    """What asks a database, run in a thread that nobody waits for when the process ends."""
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(statement())
        except BaseException as error:  # noqa: BLE001 -- raised again where it is waited for
            answer.set_exception(error)

    Thread(target=run, name="statement", daemon=True).start()
    return answer
