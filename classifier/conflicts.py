"""Thumbs of two people on one photo: neither overwrites the other's without having seen it."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from classifier.marks import SILENT, Vote
from classifier.thumbs import Thumbs
from db.sessions import DOWN, NONE, UNSURE, UP, LabelRow
from db.words import counted

# What marks are called.
WORDS = {UP: "yes", DOWN: "no", UNSURE: "unsure"}
_SECOND = 10**9  # nanoseconds
_AGES = ((86_400, "day"), (3600, "hour"), (60, "minute"))  # seconds


def overtaken(
    thumbs: Thumbs, photos: Sequence[str], label: int, by: str, seen: Mapping[str, int]
) -> str:
    """Why a mark must not be given, in one line, or "": its page had not heard of another's.

    Whoever agrees with the other overwrites nothing.

    Args:
        thumbs: of the session.
        photos: to be marked.
        label: the mark to be given.
        by: the name of who gives it.
        seen: by photo, the mark that was on the page then; NONE where there was none.
    """
    newer = []
    for photo in photos:
        author, vote = thumbs.standing(photo)
        if photo in seen and author != by and vote.label not in (NONE, label, seen[photo]):
            newer.append((author, vote))
    return _told(newer, len(photos))


def untouchable(thumbs: Thumbs, photos: Sequence[str], by: str) -> str:
    """Why nobody's mark can be taken away, in one line, or "": all of them are other people's."""
    own = [photo for photo in photos if thumbs.votes(photo).get(by, SILENT).label != NONE]
    marked = [author for photo in photos for author, vote in [thumbs.standing(photo)] if vote.given]
    if own or not marked:
        return ""
    author = marked[0] or "Somebody who had not signed in"
    return f"{author} gave that mark, which nobody else takes away: mark it otherwise"


@dataclass(frozen=True)
class Crossing:
    """A mark that was stored at the same moment as another person's, elsewhere.

    Attributes:
        row: as it was given here.
        told: what to say of it, in one line.
        overwrites: whether it came later, so that the other's would not be seen; else the other's
            stands, and the other process sees to it.
    """

    row: LabelRow
    told: str
    overwrites: bool


def crossed(thumbs: Thumbs, given: Iterable[LabelRow], news: Iterable[LabelRow]) -> list[Crossing]:
    """Which of the rows given here crossed another's on their way.

    Args:
        thumbs: of the session, with all rows.
        given: rows that were just stored.
        news: rows of other processes that were not known when those were given.
    """
    others = {row.photo: row for row in news if row.label != NONE}
    found = []
    for row in given:
        other = others.get(row.photo)
        if other is None or row.undoes or row.label == NONE:
            continue
        vote = thumbs.votes(row.photo)[other.author]
        if other.author != row.author and vote.label not in (NONE, row.label):
            told = _told([(other.author, vote)], 1)
            found.append(Crossing(row, told, overwrites=other.sequence < row.sequence))
    return found


def _told(newer: Sequence[tuple[str, Vote]], of: int) -> str:
    if not newer:
        return ""
    author, vote = max(newer, key=lambda each: each[1].given)
    what = "it" if of == 1 else f"{len(newer)} of these photos"
    word = WORDS[vote.label]
    return f"{author or 'Somebody'} marked {what} {word} {_ago(vote.given)}: look, and press again"


def _ago(moment: int) -> str:
    seconds = (time.time_ns() - moment) // _SECOND
    for size, unit in _AGES:
        if seconds >= size:
            return f"{counted(seconds // size, unit)} ago"
    return "a moment ago"
