"""The photos themselves in a folder: copied or linked, flat or in a folder for yes and one for no.

Nothing that is there is ever overwritten. An export that was stopped or killed goes on where it
was, and more photos can be added to it.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread

from classifier.exports.entries import Entry, Selection
from classifier.exports.file_names import names_of, safe
from classifier.exports.manifest import Manifest
from db.addresses import is_file, path_of
from db.errors import ExplorerError
from db.photo import Photo
from db.words import counted

WORKERS = 8
_PART = ".export-{}.part"


@dataclass(frozen=True)
class Fetched:
    """A photo's bytes, and the ending that its file's name is to have, with its dot."""

    content: bytes
    suffix: str


Fetch = Callable[[Photo], Fetched]


@dataclass(frozen=True)
class Order:
    """What to put where.

    Attributes:
        selection: the photos.
        folder: where to; it is created.
        by_class: whether yes and no get a folder each.
        link: whether photos that are files are linked; others are copied all the same.
    """

    selection: Selection
    folder: Path
    by_class: bool = False
    link: bool = False


@dataclass
class Report:
    """What an export did.

    Attributes:
        written: photos that came into the folder.
        present: photos that were there from an earlier run.
        missing: photos that could not be had, and why.
        stopped: whether it was told to stop.
    """

    written: int = 0
    present: int = 0
    missing: list[tuple[Photo, str]] = field(default_factory=list)
    stopped: bool = False

    def summary(self) -> str:
        """One line."""
        parts = [f"{counted(self.written, 'photo')} written"]
        parts += [f"{self.present:,} there already"] if self.present else []
        parts += [f"{len(self.missing):,} could not be had"] if self.missing else []
        return ", ".join(parts)


class Export:
    """One run."""

    def __init__(self, order: Order, fetch: Fetch, stop: Event | None = None) -> None:
        """Prepare it.

        Args:
            order: what to put where.
            fetch: gets a photo's bytes; raises OSError or ValueError where it can't be had.
            stop: ends it early once it is set.
        """
        self.report = Report()
        self.done = 0
        self._order = order
        self._fetch = fetch
        self._stop = stop or Event()
        self._manifest = Manifest(order.folder)
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()
        self._lock = Lock()

    def run(self) -> Report:
        """Write what is missing.

        Raises:
            ExplorerError: the folder can't be written, or holds something else; what is in it
                stays.
        """
        try:
            self._open()
            to_do = [e for e in self._order.selection.entries if e.photo.id not in self._names]
            self.report.present = self.done = len(self._names)
            self._put_all(to_do)
            self._manifest.write(self._order.selection, self._names)
        except OSError as error:
            raise ExplorerError(
                f"Can't write to {self._order.folder}: {error.strerror or error}. What is there "
                "stays: put this right and start it again to go on"
            ) from error
        self.report.stopped = self._stop.is_set()
        self.report.missing.sort(key=lambda pair: pair[0].url)
        return self.report

    def _open(self) -> None:
        """Make the folder, or take stock of what an earlier run left in it."""
        folder, selection = self._order.folder, self._order.selection
        folder.mkdir(parents=True, exist_ok=True)
        known = self._manifest.read()
        if known is None and any(not _is_left(each.name) for each in folder.iterdir()):
            raise ExplorerError(f"{folder} is not empty: name an empty folder, or a new one")
        known = known or {}
        self._refuse_others(known)
        for left in folder.glob(_PART.format("*")):
            left.unlink()
        for photo, name in known.items():
            if _is_whole(folder / name):
                self._note(photo, name)
            else:
                (folder / name).unlink(missing_ok=True)
        self._manifest.write(selection, self._names)

    def _refuse_others(self, known: dict[str, str]) -> None:
        """An earlier export into the folder has to be a part of this one."""
        folder = self._order.folder
        wanted = {each.photo.id: self._below(each) for each in self._order.selection.entries}
        others = [p for p, name in known.items() if wanted.get(p) != PurePath(name).parent]
        if others:
            raise ExplorerError(
                f"{folder} holds an earlier export that is no part of this one (photos that "
                f"are not in it, or in another place: {len(others):,}): name another folder"
            )

    def _below(self, entry: Entry) -> PurePath:
        """The folder of an entry, relative to the whole."""
        name = self._order.selection.class_of(entry)
        return PurePath(safe(name)) if self._order.by_class else PurePath()

    def _put_all(self, entries: Sequence[Entry]) -> None:
        """Put photos into the folder, some at a time; the first fault ends it."""
        waiting: SimpleQueue[Entry] = SimpleQueue()
        for entry in entries:
            waiting.put(entry)
        faults: list[Exception] = []
        # Daemons: those of a pool would go on to the last photo when the app is to end.
        threads = [
            Thread(target=self._work, args=(waiting, faults), daemon=True, name="export")
            for _ in range(WORKERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if faults:
            raise faults[0]

    def _work(self, waiting: "SimpleQueue[Entry]", faults: list[Exception]) -> None:
        try:
            while not (self._stop.is_set() or faults):
                self._put(waiting.get_nowait())
        except Empty:
            return
        except Exception as error:  # noqa: BLE001 -- raised by whoever waits for the threads
            faults.append(error)

    def _put(self, entry: Entry) -> None:
        try:
            self._place(entry)
        except _MissingError as error:
            with self._lock:
                self.report.missing.append((entry.photo, str(error)))
        with self._lock:
            self.done += 1

    def _place(self, entry: Entry) -> None:
        photo = entry.photo
        if self._order.link and is_file(photo.url):
            path = path_of(photo.url)
            if not _is_file(path):
                raise _MissingError("there is no such file")
            with self._lock:
                self._claim(entry, path.suffix, lambda target: target.symlink_to(path))
        else:
            self._copy(entry, self._get(photo))
        with self._lock:
            self.report.written += 1

    def _get(self, photo: Photo) -> Fetched:
        try:
            fetched = self._fetch(photo)
        except (OSError, ValueError) as error:
            raise _MissingError(getattr(error, "strerror", None) or str(error)) from error
        if not fetched.content:
            raise _MissingError("it is empty")
        return fetched

    def _copy(self, entry: Entry, fetched: Fetched) -> None:
        with self._lock:
            target = self._claim(entry, fetched.suffix, lambda target: target.touch(exist_ok=False))
            part = self._order.folder / _PART.format(f"{os.getpid()}-{len(self._names)}")
        try:
            part.write_bytes(fetched.content)
            # On nothing but the empty file that was made a moment ago.
            part.replace(target)
        except OSError:
            part.unlink(missing_ok=True)
            target.unlink(missing_ok=True)
            raise

    def _claim(self, entry: Entry, suffix: str, make: Callable[[Path], None]) -> Path:
        """Make a file of a name that nothing has; whoever calls holds the lock."""
        below = self._below(entry)
        (self._order.folder / below).mkdir(exist_ok=True)
        for name in names_of(entry.photo, suffix):
            target = self._order.folder / below / name
            # Some disks don't tell capitals from small letters.
            if str(below / name).casefold() in self._taken or os.path.lexists(target):
                continue
            self._manifest.append(self._order.selection, entry, str(below / name))
            try:
                make(target)
            except FileExistsError:
                continue
            self._note(entry.photo.id, str(below / name))
            return target
        raise AssertionError("there is always another name")

    def _note(self, photo: str, name: str) -> None:
        self._names[photo] = name
        self._taken.add(name.casefold())


class _MissingError(Exception):
    """A photo can't be had; the text says why."""


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:  # it lies where the app may not look
        raise _MissingError(error.strerror or str(error)) from error


def _is_whole(path: Path) -> bool:
    return path.is_file() and (path.is_symlink() or path.stat().st_size > 0)


def _is_left(name: str) -> bool:
    """Whether an export that was killed early leaves a file of that name."""
    return name.startswith(".") and name.endswith(".part")
