"""A prompt of several terms: `lake, .5*cabin -people`, `"a red, small boat"`, `lake, +picture`.

A term is a text, a picture that was attached (`picture`, `picture:2`), a photo of the collection
(`photo:ID`), or the address of a picture. Its sign and its weight stand before it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from db.dialect import Vector
from db.errors import ExplorerError

PHOTO = "photo:"
PICTURE = "picture"
MOST = 100.0  # what a term may weigh

# A sign counts where a word begins, so "hot-air balloon" is one term, and so are "a - b" and
# "at -5 degrees".
_WEIGHT = r"(?:\d+(?:\.\d*)?|\.\d+)[ \t]*[*\u00d7]"
_SIGN = re.compile(rf"(?P<sign>[+\u2212-])(?={_WEIGHT}|[^\s\d+-])")
_WEIGHED = re.compile(rf"(?P<weight>{_WEIGHT})\s*")
_WEIGHED_LAST = re.compile(r"\S\s*[*\u00d7]\s*(?:\d+(?:\.\d*)?|\.\d+)$")
_DECIMAL_COMMA = re.compile(r"(?<![^\s,+\u2212-])(\d+),(\d+\s*[*\u00d7])")
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_QUOTES = {'"': '"', "\u201c": "\u201d\u201c", "\u201e": "\u201c\u201d", "\u00ab": "\u00bb"}


@dataclass(frozen=True)
class Term:
    """One thing to look for, or, with a weight below zero, to keep away from.

    Attributes:
        weight: how much it counts; 1 unless it was said.
        text: what was typed, without its sign, weight and quotes.
        quoted: whether it stood in quotes, and so is a text whatever it looks like.
    """

    weight: float
    text: str
    quoted: bool = False

    @property
    def photo(self) -> str:
        """The id of the photo of the collection that this term stands for, or ""."""
        is_photo = self.text.startswith(PHOTO) and not self.quoted
        return self.text.removeprefix(PHOTO) if is_photo else ""

    @property
    def picture(self) -> int:
        """The number of the attached picture that this term stands for, from 1, or 0."""
        found = re.fullmatch(rf"{PICTURE}:(\d{{1,4}})", self.text)
        return int(found[1]) if found and not self.quoted else 0

    @property
    def address(self) -> str:
        """The address of the picture that this term stands for, or ""."""
        return self.text if _ADDRESS.fullmatch(self.text) and not self.quoted else ""

    @property
    def is_text(self) -> bool:
        """Whether it is for the text tower."""
        return not (self.photo or self.picture or self.address)


def parse(prompt: str, pictures: int = 0) -> list[Term]:
    """The terms of a prompt, separated by commas or by a sign before a word.

    Args:
        prompt: what was typed.
        pictures: how many are attached. `picture` alone means the first one, where there is one;
            those that the prompt doesn't name are added to it.

    Raises:
        ExplorerError: there is no term, or none to look for, or a term can't be understood.
    """
    terms = [_named(term, pictures) for term in _read(prompt)]
    named = {term.picture for term in terms}
    terms += [Term(1, _token(n)) for n in range(1, pictures + 1) if n not in named]
    if not terms:
        raise ExplorerError("The prompt is empty: type what the photos should show")
    if all(term.weight < 0 for term in terms):
        raise ExplorerError(
            f"{prompt.strip()!r} says only what to keep away from: type what to look for as well"
        )
    return terms


def complete(prompt: str, pictures: int) -> str:
    """A prompt that names all the pictures that are attached to it."""
    named = {_named(term, pictures).picture for term in _read(prompt)}
    missing = [n for n in range(1, pictures + 1) if n not in named]
    written = [PICTURE if n == 1 else _token(n) for n in missing]
    return ", ".join(filter(None, [prompt.strip().rstrip(",").rstrip(), *written]))


def without_picture(prompt: str, number: int, pictures: int) -> str:
    """A prompt without one of its pictures, the later of which then have other numbers."""
    kept = [_named(term, pictures) for term in _read(prompt)]
    return ", ".join(
        _written(replace(term, text=_token(term.picture - 1)) if term.picture > number else term)
        for term in kept
        if term.picture != number
    )


def attached(prompt: str, addresses: Sequence[str], pictures: int) -> str:
    """A prompt with pictures in the place of their addresses.

    Args:
        prompt: what was typed.
        addresses: of the pictures that were attached after the others.
        pictures: how many others there were.
    """
    numbers = {address: n for n, address in enumerate(addresses, pictures + 1)}
    terms = [_named(term, pictures) for term in _read(prompt)]
    return ", ".join(
        _written(replace(term, text=_token(numbers[term.text])) if term.address else term)
        for term in terms
    )


def brief(prompt: str, pictures: int) -> str:
    """A prompt without the pictures that `complete` adds to it again."""
    for number in range(pictures, 0, -1):
        written = PICTURE if number == 1 else _token(number)
        shorter = prompt.removesuffix(written).rstrip()
        if shorter == prompt or (shorter and not shorter.endswith(",")):
            break
        prompt = shorter.rstrip(", ")
    return prompt


def titled(prompt: str, names: Sequence[str]) -> str:
    """A prompt with the names of its pictures in their places."""
    terms = parse(prompt, len(names))
    return ", ".join(
        _written(replace(term, text=names[term.picture - 1]) if term.picture else term)
        for term in terms
    )


def photos_of(prompt: str) -> list[str]:
    """The ids of the photos that a prompt names.

    None for one of an earlier version that is none any more, such as one with a single quote.
    """
    try:
        return [term.photo for term in _read(prompt) if term.photo]
    except ExplorerError:
        return []


def _token(number: int) -> str:
    return f"{PICTURE}:{number}"


def _named(term: Term, pictures: int) -> Term:
    """A term with the number of its picture, if it is one.

    Raises:
        ExplorerError: there is no picture of that number.
    """
    if term.text == PICTURE and pictures and not term.quoted:
        return replace(term, text=_token(1))
    if term.picture > pictures or term.text == _token(0):
        raise ExplorerError(
            f"There is no {term.text}: attach a picture, or take that out of the prompt"
        )
    return term


def _written(term: Term) -> str:
    """A term as it can be read again."""
    sign = "-" if term.weight < 0 else ""
    weight = "" if abs(term.weight) == 1 else f"{abs(term.weight):g}*"
    text = f'"{term.text}"' if term.quoted else term.text
    return sign + weight + (PICTURE if text == _token(1) else text)


# ---- reading


def _read(prompt: str) -> list[Term]:
    """The terms of a prompt as they stand.

    Raises:
        ExplorerError: a quote has no end, or a weight can't be read.
    """
    decimal = _DECIMAL_COMMA.search(prompt)
    if decimal and not any(quote in prompt for quote in _QUOTES):
        whole, rest = decimal.groups()
        raise ExplorerError(
            f"{decimal[0]} can be read in two ways: write {whole}.{rest} for a weight, or a space "
            "after the comma"
        )
    terms, place = [], 0
    while place < len(prompt):
        term, place = _next_term(prompt, place)
        if term is not None:
            terms.append(term)
    return terms


def _next_term(prompt: str, place: int) -> tuple[Term | None, int]:
    """The term that begins at a place, if any, and where the next one begins."""
    place = _after_space(prompt, place)
    sign = _SIGN.match(prompt, place)
    place = sign.end() if sign else place
    weighed = _WEIGHED.match(prompt, place)
    place = weighed.end() if weighed else place
    text, quoted, place = _body(prompt, place)
    weight = _weight(weighed["weight"] if weighed else "", text, quoted=quoted)
    if not text:
        return None, place
    return Term(-weight if sign and sign["sign"] != "+" else weight, text, quoted), place


def _weight(written: str, text: str, *, quoted: bool) -> float:
    """What a term weighs.

    Raises:
        ExplorerError: it weighs nothing or too much, twice, or after its text.
    """
    number = written.rstrip("*\u00d7 \t")
    if not text and written:
        raise ExplorerError(f"{written} stands before nothing: write {number}*lake")
    if text and not quoted and (_WEIGHED_LAST.search(text) or _WEIGHED.match(text)):
        raise ExplorerError(
            f"{text[:80]!r} has its weight in the wrong place: write one before the text, as in "
            '2*lake, or put the text into "quotes"'
        )
    weight = float(number or 1)
    if not 0 < weight <= MOST:
        raise ExplorerError(
            f"A term can't weigh {number}: write a number over 0 and up to {MOST:g}, as in 2*lake"
        )
    return weight


def _body(prompt: str, place: int) -> tuple[str, bool, int]:
    """A term's text, whether it stands in quotes, and where the next term begins.

    Raises:
        ExplorerError: a quote has no end.
    """
    prefix = PHOTO if prompt.startswith(PHOTO, place) else ""
    start = place + len(prefix)
    address = _ADDRESS.match(prompt, place)
    if address:
        return address[0].rstrip(","), False, address.end()
    if prompt[start : start + 1] in _QUOTES:
        inside, end = _quoted(prompt, start)
        rest, end = _bare(prompt, end)
        return prefix + " ".join(filter(None, [inside, rest])), not prefix, end
    text, end = _bare(prompt, place)
    return text, False, end


def _quoted(prompt: str, place: int) -> tuple[str, int]:
    """What stands in the quotes that open at a place, and where they end."""
    closing = _QUOTES[prompt[place]]
    end = next((n for n in range(place + 1, len(prompt)) if prompt[n] in closing), -1)
    if end < 0:
        raise ExplorerError(
            f'The quotes before {prompt[place + 1 :][:80]!r} have no end: write "a red, small boat"'
        )
    return prompt[place + 1 : end].strip(), end + 1


def _bare(prompt: str, place: int) -> tuple[str, int]:
    """What stands up to the next comma or sign, and where the next term begins."""
    for n in range(place, len(prompt)):
        if prompt[n] == ",":
            return prompt[place:n].strip(), n + 1
        if n > place and prompt[n - 1].isspace() and _SIGN.match(prompt, n):
            return prompt[place:n].strip(), n
    return prompt[place:].strip(), len(prompt)


def _after_space(prompt: str, place: int) -> int:
    while place < len(prompt) and (prompt[place].isspace() or prompt[place] == ","):
        place += 1
    return place


# ---- to one vector


def combine(
    terms: Sequence[Term],
    encode_text: Callable[[list[str]], np.ndarray],
    encode_photo: Callable[[str], Vector],
    pictures: Sequence[Vector] = (),
) -> Vector:
    """The sum of the terms' unit vectors, each times its weight, normalised.

    Texts and pictures are summed apart, since what all texts share is no part of a picture.

    Args:
        terms: at least one, none of them an address.
        encode_text: texts (n) -> float32 (n, 512), unit norm.
        encode_photo: a photo's id -> float32 (512,), unit norm.
        pictures: float32 (512,) each, unit norm: those that are attached, in order.

    Returns:
        float32 (512,), unit norm.

    Raises:
        ExplorerError: the terms cancel each other out.
    """
    texts = [term for term in terms if term.is_text]
    parts = [t.weight * pictures[t.picture - 1] for t in terms if t.picture]
    parts += [t.weight * encode_photo(t.photo) for t in terms if t.photo]
    if texts:
        encoded = encode_text([term.text for term in texts])
        weighed = [t.weight * vector for t, vector in zip(texts, encoded, strict=True)]
        parts.append(np.sum(weighed, axis=0))
    total = np.sum(parts, axis=0)
    length = np.linalg.norm(total)
    if length < 1e-4 * max(abs(term.weight) for term in terms):
        raise ExplorerError("The terms of the prompt cancel each other out: take one away")
    vector: Vector = (total / length).astype(np.float32)
    return vector
