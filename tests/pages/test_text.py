"""Text from outside is text wherever the pages hand it to Streamlit."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages.markdown import code, escaped, link
from tests.pages.plain import plain

PAGES = Path(__file__).parents[2] / "pages"
BOXES = {"error", "warning", "info", "success", "toast"}
ESCAPING = {"escaped", "code", "link"}


@pytest.mark.parametrize(
    "text",
    [
        "a plain sentence, with a comma",
        "[x](http://a) ![x](http://a)",
        "https://a.b/c www.a.b a.b+c@d.e 12:30:45",
        ":smile: :+1: :material/home: :red[x] :streamlit:",
        "a -> b <- c -- d >= e <= f ~= g <-> h ---",
        "$x$ `a` ``b`` *c* _d_ ~~e~~ <b> &amp; \\ | # 1. - ^",
        "C:\\temp\\new",
    ],
)
def test_what_is_escaped_reads_as_it_was(text: str) -> None:
    assert plain(escaped(text)) == text
    assert plain(escaped(f" {text}\n\n ")) == text


def test_nothing_is_left_that_streamlit_looks_for_in_text() -> None:
    read = plain(escaped("https://a www.a a@b :x: -> <- -- >= <= ~=").replace(":small[]", "\0"))
    assert read == "https:\0//a www\0.a a\0@b :\0x: -\0> <\0- -\0- >\0= <\0= ~\0="


def test_signs_that_turn_the_line_are_left_out() -> None:
    assert escaped("a\u202eb\u2066c") == "abc"


@pytest.mark.parametrize(
    ("text", "written"),
    [("a", "`a`"), ("a`b", "`` a`b ``"), ("``` x", "```` ``` x ````"), ("a\n\nb", "`a b`")],
)
def test_code_ends_where_it_was_meant_to(text: str, written: str) -> None:
    assert code(text) == written


def test_an_address_ends_no_link() -> None:
    url = "https://a.b/c?d=e&f) ![x](https://evil.example/i.png) \\"
    _, _, target = link("a", url).partition("](")
    assert target.endswith(")")
    assert not set(target[:-1]) & set("()[] \\")


def test_boxes_hold_sentences_of_ours_or_what_was_escaped() -> None:
    found = {str(path.relative_to(PAGES)): list(_boxes(path)) for path in PAGES.rglob("*.py")}
    assert sum(map(len, found.values())) > 10, "the boxes are not found any more"
    assert {file: bad for file, calls in found.items() if (bad := [c for c in calls if c])} == {}


def _boxes(path: Path) -> Iterator[str]:
    """Of each box its call, where something in it is neither a constant nor escaped; else ""."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {f"st.{box}" for box in BOXES}:
            yield "" if _is_safe(node.args[0]) else ast.unparse(node)


def _is_safe(value: ast.expr) -> bool:
    if isinstance(value, ast.JoinedStr):
        return all(map(_is_safe, value.values))
    if isinstance(value, ast.FormattedValue):
        # A number's format fails for a text.
        of_number = value.format_spec is not None and ast.unparse(value.format_spec)[-2:-1] in ",d"
        return of_number or _is_safe(value.value)
    if isinstance(value, ast.Call):
        return ast.unparse(value.func) in ESCAPING
    return isinstance(value, ast.Constant)
