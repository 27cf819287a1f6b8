from threading import Event, Timer

import pytest

from ingest.retry import Retries, TransientError


class Waits(Event):
    """Notes how long somebody would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.seconds.append(timeout)
        return self.is_set()


class Flaky:
    """Raises its errors in turn, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "photo"


def test_a_fault_that_passes_is_not_seen() -> None:
    waits = Waits()
    flaky = Flaky(TransientError("HTTP 503"), TransientError("timed out"))
    assert Retries(waits).call(flaky) == "photo"
    assert flaky.calls == 3


def test_waits_double_with_jitter() -> None:
    waits = Waits()
    for _ in range(50):
        Retries(waits, first_wait=1).call(
            Flaky(TransientError("a"), TransientError("b"), TransientError("c"))
        )
    for step, base in enumerate((1, 2, 4)):
        seconds = waits.seconds[step::3]
        assert all(0.5 * base <= wait <= 1.5 * base for wait in seconds)
        assert len(set(seconds)) > 40


def test_the_last_fault_is_the_one_that_is_told() -> None:
    waits = Waits()
    flaky = Flaky(*[TransientError(f"fault {n}") for n in range(9)])
    with pytest.raises(TransientError, match=r"^fault 4$"):
        Retries(waits, attempts=5).call(flaky)
    assert len(waits.seconds) == 4


def test_the_host_says_how_long_to_wait() -> None:
    waits = Waits()
    Retries(waits).call(Flaky(TransientError("HTTP 429", 7.0), TransientError("HTTP 429", 0.0)))
    assert waits.seconds == [7.0, 0.0]


def test_no_host_can_ask_for_an_hour() -> None:
    waits = Waits()
    Retries(waits, longest_wait=60).call(Flaky(TransientError("HTTP 429", 3600.0)))
    assert waits.seconds == [60]


def test_what_is_not_transient_is_not_tried_again() -> None:
    flaky = Flaky(ValueError("HTTP 404"))
    with pytest.raises(ValueError, match=r"^HTTP 404$"):
        Retries().call(flaky)
    assert flaky.calls == 1


def test_a_stop_ends_the_wait() -> None:
    stop = Event()
    timer = Timer(0.05, stop.set)
    timer.start()
    flaky = Flaky(*[TransientError("HTTP 503") for _ in range(9)])
    with pytest.raises(TransientError):
        Retries(stop, first_wait=1000, longest_wait=1000).call(flaky)  # else the test's own limit
    timer.join()
    assert flaky.calls <= 2
