import numpy as np
import pytest

from classifier.prompt import (
    Term,
    attached,
    brief,
    combine,
    complete,
    parse,
    photos_of,
    titled,
    without_picture,
)
from db.errors import ExplorerError

AXES = np.eye(512, dtype=np.float32)
WORDS = {"lake": AXES[0], "cabin": AXES[1], "people": AXES[2]}


def encode(texts: list[str]) -> np.ndarray:
    return np.stack([WORDS[text] for text in texts])


def vector(prompt: str) -> np.ndarray:
    return combine(parse(prompt), encode, lambda photo: AXES[int(photo)])


@pytest.mark.parametrize(
    ("prompt", "terms"),
    [
        ("a lake", [(1, "a lake")]),
        (" lake , cabin -people", [(1, "lake"), (1, "cabin"), (-1, "people")]),
        ("lake, cabin \u2212people", [(1, "lake"), (1, "cabin"), (-1, "people")]),
        ("lake -people, cabin", [(1, "lake"), (-1, "people"), (1, "cabin")]),
        ("lake,-people", [(1, "lake"), (-1, "people")]),
        ("-people, lake", [(-1, "people"), (1, "lake")]),
        ("hot-air balloons", [(1, "hot-air balloons")]),
        ("a lake - in winter", [(1, "a lake - in winter")]),
        ("at -5 degrees", [(1, "at -5 degrees")]),
        ("lake,, ,cabin,", [(1, "lake"), (1, "cabin")]),
        ("lake -red -green", [(1, "lake"), (-1, "red"), (-1, "green")]),
        ("photo:ab_-1, lake", [(1, "photo:ab_-1"), (1, "lake")]),
    ],
)
def test_terms(prompt: str, terms: list[tuple[int, str]]) -> None:
    assert parse(prompt) == [Term(*term) for term in terms]


@pytest.mark.parametrize("prompt", ["", "  ", ",", " , ,"])
def test_no_term_is_an_error(prompt: str) -> None:
    with pytest.raises(
        ExplorerError, match=r"^The prompt is empty: type what the photos should show$"
    ):
        parse(prompt)


def test_only_subtracting_is_an_error() -> None:
    with pytest.raises(ExplorerError, match=r"^'-people' says only what to keep away from: type"):
        parse("-people")


def test_terms_are_added_and_subtracted_and_the_sum_is_of_unit_length() -> None:
    expected = (AXES[0] + AXES[1] - AXES[2]) / np.sqrt(3)
    assert vector("lake, cabin -people") == pytest.approx(expected, abs=1e-6)
    assert vector("lake, photo:7 -photo:9") == pytest.approx(
        (AXES[0] + AXES[7] - AXES[9]) / np.sqrt(3), abs=1e-6
    )
    assert np.array_equal(vector("lake"), AXES[0])


def test_terms_that_cancel_out_are_an_error() -> None:
    with pytest.raises(ExplorerError, match=r"cancel each other out: take one away$"):
        vector("lake -lake")


@pytest.mark.parametrize(
    ("prompt", "terms"),
    [
        ("2*lake, .5*cabin", [(2, "lake"), (0.5, "cabin")]),
        ("2 * lake -.5\u00d7people", [(2, "lake"), (-0.5, "people")]),
        ("lake +cabin, +2*boat", [(1, "lake"), (1, "cabin"), (2, "boat")]),
        ("C++, 7* hotel", [(1, "C++"), (7, "hotel")]),
        ("a * b", [(1, "a * b")]),
        ('"a red, small boat", lake', [(1, "a red, small boat", True), (1, "lake")]),
        ('lake -2*"a red, -small boat"', [(1, "lake"), (-2, "a red, -small boat", True)]),
        ("\u201cred, small\u201d boat", [(1, "red, small boat", True)]),
        ('a 6" ruler, lake', [(1, 'a 6" ruler'), (1, "lake")]),
        ('photo:"a, b.jpg"', [(1, "photo:a, b.jpg")]),
        ('"photo:x"', [(1, "photo:x", True)]),
        (
            "lake, .5*https://h/a,b.jpg cabin",
            [(1, "lake"), (0.5, "https://h/a,b.jpg"), (1, "cabin")],
        ),
    ],
)
def test_weights_quotes_and_addresses(prompt: str, terms: list[tuple[float, str]]) -> None:
    assert parse(prompt) == [Term(*term) for term in terms]


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ('lake, "a red', "The quotes before 'a red' have no end: write \"a red, small boat\""),
        ("lake, 2*", "2* stands before nothing: write 2*lake"),
        ('3*""', "3* stands before nothing: write 3*lake"),
        ("0*lake", "A term can't weigh 0: write a number over 0 and up to 100, as in 2*lake"),
        ("1000*lake", "A term can't weigh 1000: write a number over 0 and up to 100, as in 2*lake"),
        ("lake*2", "'lake*2' has its weight in the wrong place: write one before the text, as in"),
        ("2*3*lake", "'3*lake' has its weight in the wrong place: write one before the text"),
        ("0,5*lake", "0,5* can be read in two ways: write 0.5* for a weight, or a space after"),
        ("lake, picture:3", "There is no picture:3: attach a picture, or take that out of the"),
        ("picture:0", "There is no picture:0: attach a picture, or take that out of the prompt"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_to_write(prompt: str, text: str) -> None:
    with pytest.raises(ExplorerError) as raised:
        parse(prompt, 2)
    assert str(raised.value).startswith(text)
    assert "\n" not in str(raised.value)


def test_pictures_are_named_in_the_prompt_or_added_to_it() -> None:
    assert parse("picture") == [Term(1, "picture")], "a word, where none is attached"
    assert parse("a picture", 1) == [Term(1, "a picture"), Term(1, "picture:1")]
    assert parse("lake -.5*picture", 1) == [Term(1, "lake"), Term(-0.5, "picture:1")]
    assert parse("", 2) == [Term(1, "picture:1"), Term(1, "picture:2")]
    assert complete(" lake, ", 2) == "lake, picture, picture:2"
    assert complete("-picture:2, lake", 2) == "-picture:2, lake, picture"
    assert complete("", 1) == "picture"
    with pytest.raises(ExplorerError, match="says only what to keep away from"):
        parse("-picture", 1)


def test_a_picture_is_taken_out_of_a_prompt_or_put_in_the_place_of_its_address() -> None:
    assert without_picture('"x, y" -picture, .5*picture:2', 1, 2) == '"x, y", 0.5*picture'
    assert without_picture("picture", 1, 1) == ""
    addresses = ["http://h/a", "http://h/ab"]
    assert attached("lake -http://h/ab, 2*http://h/a", addresses, 1) == (
        "lake, -picture:3, 2*picture:2"
    )


def test_what_is_written_is_read_as_the_same() -> None:
    rng = np.random.default_rng(5)
    words = ["lake", "a boat", '"red, small"', "photo:x-1", "picture", "picture:2", "http://h/a"]
    for _ in range(300):
        parts = [
            rng.choice(["", "-", "+", "2*", "-.5*"]) + rng.choice(words)
            for _ in range(rng.integers(1, 6))
        ]
        prompt = ", ".join(["lake", *parts])
        assert parse(without_picture(prompt, 9, 2), 2) == parse(prompt, 2)
        assert parse(complete(prompt, 2), 2) == parse(prompt, 2)


def test_any_text_is_read_or_told_in_one_line() -> None:
    rng = np.random.default_rng(3)
    pieces = [
        *'",-+* .5:',
        "lake",
        "2*",
        "photo:",
        "picture",
        "\u201c",
        "http://",
        "\n",
        "\U0001f600",
    ]
    told = set()
    for _ in range(3000):
        prompt = "".join(rng.choice(pieces) for _ in range(rng.integers(0, 10)))
        try:
            parse(prompt, int(rng.integers(0, 3)))
        except ExplorerError as error:
            told.add("\n" in str(error))
    assert told == {False}


def test_terms_weigh_what_they_are_said_to() -> None:
    expected = 2 * AXES[0] - 0.5 * AXES[1] + AXES[9]
    found = combine(parse("2*lake -.5*cabin", 1), encode, lambda _: AXES[0], [AXES[9]])
    assert found == pytest.approx(expected / np.linalg.norm(expected), abs=1e-6)


@pytest.mark.parametrize(
    ("prompt", "pictures"),
    [("lake", 1), ("", 1), ("", 3), ("lake -.5*picture", 2), ("a picture", 1), ("-picture, x", 1)],
)
def test_the_box_shows_only_what_was_typed(prompt: str, pictures: int) -> None:
    assert brief(complete(prompt, pictures), pictures) == prompt


def test_a_title_tells_the_pictures_by_their_names() -> None:
    assert titled("lake, .5*picture:2", ["a.jpg", "b.jpg"]) == "lake, 0.5*b.jpg, a.jpg"


def test_a_prompt_of_an_earlier_version_names_its_photos_or_none() -> None:
    assert photos_of("lake, photo:a -photo:b") == ["a", "b"]
    assert photos_of('"lake, photo:a') == []
