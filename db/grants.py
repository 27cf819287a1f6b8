"""What a user of a server has to be granted beside their own database."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from db.dialect import Dialect
from db.errors import EngineError, ExplorerError
from db.faults import shown_url
from db.names import quoted

# UNKNOWN_TABLE, ACCESS_DENIED (src/Common/ErrorCodes.cpp): how a server answers who may not read.
_HIDDEN = (60, 497)


def check_grants(command: Callable[[str], Any], url: str, dialect: Dialect) -> None:
    """See that the state of an index can be read: else nobody would notice that there is none.

    Args:
        command: runs a statement.
        url: the DSN.
        dialect: of the server.

    Raises:
        ExplorerError: it can't; the text has the grants that are missing.
    """
    tables = [f"system.{table}" for table in dialect.index_tables]
    if not tables or _may_read(command, tables):
        return
    user = unquote(urlsplit(url).username or "default")
    missing = [table for table in tables if not _may_read(command, [table])]
    grants = "; ".join(f"GRANT SELECT ON {table} TO {quoted(user)}" for table in missing)
    raise ExplorerError(
        f"The user {user} can't see at {shown_url(url)} how far the vector indexes of "
        f"{dialect.name} are: have its administrator run {grants}"
    )


def _may_read(command: Callable[[str], Any], tables: Sequence[str]) -> bool:
    try:
        command(f"SELECT {', '.join(f'(SELECT count() FROM {one} WHERE 0)' for one in tables)}")
    except EngineError as error:
        if error.code not in _HIDDEN:
            raise
        return False
    return True
