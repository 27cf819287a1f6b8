"""Trying again what a network may yet give: tenacity, with the waits that a photo host asks for."""

import random
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_attempt,
    stop_when_event_set,
)

ATTEMPTS = 5
FIRST_WAIT = 0.5  # seconds; doubled from one attempt to the next
LONGEST_WAIT = 60.0  # seconds, whatever a host asks for

_Result = TypeVar("_Result")


class TransientError(OSError):
    """A fault that may be gone in a moment.

    Attributes:
        retry_after: seconds that the host asks to wait, or None where it doesn't say.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Retries:
    """Calls again after a transient fault, with exponential backoff and jitter."""

    def __init__(
        self,
        stop: Event | None = None,
        attempts: int = ATTEMPTS,
        first_wait: float = FIRST_WAIT,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        """Set the pace.

        Args:
            stop: once it is set, waits end and nothing is tried again.
            attempts: how often to try in all.
            first_wait: seconds before the second attempt, about.
            longest_wait: seconds between two attempts at most.
        """
        self.stop = stop or Event()
        self._attempts = attempts
        self._first_wait = first_wait
        self._longest_wait = longest_wait

    def call(self, attempt: Callable[[], _Result]) -> _Result:
        """What `attempt` returns.

        Raises:
            TransientError: the last attempt's.
            Exception: whatever else `attempt` raises, at once.
        """
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(self._attempts) | stop_when_event_set(self.stop),
            wait=self._wait,
            sleep=sleep_using_event(self.stop),
            reraise=True,
        )
        return retrying(attempt)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = getattr(error, "retry_after", None)
        backoff = self._first_wait * 2 ** (state.attempt_number - 1)
        # Photos that failed together must not come back together.
        wait = backoff * random.uniform(0.5, 1.5) if asked is None else asked  # noqa: S311
        return float(min(wait, self._longest_wait))
