"""Names of tables and views: which there may be, and how they stand in SQL."""

import re

from db.errors import ExplorerError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

# The explorer's own tables; a collection is a table beside them.
OWN = frozenset(
    {
        *("collections", "sessions", "rounds", "labels"),
        *("classifiers", "checks", "check_strata", "views", "label_tables", "failures"),
        *("photo_contents", "session_pictures", "counts", "prompt_means", "upgrades"),
        "audit_entries",
    }
)


def checked_name(name: str) -> str:
    """A table name that is a file's name on every system too, or an error.

    Raises:
        ExplorerError: the name is not 1 to 64 letters, digits and underscores, or starts with one.
    """
    if not is_name(name):
        raise ExplorerError(
            f"{name!r} can't name a collection: use 1 to 64 letters, digits and underscores, "
            "not starting with a digit"
        )
    return name


def is_name(name: str) -> bool:
    """Whether it is 1 to 64 letters, digits and underscores, and does not start with a digit."""
    return _NAME.fullmatch(name) is not None


def quoted(name: str) -> str:
    """A name as it stands in SQL: without quotes, `from` or `select` would be a word of SQL."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
