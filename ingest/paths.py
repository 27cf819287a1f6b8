"""Paths as people give them: some can't be opened, and some are too long to be told."""

from contextlib import suppress
from pathlib import Path

from db.errors import ExplorerError
from db.settings import typed_path

_WHOLE = 200  # characters up to which a path is told as it is
_SHORT = 80


def resolved(path: Path) -> Path:
    """The absolute path of what a person typed, which need not be there.

    Raises:
        ExplorerError: no file can have that name.
    """
    try:
        full = (typed_path(str(path)) or path).resolve()
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            full.stat()
    except (OSError, ValueError, RuntimeError) as error:
        # RuntimeError: a link that leads to itself.
        loop = isinstance(error, RuntimeError)
        reason = "a link in it leads to itself" if loop else reason_of(error)
        raise ExplorerError(f"Can't open {shown(path)}: {reason}. Give another path") from error
    return full


def shown(path: Path) -> str:
    """A path for a message of one line, its middle left out where it is very long."""
    text = str(path).encode("utf-8", "replace").decode()
    text = "".join(sign if sign.isprintable() else "\ufffd" for sign in text)
    half = _SHORT // 2 - 1
    return text if len(text) <= _WHOLE else f"{text[:half]}…{text[-half:]}"


def reason_of(error: Exception) -> str:
    """Why a file can't be opened or unpacked, in words that quote nothing of it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, ValueError):
        return "no file can have such a name"
    return "what is packed in it is broken, cut short or locked"
