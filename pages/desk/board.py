"""What a desk shows and does, whatever stands behind it: a session, or a check sample."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from db.errors import ExplorerError
from pages.people.deeds import Deed
from pages.people.person import Person, require

State = dict[str, Any]

LATEST = 0
AS_VERSION = "version"  # saves under a name that is there, whatever session had it


@dataclass(frozen=True)
class Act:
    """One thing that a person did, as the browser tells it.

    Attributes:
        do: what: `mark`, `rest`, `undo`, `redo`, `refine`, `like`, `without`, `save`, or `store`
            to try again to store what the database has not taken.
        click: what the browser calls it; an act that comes twice is done once.
        photos: the ids of the photos it is about.
        label: the mark to give, UP, DOWN, UNSURE or NONE.
        round: the round that was on screen, or LATEST.
        of: the click that an undo or a redo means, or "".
        after: how many rounds there were.
        fact: the kind of the condition to take away, a field of Filter; or AS_VERSION.
        value: the condition, or the name to save a classifier under.
        seen: by photo, the mark that the desk showed when it was given another one.
    """

    do: str
    click: str = ""
    photos: tuple[str, ...] = ()
    label: int = -1
    round: int = LATEST
    of: str = ""
    after: int = 0
    fact: str = ""
    value: str = ""
    seen: Mapping[str, int] = field(default_factory=dict)


# What each act of a desk is, for who may do it.
_DEEDS: Mapping[str, Deed] = {
    **dict.fromkeys(("mark", "rest", "undo", "redo", "store"), Deed.LABEL),
    **dict.fromkeys(("refine", "like", "without"), Deed.SEARCH),
    "save": Deed.SAVE,
}


def require_act(person: Person, act: Act) -> None:
    """Stop where a person may not do that on any desk.

    Raises:
        ExplorerError: they may not, or no desk does it.
    """
    if act.do not in _DEEDS:
        raise ExplorerError(f"A desk has no {act.do!r}: reload the page")
    require(person, _DEEDS[act.do])


def searches(sent: object) -> bool:
    """Whether acts, as they were sent, have the database searched."""
    acts = sent if isinstance(sent, list) else []
    done = [act.get("do") for act in acts if isinstance(act, dict)]
    return any(_DEEDS.get(do) is Deed.SEARCH for do in done if isinstance(do, str))


def allowed(person: Person, what: Sequence[str]) -> list[str]:
    """Those of the things a desk can do that a person may do."""
    return [each for each in what if person.may(_DEEDS[each])]


@dataclass(frozen=True)
class Show:
    """Which photos the desk shows.

    Attributes:
        round: those of this round.
        mark: instead, all photos that have this mark.
        have: the `key` of the round whose photos the browser has, which needn't be told again.
    """

    round: int = LATEST
    mark: int | None = None
    have: str = ""


@dataclass(frozen=True)
class Answer:
    """What came of an act.

    Attributes:
        said: a sentence to be shown, or "".
        round: the round to go to, if any.
        photos: the ids of the photos that it changed, where a person has to be shown which.
        asked: what has to be chosen before it can be done, or None.
    """

    said: str = ""
    round: int | None = None
    photos: tuple[str, ...] = ()
    asked: "NameTaken | None" = None


@dataclass(frozen=True)
class NameTaken:
    """A classifier of another session has the name that one was to be saved under.

    Attributes:
        problem: a sentence that says so.
        free: a name like it that is free.
        version: what a button says that makes these thumbs the other one's next version, or "".
    """

    problem: str
    free: str
    version: str


class Board(Protocol):
    """What stands behind a desk."""

    def together(self) -> AbstractContextManager[None]:
        """Acts inside may be stored at once, at the end."""

    @property
    def at(self) -> int:
        """Grows with each change of the state, in all processes alike."""

    def crossed(self) -> Mapping[str, str]:
        """Why acts that were done together were taken back at once, by click; told once."""

    def act(self, act: Act) -> Answer:
        """Do what a person did.

        Raises:
            ExplorerError: it can't be done; the text says why.
        """

    def state(self, show: Show) -> State:
        """What the desk shows, to be sent as JSON; the keys are those that `desk.js` lists.

        Raises:
            ExplorerError: there is no such round.
        """


Boards = Mapping[str, Callable[[str], Board]]


class UnreadableError(ExplorerError):
    """What a request says is not what a desk sends."""


def read_acts(sent: object) -> list[Act]:
    """The acts of a request.

    Raises:
        UnreadableError: they are not what a desk sends.
    """
    if not isinstance(sent, Sequence) or isinstance(sent, str):
        raise UnreadableError("A desk sends a list of acts: reload the page")
    return [_read_act(act) for act in sent]


def read_show(sent: object) -> Show:
    """Which photos a request asks for.

    Raises:
        UnreadableError: it is not what a desk sends.
    """
    if not isinstance(sent, Mapping):
        raise UnreadableError("A desk says what it shows: reload the page")
    mark = sent.get("mark")
    if mark is not None and (not isinstance(mark, int) or not _is_number(mark)):
        raise UnreadableError(f"There is no mark {mark!r}: reload the page")
    return Show(_number(sent, "round", LATEST), mark, _text(sent, "have"))


def _read_act(sent: object) -> Act:
    if not isinstance(sent, Mapping):
        raise UnreadableError("An act is an object: reload the page")
    photos = sent.get("photos", ())
    if not isinstance(photos, Sequence) or not all(isinstance(photo, str) for photo in photos):
        raise UnreadableError("An act names its photos: reload the page")
    seen = sent.get("seen", {})
    if not isinstance(seen, Mapping) or not all(map(_is_number, seen.values())):
        raise UnreadableError("An act tells the marks that it saw: reload the page")
    return Act(
        photos=tuple(photos),
        seen=seen,
        label=_number(sent, "label", -1),
        round=_number(sent, "round", LATEST),
        after=_number(sent, "after", 0),
        **{name: _text(sent, name) for name in ("do", "click", "of", "fact", "value")},
    )


def _text(sent: Mapping[str, object], name: str) -> str:
    value = sent.get(name, "")
    if not isinstance(value, str) or len(value) > 1000:
        raise UnreadableError(f"An act's {name} is a short text: reload the page")
    return value


def _number(sent: Mapping[str, object], name: str, default: int) -> int:
    value = sent.get(name, default)
    if not isinstance(value, int) or not _is_number(value):
        raise UnreadableError(f"An act's {name} is a number: reload the page")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -1 <= value < 1 << 31
