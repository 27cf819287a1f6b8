"""Whose a session is, and what others may do in it.

It belongs to who started it. Others see it once it is shared, and label in it where it is shared
for that; owners of the app see all, rename, share and delete them, and give thumbs where others
may. A session of before people signed in is nobody's: all may see it, and label in it. Where
nobody signs in, all of them are everybody's.
"""

from db.database import Database
from db.errors import GoneError
from db.sessions import LABELLING, SessionRow
from db.whose import EVERYBODYS, Whose, seen_by
from pages.people.acting import authorize
from pages.people.deeds import Deed
from pages.people.person import NotAllowedError, Person


class NotSharedError(GoneError):
    """A session that is none of a person's business."""


def may_see(person: Person, row: SessionRow) -> bool:
    """Whether a person may look at a session."""
    return _is_own(person, row) or bool(row.shared) or person.may(Deed.MANAGE)


def may_label(person: Person, row: SessionRow) -> bool:
    """Whether a session is there for a person to go on with, if their role lets them label."""
    return _is_own(person, row) or row.shared == LABELLING


def may_change(person: Person, row: SessionRow) -> bool:
    """Whether a person may rename, share and delete a session."""
    return row.owner == person.name or person.may(Deed.MANAGE)


def require_sight(person: Person, row: SessionRow) -> None:
    """Stop where a person may not look at a session.

    Raises:
        NotSharedError: they may not.
    """
    if not may_see(person, row):
        raise NotSharedError("This session is not shared with you: ask who sent you its address")


def require_part(person: Person, row: SessionRow) -> None:
    """Stop where a person may look at a session, and not go on with it.

    Raises:
        NotAllowedError: they may not.
    """
    if not may_label(person, row):
        raise NotAllowedError(
            f"This session is {row.owner}'s, shared to be looked at: ask them to share it for "
            "labelling"
            if row.shared
            else f"This session is {row.owner}'s, and not shared: ask them to share it"
        )


def require_change(person: Person, row: SessionRow) -> None:
    """Stop where a session is another person's to rename, share and delete.

    Raises:
        NotAllowedError: it is.
    """
    if not may_change(person, row):
        whose = f"{row.owner}'s" if row.owner else "nobody's, so only owners of the app change it"
        raise NotAllowedError(f"This session is {whose}: ask them")


def authorize_change(database: Database, person: Person, row: SessionRow, what: str) -> None:
    """Let somebody rename, share or delete a session; what owners do to others' is written down.

    Args:
        database: where that is written.
        person: who does it.
        row: the session.
        what: is done to it.

    Raises:
        NotAllowedError: they may not.
        ExplorerError: it can't be written down, and so is not to be done.
    """
    require_change(person, row)
    if row.owner != person.name:
        authorize(database, Deed.MANAGE, f"the session {row.title}: {what}", row.owner, person)


def whose_to_see(person: Person) -> Whose:
    """Which sessions a list offers to a person: their own, and those that are shared with them."""
    return seen_by(person.name) if person.name else EVERYBODYS


def _is_own(person: Person, row: SessionRow) -> bool:
    return not person.name or row.owner in ("", person.name)
