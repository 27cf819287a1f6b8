"""The marks of a session: what stands on each photo, and which clicks can be taken back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from db.sessions import NONE, LabelRow


@dataclass(frozen=True)
class Click:
    """One click that can be taken back or, where it was taken back, be given again.

    Attributes:
        number: its action in the table of labels.
        name: what it is called outside: the browser's name for it, or else its number.
        before: the marks before it, by photo.
        round: the round that showed the first of its photos.
    """

    number: int
    name: str
    before: Mapping[str, int]
    round: int


class Marks:
    """What stands after all rows so far; each row of the table of labels is replayed once."""

    def __init__(self) -> None:
        self.given: dict[str, int] = {}
        self.sequence = 0
        self._undoable: list[Click] = []
        self._redoable: list[Click] = []
        self._names: set[str] = set()

    @property
    def undoable(self) -> Click | None:
        """The click that an undo takes back, or None."""
        return self._undoable[-1] if self._undoable else None

    @property
    def redoable(self) -> Click | None:
        """The undo that a redo takes back, or None."""
        return self._redoable[-1] if self._redoable else None

    def knows(self, name: str) -> bool:
        """Whether a click of that name, or its undoing, was replayed already."""
        return name in self._names

    def note(self, name: str) -> None:
        """Remember a click that changes nothing, so that it does not when it is sent again."""
        if name:
            self._names.add(name)

    def replay(self, rows: Iterable[LabelRow]) -> None:
        """Go on by some rows, in their order."""
        for row in rows:
            self._replay(row)

    def _replay(self, row: LabelRow) -> None:
        self.sequence = row.sequence
        before = {row.photo: self.given.get(row.photo, NONE)}
        self.given[row.photo] = row.label
        self.note(row.click)
        clicks = self._continued(row) or self._turn(row)
        last = clicks.pop() if _last_is(clicks, row.action) else _new_click(row)
        clicks.append(replace(last, before={**before, **last.before}))

    def _continued(self, row: LabelRow) -> list[Click] | None:
        """The list that ends with the click of which this is a further row."""
        lists = (self._undoable, self._redoable)
        return next((clicks for clicks in lists if _last_is(clicks, row.action)), None)

    def _turn(self, row: LabelRow) -> list[Click]:
        """Take what the row undoes from its list; returns the list that the row's click joins."""
        if row.undoes and _last_is(self._redoable, row.undoes):
            self._redoable.pop()
            return self._undoable
        if row.undoes:
            self._undoable = [click for click in self._undoable if click.number != row.undoes]
            return self._redoable
        self._redoable.clear()
        return self._undoable


def _last_is(clicks: list[Click], number: int) -> bool:
    return bool(clicks) and clicks[-1].number == number


def _new_click(row: LabelRow) -> Click:
    return Click(row.action, row.click or str(row.action), {}, row.round)
