"""Whose sessions a list shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Whose:
    """A condition on the table of sessions, in SQL, and its values."""

    condition: str = "1"
    parameters: Mapping[str, str] = field(default_factory=dict)


EVERYBODYS = Whose()


def started_by(name: str) -> Whose:
    """Those that a person started."""
    return Whose("owner = %(name)s", {"name": name})


def shared_with(name: str) -> Whose:
    """Those of others that a person may see: shared ones, and those that nobody owns."""
    return Whose("owner != %(name)s AND (owner = '' OR shared != '')", {"name": name})


def of_others(name: str) -> Whose:
    """All that a person did not start, whether they may see them or not."""
    return Whose("owner != %(name)s", {"name": name})


def seen_by(name: str) -> Whose:
    """All that a person may see."""
    return Whose("(owner IN ('', %(name)s) OR shared != '')", {"name": name})
