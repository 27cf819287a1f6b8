"""Folders and files that nobody else on this machine can read."""

import logging
import os
import stat
from pathlib import Path

_LOG = logging.getLogger(__name__)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
# What the explorer keeps in its data folder.
_OURS = frozenset({"database", "thumbnails", "maps", "unsplash", "uploads"})


def keep_private(data: Path) -> None:
    """Have what this process writes from now on be its user's alone, and the data folder with it.

    The folder is left as it is where something else lies in it, too: it is not only ours.
    """
    os.umask(_OTHERS)
    if _is_only_ours(data):
        _close(data)


def _is_only_ours(data: Path) -> bool:
    try:
        return {each.name for each in data.iterdir()} <= _OURS
    except OSError:
        return False  # whoever opens what is in it says what is the matter


def private_folder(folder: Path) -> None:
    """Make a folder, or take from others what they may do with the one that is there.

    Raises:
        OSError: it can't be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not folder.stat().st_mode & _OTHERS or not _close(folder):
        return
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place, name)
            if not path.is_symlink():
                _close(path)


def _close(path: Path) -> bool:
    """Whether others can be kept out, which is said where they can't."""
    try:
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OTHERS)
    except FileNotFoundError:
        return True
    except OSError as error:
        _LOG.warning(
            "Others on this machine may read %s, and that can't be changed (%s): have its owner "
            "run chmod -R go= %s",
            path,
            error.strerror,
            path,
        )
        return False
    return True
