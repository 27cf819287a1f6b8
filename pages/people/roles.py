"""Which role each person has, by one setting."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from db.errors import ExplorerError

EVERYBODY = "*"
_FORM = "write ROLES like: owner: ann@x.org; labeller: @x.org; viewer: *"


class Role(IntEnum):
    """What somebody is here, each with all that the ones before it may do."""

    STRANGER = 0  # has no business here
    VIEWER = 1
    LABELLER = 2
    OWNER = 3

    @property
    def title(self) -> str:
        """As the setting calls it."""
        return self.name.lower()


_BY_TITLE = {role.title: role for role in (Role.VIEWER, Role.LABELLER, Role.OWNER)}


def called(name: str) -> str:
    """A name as names are compared: without regard to capitals.

    Of ASCII alone: among all of Unicode, lowering makes different people the same, as the Kelvin
    sign a k.
    """
    bare = name.strip()
    return bare.lower() if bare.isascii() else bare


@dataclass(frozen=True)
class Roles:
    """Roles by name, by domain (with its @), and for everybody (`*`); the closest counts."""

    of: Mapping[str, Role] = field(default_factory=dict)

    def role(self, name: str) -> Role:
        """The role of a person by that name, which is compared as `called` says."""
        if not name:
            return Role.STRANGER
        _, at, domain = name.rpartition("@")
        keys = (name, f"@{domain}" if at else "", EVERYBODY)
        return next((self.of[key] for key in keys if key in self.of), Role.STRANGER)

    def named(self, role: Role) -> list[str]:
        """The people, not the domains, that a role is given to by name."""
        return [key for key, given in self.of.items() if given is role and key[0] not in "@*"]


def read_roles(text: str) -> Roles:
    """Read the setting `ROLES`.

    Raises:
        ExplorerError: it can't be understood, or says two things of somebody.
    """
    found: dict[str, Role] = {}
    for part in filter(None, map(str.strip, text.replace("\n", ";").split(";"))):
        title, colon, names = part.partition(":")
        role = _BY_TITLE.get(title.strip().lower())
        if role is None or not colon:
            raise ExplorerError(f"ROLES has no role {title.strip()[:40]!r}: {_FORM}")
        for name in map(called, names.split(",")):
            _refuse_no_name(name, role)
            if found.setdefault(name, role) is not role:
                raise ExplorerError(
                    f"ROLES gives {name[:80]!r} two roles, {found[name].title} and {role.title}: "
                    "delete one of them"
                )
    return Roles(found)


def _refuse_no_name(name: str, role: Role) -> None:
    meant = name == EVERYBODY or (name and not {*" *\t"} & {*name} and not name.endswith("@"))
    if not meant or name.count("@") > 1:
        raise ExplorerError(
            f"ROLES has {name[:80]!r} as {role.title}, which is no person, domain (@x.org) or "
            f"everybody (*): {_FORM}"
        )
