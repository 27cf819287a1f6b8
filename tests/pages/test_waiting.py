"""What a page says while it waits, and when it can't be drawn."""

import threading

import pytest
from streamlit.testing.v1 import AppTest

from db.answers import Answers
from db.errors import EngineError
from tests.pages.plain import plain


def failing(passes: bool) -> None:
    from db.errors import EngineError
    from pages.waiting import show_failure

    show_failure(EngineError("Nothing answers", passes=passes), ":material/error:")


@pytest.mark.parametrize("passes", [True, False])
def test_a_page_tries_again_only_where_that_is_of_use(passes: bool) -> None:
    page = AppTest.from_function(failing, args=(passes,)).run()
    assert [plain(error.value) for error in page.error] == ["Nothing answers"]
    told = [caption.value for caption in page.caption]
    assert told == (["This page tries again by itself."] if passes else [])


def waiting() -> None:
    import streamlit as st

    from db.answers import Answers
    from pages.label.notices import show_notices
    from pages.waiting import may_be_given_up

    show_notices()
    if st.button("Search"):
        with may_be_given_up("The search"):
            answers = Answers("http://x", ping=lambda seconds: True)
            st.write(answers.of(st.session_state["statement"]))


def test_a_long_wait_is_told_and_its_line_goes_with_it() -> None:
    page = AppTest.from_function(waiting)
    page.session_state["statement"] = lambda: threading.Event().wait(1.5)
    page.run()
    page.button[0].click().run()
    assert not page.exception
    assert [text.value for text in page.markdown] == ["`False`"]
    assert not page.caption
    assert [button.label for button in page.button] == ["Search"]


def test_a_short_wait_is_not_told() -> None:
    heard: list[float] = []
    assert Answers("http://x", ping=lambda seconds: bool(heard.append(seconds))).of(lambda: 1) == 1
    assert heard == []


def test_an_answer_that_is_an_error_is_raised_where_it_was_asked_for() -> None:
    def refused() -> None:
        raise OSError("no")

    with pytest.raises(EngineError, match="no"):
        Answers("http://x", ping=lambda seconds: True).of(refused)
