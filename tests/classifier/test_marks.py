from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.marks import Marks
from db.sessions import DOWN, NONE, UNSURE, UP, LabelRow


class Person:
    """Clicks, and keeps the rows that the clicks come to."""

    def __init__(self) -> None:
        self.marks = Marks()
        self.rows: list[LabelRow] = []
        self._numbers = count(1)

    def click(self, labels: dict[str, int], undoes: int = 0, name: str = "") -> int:
        numbers = [next(self._numbers) for _ in labels]
        rows = [
            LabelRow("s", number, numbers[0], undoes, photo, label, 1, name)
            for number, (photo, label) in zip(numbers, labels.items(), strict=True)
        ]
        self.marks.replay(rows)
        self.rows += rows
        return numbers[0]

    def undo(self) -> None:
        last = self.marks.undoable()
        assert last is not None
        self.click(last.labels, last.number)

    def redo(self) -> None:
        last = self.marks.redoable()
        assert last is not None
        self.click(last.labels, last.number)


@pytest.fixture
def person() -> Person:
    return Person()


def test_an_undo_can_be_taken_back_and_taken_again(person: Person) -> None:
    person.click({"a": UP})
    person.click({"b": DOWN, "c": DOWN})
    person.undo()
    assert person.marks.given == {"a": UP, "b": NONE, "c": NONE}
    person.redo()
    assert person.marks.given == {"a": UP, "b": DOWN, "c": DOWN}
    person.undo()
    person.undo()
    assert person.marks.given == {"a": NONE, "b": NONE, "c": NONE}
    assert person.marks.undoable() is None
    person.redo()
    person.redo()
    assert person.marks.given == {"a": UP, "b": DOWN, "c": DOWN}
    assert person.marks.redoable() is None


def test_a_new_click_ends_what_can_be_given_again(person: Person) -> None:
    person.click({"a": UP})
    person.undo()
    person.click({"b": UNSURE})
    assert person.marks.redoable() is None
    person.undo()
    assert person.marks.given == {"a": NONE, "b": NONE}


def test_rows_read_back_come_to_the_same(person: Person) -> None:
    person.click({"a": UP}, name="one")
    person.click({"b": DOWN, "c": DOWN}, name="two")
    person.undo()
    person.redo()
    person.undo()
    person.click({"a": DOWN, "b": UP})
    person.undo()
    again = Marks()
    again.replay(person.rows)
    assert again.given == person.marks.given
    assert again.undoable() == person.marks.undoable()
    assert again.redoable() == person.marks.redoable()
    assert again.knows("one")
    assert not again.knows("three")


def test_a_click_is_named_by_the_browser_or_else_by_its_number(person: Person) -> None:
    number = person.click({"a": UP, "b": UP})
    assert person.marks.undoable() is not None
    assert person.marks.undoable().name == str(number)
    person.click({"c": UP}, name="k1-7")
    assert person.marks.undoable().name == "k1-7"


def test_a_blank_name_is_nobodys(person: Person) -> None:
    person.marks.note("")
    person.click({"a": UP})
    assert not person.marks.knows("")


# ---- several people


def several(*clicks: tuple[str, dict[str, int]]) -> Marks:
    """Marks after clicks by name, one after the other."""
    marks, numbers = Marks(), count(1)
    for by, labels in clicks:
        action = next(numbers)
        for photo, label in labels.items():
            marks.replay([LabelRow("s", action, action, 0, photo, label, 1, author=by)])
    return marks


def undo(marks: Marks, by: str, sequence: int) -> None:
    last = marks.undoable(by)
    assert last is not None
    for photo, label in last.labels.items():
        row = LabelRow("s", sequence, sequence, last.number, photo, label, 1, author=by)
        marks.replay([row])


def test_of_several_people_the_latest_counts_and_each_ones_own_is_kept() -> None:
    marks = several(("ann", {"a": UP, "b": UP}), ("bob", {"a": DOWN}))
    assert (marks.given, marks.authors) == ({"a": DOWN, "b": UP}, {"a": "bob", "b": "ann"})
    assert {by: vote.label for by, vote in marks.votes("a").items()} == {"ann": UP, "bob": DOWN}


def test_what_one_takes_away_leaves_what_the_others_say() -> None:
    marks = several(("ann", {"a": UP}), ("bob", {"a": DOWN}), ("bob", {"a": NONE}))
    assert (marks.given, marks.authors) == ({"a": UP}, {"a": "ann"})
    marks = several(("ann", {"a": UP}), ("ann", {"a": NONE}), ("bob", {"b": UP}))
    assert marks.given == {"a": NONE, "b": UP}


def test_an_undo_is_of_ones_own_click_and_never_overtakes_what_others_said_since() -> None:
    marks = several(
        ("bob", {"a": DOWN}), ("bob", {"a": UNSURE}), ("ann", {"a": UP}), ("ann", {"b": UP})
    )
    undo(marks, "bob", 5)
    assert {by: vote.label for by, vote in marks.votes("a").items()} == {"ann": UP, "bob": DOWN}
    assert (marks.given, marks.authors) == ({"a": UP, "b": UP}, {"a": "ann", "b": "ann"})
    assert marks.redoable("ann") is None
    undo(marks, "ann", 6)
    undo(marks, "ann", 7)
    assert marks.given == {"a": DOWN, "b": NONE}, "bob's of before is what is left"
    assert marks.undoable("ann") is None
    assert marks.undoable("bob") is not None


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "ann", "bob", "cem"]),
            st.sampled_from(["a", "b", "c"]),
            st.sampled_from([UP, DOWN, UNSURE, NONE, None]),  # None: an undo
        ),
        max_size=40,
    ),
    st.integers(0, 40),
)
def test_marks_are_the_same_told_at_once_or_in_parts_and_nobody_undoes_anothers(
    clicks: list[tuple[str, str, int | None]], cut: int
) -> None:
    marks, rows = Marks(), []
    for sequence, (by, photo, label) in enumerate(clicks, 1):
        last = marks.undoable(by)
        others = {
            (p, who): vote for p in "abc" for who, vote in marks.votes(p).items() if who != by
        }
        if label is None and last is None:
            continue
        given = last.labels if label is None and last is not None else {photo: label or 0}
        undoes = last.number if label is None and last is not None else 0
        new = [LabelRow("s", sequence, sequence, undoes, p, m, 1, "", by) for p, m in given.items()]
        marks.replay(new)
        rows += new
        for (p, who), vote in others.items():
            assert marks.votes(p)[who] == vote
    again = Marks()
    again.replay(rows[:cut])
    again.replay(rows[cut:])
    assert (again.given, again.authors) == (marks.given, marks.authors)
    for photo, label in marks.given.items():
        votes = [vote for vote in marks.votes(photo).values() if vote.label != NONE]
        latest = max(votes, key=lambda vote: vote.given, default=None)
        assert label == (latest.label if latest else NONE)
