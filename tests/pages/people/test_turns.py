"""Two searches of a person at once; the others wait, and are told so."""

import asyncio
import threading
from collections.abc import Callable

import pytest
from anyio.from_thread import start_blocking_portal

from pages.people import turns as module
from pages.people.turns import AT_ONCE, Turns


class GaveUpError(Exception):
    """Somebody left the page."""


def give_up() -> None:
    raise GaveUpError


@pytest.fixture(autouse=True)
def _at_once_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOLD_AFTER", 0.0)
    monkeypatch.setattr(module, "_LOOKED", 0.001)


def fill(turns: Turns, name: str, then: Callable[[], None]) -> None:
    """With as many searches of somebody at work as may be, do something."""
    with turns.one(name, give_up), turns.one(name, give_up):
        then()


def test_a_third_search_waits_and_is_told() -> None:
    turns = Turns()
    told = threading.Event()
    done: list[str] = []

    def third() -> None:
        with turns.one("ann", told.set):
            done.append("third")

    thread = threading.Thread(target=third, daemon=True)

    def meanwhile() -> None:
        thread.start()
        assert told.wait(60)
        assert done == []
        with turns.one("lea", give_up):
            done.append("another's")

    fill(turns, "ann", meanwhile)
    thread.join(60)
    assert done == ["another's", "third"]


def test_whoever_leaves_takes_no_turn_with_them() -> None:
    turns = Turns()

    def leave() -> None:
        with pytest.raises(GaveUpError), turns.one("ann", give_up):
            pass

    fill(turns, "ann", leave)
    fill(turns, "ann", lambda: None)

    def fail() -> None:
        raise ValueError

    for _ in range(AT_ONCE + 1):
        with pytest.raises(ValueError):  # noqa: PT011
            fill(turns, "ann", fail)
    fill(turns, "ann", lambda: None)


def test_nobody_waits_where_nobody_signs_in() -> None:
    turns = Turns()
    fill(turns, "", lambda: fill(turns, "", lambda: None))


def test_a_route_waits_without_a_thread() -> None:
    turns = Turns()
    most, at_work = 0, 0

    async def one() -> None:
        nonlocal most, at_work
        async with turns.one_of_route("ann"):
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0.002)
            at_work -= 1

    async def all_at_once() -> None:
        await asyncio.gather(*(one() for _ in range(12)))

    # In a thread of its own: where a browser was driven before, this one has a loop that runs.
    with start_blocking_portal() as portal:
        portal.call(all_at_once)
    assert (most, at_work) == (AT_ONCE, 0)
