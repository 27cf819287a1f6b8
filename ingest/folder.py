"""Which files below a folder are photos, and what is left out, and why."""

import logging
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from classifier.exports import manifest
from db.errors import ExplorerError
from ingest.archive import Tell
from ingest.formats.kinds import reason_of_file, reason_of_folder

_LOG = logging.getLogger(__name__)

_TOLD_EVERY = 0.25  # seconds
_NAMED = 20  # folders that can't be read; beyond that they are counted
_EXCLUDED = "excluded by a pattern"
_LINKED = "linked folders (load them by their own path)"
_EXPORTED = "folders that photos were exported to (load them by their own path)"
_LED_OUT = "links to files that may not be loaded"


class Listing:
    """A walk through a folder.

    Nothing is kept of a file that was handed out: a million of them takes no more memory than the
    largest folder.

    Attributes:
        left_out: how many files and folders were left out, by reason.
    """

    def __init__(
        self, folder: str, exclude: Sequence[str], tell: Tell, within: Sequence[Path] = ()
    ) -> None:
        """Prepare it.

        Args:
            folder: the whole path.
            exclude: patterns, with * ? and [], of what to leave out: names, or paths below the
                folder.
            tell: called with the number of photos found so far.
            within: where links to files may lead; anywhere by default.
        """
        self.left_out: Counter[str] = Counter()
        self._folder = folder
        self._exclude = [pattern.strip().strip("/") for pattern in exclude]
        self._tell = tell
        self._within = within
        self._found = 0
        self._next_word = time.monotonic() + _TOLD_EVERY
        self._unread = 0

    def photos(self) -> Iterator[tuple[str, str]]:
        """Paths below the folder, each in two parts: its folder's, which may be "", and its name.

        Those of a folder come before those below it, by name: --limit takes the same each time.

        Raises:
            Stopped: whoever is told has had enough.
        """
        waiting = [""]
        while waiting:
            inside = waiting.pop()
            folders, names = self._read(inside)
            for name in names:
                self._found += 1
                self._say()
                yield inside, name
            self._say()
            below = f"{inside}/" if inside else ""
            waiting += [f"{below}{name}" for name in reversed(folders)]

    def _read(self, inside: str) -> tuple[list[str], list[str]]:
        """The folders and the photos in a folder, by name."""
        folders: list[str] = []
        names: list[str] = []
        try:
            # No Path: a million of them cost more than the reading.
            with os.scandir(f"{self._folder}/{inside}" if inside else self._folder) as entries:
                for entry in entries:
                    self._say()
                    kept = folders if _is_folder(entry) else names
                    if self._takes(inside, entry, folder=kept is folders):
                        kept.append(entry.name)
        except OSError as error:
            self._cannot_read(inside, error)
        return sorted(folders), sorted(names)

    def _takes(self, inside: str, entry: "os.DirEntry[str]", *, folder: bool) -> bool:
        reason = reason_of_folder(entry.name) if folder else reason_of_file(entry.name)
        if reason is None and folder and entry.is_symlink():
            reason = _LINKED
        if reason is None and folder and manifest.was_written(Path(entry.path)):
            reason = _EXPORTED
        if reason is None and self._is_excluded(inside, entry.name):
            reason = _EXCLUDED
        if reason is None and entry.is_symlink() and self._leads_out(entry):
            reason = _LED_OUT
        if reason:
            self.left_out[reason] += 1
        return reason is None

    def _leads_out(self, entry: "os.DirEntry[str]") -> bool:
        there = Path(os.path.realpath(entry.path))
        return bool(self._within) and not any(map(there.is_relative_to, self._within))

    def _is_excluded(self, inside: str, name: str) -> bool:
        path = f"{inside}/{name}" if inside else name
        return any(fnmatchcase(name, each) or fnmatchcase(path, each) for each in self._exclude)

    def _cannot_read(self, inside: str, error: OSError) -> None:
        shown = os.fsencode(inside).decode("utf-8", "replace")
        if not inside:
            raise ExplorerError(
                f"Can't read {self._folder}: {error.strerror}. Give yourself the right to, or name "
                "another folder"
            )
        _LOG.warning("skipping folder %s: %s", shown, error.strerror)
        self._unread += 1
        named = self._unread <= _NAMED
        one = f"folder that can't be read ({shown}: {error.strerror})"
        self.left_out[one if named else "more folders that can't be read"] += 1

    def _say(self) -> None:
        now = time.monotonic()
        if now >= self._next_word:
            self._next_word = now + _TOLD_EVERY
            self._tell(f"Listing the photos: {self._found:,} found", None)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # reading it says why
