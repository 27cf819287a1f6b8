"""A database that takes its time to open: a page says what it waits for, and opens it once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from db.errors import ExplorerError
from pages import services as module
from pages.services import NotYetError, Opener
from tests.pages.plain import plain

LINE = (
    "http://host:1/photos has not answered yet, and is waited for: if it never does, see to the "
    "server and its disk"
)


class Slow:
    """Opens what a test wants, once it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = 0
        self.error: ExplorerError | None = None

    def __call__(self, settings: Any) -> Any:
        self.begun += 1
        assert self.go.wait(60)
        if self.error is not None:
            raise self.error
        return "services"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    found = Slow()
    monkeypatch.setenv("DATABASE_URL", "http://me:s3cret@host:1/photos")
    monkeypatch.setattr(module, "open_services", found)
    monkeypatch.setattr(module, "WITHIN", 0.01)
    return found


def test_a_database_is_opened_once_however_many_wait_for_it(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = Opener()
    for _ in range(3):
        with pytest.raises(NotYetError) as caught:
            opener()
        assert str(caught.value) == LINE
        assert caught.value.passes
    assert not opener.is_open
    slow.go.set()
    monkeypatch.setattr(module, "WITHIN", 60)
    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(lambda _: opener(), range(3))) == {"services"}
    assert opener.is_open
    assert slow.begun == 1


def test_an_embedded_database_that_takes_its_time_is_no_server(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "chdb:///data/photos")
    with pytest.raises(NotYetError, match="chdb:///data/photos is still being opened"):
        Opener()()
    slow.go.set()


def test_what_could_not_be_opened_is_tried_again(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = Opener()
    monkeypatch.setattr(module, "WITHIN", 60)
    slow.error = ExplorerError("no")
    slow.go.set()
    for _ in range(2):
        with pytest.raises(ExplorerError, match="no"):
            opener()
    slow.error = None
    assert opener() == "services"
    assert slow.begun == 3


def opening(opener: "Opener") -> None:
    import streamlit as st

    from pages.waiting import opened

    st.write(opened(opener))


def test_a_page_says_which_database_it_waits_for(slow: Slow) -> None:
    class Told(Opener):
        """Lets go once the page has said twice what it waits for."""

        times = 0

        def __call__(self) -> Any:
            try:
                return super().__call__()
            except NotYetError:
                self.times += 1
                if self.times == 2:
                    slow.go.set()
                raise

    opener = Told()
    page = AppTest.from_function(opening, args=(opener,), default_timeout=60).run()
    assert not page.exception
    assert [plain(text.value) for text in page.markdown] == ["services"]
    assert not page.caption
    assert opener.times >= 2
