from itertools import count

import pytest

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
        last = self.marks.undoable
        assert last is not None
        self.click(dict(last.before), last.number)

    def redo(self) -> None:
        last = self.marks.redoable
        assert last is not None
        self.click(dict(last.before), last.number)


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
    assert person.marks.undoable is None
    person.redo()
    person.redo()
    assert person.marks.given == {"a": UP, "b": DOWN, "c": DOWN}
    assert person.marks.redoable is None


def test_a_new_click_ends_what_can_be_given_again(person: Person) -> None:
    person.click({"a": UP})
    person.undo()
    person.click({"b": UNSURE})
    assert person.marks.redoable is None
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
    assert again.undoable == person.marks.undoable
    assert again.redoable == person.marks.redoable
    assert again.knows("one")
    assert not again.knows("three")


def test_a_click_is_named_by_the_browser_or_else_by_its_number(person: Person) -> None:
    number = person.click({"a": UP, "b": UP})
    assert person.marks.undoable is not None
    assert person.marks.undoable.name == str(number)
    person.click({"c": UP}, name="k1-7")
    assert person.marks.undoable.name == "k1-7"


def test_a_blank_name_is_nobodys(person: Person) -> None:
    person.marks.note("")
    person.click({"a": UP})
    assert not person.marks.knows("")
