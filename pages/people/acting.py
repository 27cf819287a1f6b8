"""What stands before everything that changes what others have, or shows who did it."""

from typing import Any

from db.audit import Entry
from db.database import Database
from pages.markdown import escaped
from pages.people.deeds import LEAST, Deed
from pages.people.person import Person, current, require, require_own
from pages.people.roles import Role
from pages.people.team import team


def authorize(
    database: Database, deed: Deed, target: str, owner: str = "", person: Person | None = None
) -> Person:
    """Let somebody do a deed, and write down what owners do, before it is done.

    Args:
        database: where it is written down.
        deed: of which kind it is.
        target: to what, in words; with what is done, where the deed alone does not tell.
        owner: whose the target is, or "" for anybody's.
        person: who does it; whoever is at the page by default.

    Returns:
        Who does it.

    Raises:
        NotAllowedError: they may not.
        ExplorerError: it can't be written down, and so is not to be done.
    """
    person = current() if person is None else person
    require(person, deed)
    require_own(person, owner, target)
    not_theirs = owner not in ("", person.name)
    if (LEAST[deed] is Role.OWNER or not_theirs) and not team().is_private:
        of = f" (of {owner})" if not_theirs else ""
        database.audit.add(Entry(person.name, deed.value, f"{target}{of}"))
    return person


def hindrance(deed: Deed, owner: str = "") -> str:
    """Why whoever is at the page may not do a deed, or ""; for what they need not try."""
    person = current()
    if not person.may(deed):
        return f"This takes a role that you have not: {LEAST[deed].title}"
    return "" if person.may_change(owner) else f"It belongs to {owner}"


def barred(why_not: str) -> dict[str, Any]:
    """How a button looks that somebody may not use: greyed out, and it tells why; see hindrance."""
    return {"disabled": bool(why_not), "help": escaped(why_not) or None}
