"""Photos that come from people's browsers, kept in folders of the app's own."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from db.errors import ExplorerError
from db.words import counted
from ingest.formats.kinds import reason_of_file

_DEEP = 8  # folders within one another
_LONGEST = 100  # bytes of a name, without its ending


class Uploaded(Protocol):
    """A file as Streamlit has it: `name` is what a browser says, and may be anything."""

    name: str
    size: int

    def getbuffer(self) -> memoryview:
        """Its bytes."""


@dataclass(frozen=True)
class Limits:
    """How much may come at once.

    Attributes:
        files: how many.
        megabytes: of all together.
    """

    files: int = 2_000
    megabytes: int = 1_000

    def check(self, files: Sequence[Uploaded]) -> None:
        """Refuse what is too much.

        Raises:
            ExplorerError: it is; the text says what can be done.
        """
        if len(files) > self.files:
            raise ExplorerError(
                f"These are {len(files):,} files, and {self.files:,} can come at once: upload them "
                "in parts"
            )
        size = sum(file.size for file in files)
        if size > self.megabytes * 1_000_000:
            raise ExplorerError(
                f"These are {size / 1e6:,.0f} MB, and {self.megabytes:,} can come at once: upload "
                "them in parts"
            )


def keep(files: Sequence[Uploaded], folder: Path, limits: Limits) -> int:
    """Keep photos below a folder, under names like theirs.

    One that is there already is not written again; another one of its name stands beside it.

    Args:
        files: any; only those that are named like photos are kept.
        folder: need not be there.
        limits: of all together.

    Returns:
        How many of them are there now.

    Raises:
        ExplorerError: they are too many or too large, none is a photo, or there is no room.
    """
    limits.check(files)
    photos = [file for file in files if reason_of_file(_plain(file.name).name) is None]
    if not photos:
        raise ExplorerError(
            f"None of {counted(len(files), 'file')} is a photo: upload JPEG, PNG or the like"
        )
    try:
        for file in photos:
            _keep(file, folder)
    except OSError as error:
        raise ExplorerError(
            f"Photos can't be kept in {folder} ({error.strerror}): see that there is room"
        ) from error
    return len(photos)


def _keep(file: Uploaded, folder: Path) -> None:
    path = folder / _plain(file.name)
    for parent in reversed(path.parents):
        parent.mkdir(mode=0o700, exist_ok=True)
    content = file.getbuffer()
    for number in range(1, 1000):
        name = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        try:
            opened = _new(name)
        except FileExistsError:
            if name.is_file() and not name.is_symlink() and name.read_bytes() == content:
                return
        else:
            with opened:
                opened.write(content)
            return
    raise ExplorerError(f"{path.name} is there a thousand times: give it another name")


def _new(path: Path) -> IO[bytes]:
    """A file that was not there: no link is followed, and no other user reads it."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _plain(name: str) -> PurePosixPath:
    """A path below a folder, whatever a browser sends: never out of it, and never hidden."""
    parts = [_plain_part(part) for part in re.split(r"[/\\]", name)]
    return PurePosixPath(*[part for part in parts if part][-_DEEP:] or ["unnamed"])


def _plain_part(part: str) -> str:
    safe = re.sub(r"[^\w .()+,@-]", "_", part).strip(" .")
    stem, dot, ending = safe.rpartition(".")
    return f"{_cut(stem)}{dot}{_cut(ending[:5])}" if dot else _cut(safe)


def _cut(text: str) -> str:
    return text.encode("utf-8", "replace")[:_LONGEST].decode("utf-8", "ignore")
