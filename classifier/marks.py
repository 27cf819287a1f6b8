"""The marks of a session: what stands on each photo, and which clicks can be taken back.

Several people may mark one photo. Of each the latest mark counts, their vote; what stands on the
photo, and is fit, is the latest vote that was not taken away. Taking back a click puts the person's
own vote back to what it was, as old as it was: it never overtakes what others said since.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from db.sessions import NONE, LabelRow


@dataclass(frozen=True)
class Vote:
    """What one person says of one photo.

    Attributes:
        label: UP, DOWN, UNSURE, or NONE where they took it away.
        given: the sequence of the row that said so first: later ones have larger numbers.
    """

    label: int
    given: int


SILENT = Vote(NONE, 0)


@dataclass(frozen=True)
class Click:
    """One click that can be taken back or, where it was taken back, be given again.

    Attributes:
        number: its action in the table of labels.
        name: what it is called outside: the browser's name for it, or else its number.
        before: the person's votes before it, by photo.
        round: the round that showed the first of its photos.
    """

    number: int
    name: str
    before: Mapping[str, Vote]
    round: int

    @property
    def labels(self) -> dict[str, int]:
        """The marks that the person had given before it, by photo."""
        return {photo: vote.label for photo, vote in self.before.items()}


class Marks:
    """What stands after all rows so far; each row of the table of labels is replayed once.

    Attributes:
        given: what stands on each photo that was ever marked.
        authors: who gave that.
        sequence: the largest so far.
    """

    def __init__(self) -> None:
        self.given: dict[str, int] = {}
        self.authors: dict[str, str] = {}
        self.sequence = 0
        self._votes: dict[str, dict[str, Vote]] = {}  # by photo, by author
        self._clicks: dict[int, Click] = {}
        self._undoable: defaultdict[str, list[Click]] = defaultdict(list)  # by author
        self._redoable: defaultdict[str, list[Click]] = defaultdict(list)
        self._names: set[str] = set()

    def undoable(self, by: str = "") -> Click | None:
        """The click of a person's that an undo takes back, or None."""
        clicks = self._undoable.get(by)
        return clicks[-1] if clicks else None

    def redoable(self, by: str = "") -> Click | None:
        """The undo of a person's that a redo takes back, or None."""
        clicks = self._redoable.get(by)
        return clicks[-1] if clicks else None

    def click(self, number: int) -> Click:
        """A click that was replayed."""
        return self._clicks[number]

    def votes(self, photo: str) -> Mapping[str, Vote]:
        """What each person says of a photo, by their name; SILENT of those who took it away."""
        return dict(self._votes.get(photo, {}))  # a copy, since another tab may add to it

    def standing(self, photo: str) -> tuple[str, Vote]:
        """Whose vote stands on a photo, and the vote; SILENT where none does."""
        said = [(by, vote) for by, vote in self.votes(photo).items() if vote.label != NONE]
        return max(said, key=lambda each: each[1].given, default=("", SILENT))

    def knows(self, name: str) -> bool:
        """Whether a click of that name, or its undoing, was replayed already."""
        return name in self._names

    def note(self, *names: str) -> None:
        """Remember clicks that change nothing, so that they don't when they are sent again."""
        self._names.update(filter(None, names))

    def like(self, other: "Marks") -> None:
        """Remember the clicks that other marks know, also those that left no row."""
        self._names |= other._names

    def replay(self, rows: Iterable[LabelRow]) -> None:
        """Go on by some rows, in their order."""
        for row in rows:
            self._replay(row)

    def _replay(self, row: LabelRow) -> None:
        self.sequence = max(self.sequence, row.sequence)
        votes = self._votes.setdefault(row.photo, {})
        before = {row.photo: votes.get(row.author, SILENT)}
        votes[row.author] = self._vote(row)
        by, standing = self.standing(row.photo)
        self.given[row.photo], self.authors[row.photo] = standing.label, by
        self.note(row.click)
        clicks = self._continued(row) or self._turn(row)
        last = clicks.pop() if _last_is(clicks, row.action) else _new_click(row)
        clicks.append(replace(last, before={**before, **last.before}))
        self._clicks[row.action] = clicks[-1]

    def _vote(self, row: LabelRow) -> Vote:
        undone = self._clicks.get(row.undoes)
        former = undone.before.get(row.photo) if undone is not None else None
        if former is not None and former.label == row.label:
            return former
        return Vote(row.label, row.sequence)

    def _continued(self, row: LabelRow) -> list[Click] | None:
        """The list that ends with the click of which this is a further row."""
        lists = (self._undoable[row.author], self._redoable[row.author])
        return next((clicks for clicks in lists if _last_is(clicks, row.action)), None)

    def _turn(self, row: LabelRow) -> list[Click]:
        """Take what the row undoes from its list; returns the list that the row's click joins."""
        undoable, redoable = self._undoable[row.author], self._redoable[row.author]
        if row.undoes and _last_is(redoable, row.undoes):
            redoable.pop()
            return undoable
        if row.undoes:
            undoable[:] = [click for click in undoable if click.number != row.undoes]
            return redoable
        redoable.clear()
        return undoable


def standing_in(rows: Iterable[LabelRow]) -> dict[str, int]:
    """What stands on each photo after a session's rows, NONE where a mark was taken away."""
    marks = Marks()
    marks.replay(rows)
    return marks.given


def _last_is(clicks: list[Click], number: int) -> bool:
    return bool(clicks) and clicks[-1].number == number


def _new_click(row: LabelRow) -> Click:
    return Click(row.action, row.click or str(row.action), {}, row.round)
