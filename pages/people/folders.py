"""Which folders of the server the app's people may name, and which not."""

from collections.abc import Sequence
from pathlib import Path

from ingest.paths import resolved, shown
from pages.people.person import NotAllowedError
from pages.people.team import team


def may_load_folders() -> bool:
    """Whether there is any folder of the server that can be loaded."""
    return team().is_private or bool(team().photo_roots)


def may_write_folders() -> bool:
    """Whether there is any folder of the server that photos can be written into."""
    return team().is_private or bool(team().export_roots)


def folder_to_load(typed: str) -> Path:
    """The folder or file that somebody typed, to be read.

    Raises:
        NotAllowedError: it is in none of PHOTO_ROOTS, or leads out of them.
        ExplorerError: no file can have that name.
    """
    return _within(resolved(Path(typed)), team().photo_roots, "PHOTO_ROOTS", "loaded")


def folder_to_write(typed: str) -> Path:
    """The folder that somebody typed, to be written into.

    Raises:
        NotAllowedError: it is in none of EXPORT_ROOTS, or leads out of them.
        ExplorerError: no file can have that name.
    """
    return _within(resolved(Path(typed)), team().export_roots, "EXPORT_ROOTS", "written into")


def model_to_load(typed: str) -> str:
    """The model that somebody typed: a name on the hub, or a folder that may be loaded.

    Raises:
        NotAllowedError: it is a folder in none of PHOTO_ROOTS.
        ExplorerError: no file can have that name.
    """
    if typed.startswith(("/", ".", "~")) or Path(typed).exists():
        folder_to_load(typed)
    return typed


def _within(path: Path, roots: Sequence[Path], setting: str, done: str) -> Path:
    if team().is_private and not roots:
        return path
    if not roots:
        raise NotAllowedError(
            f"No folder of the server can be {done} here, since {setting} names none: ask whoever "
            "runs this app"
        )
    if not any(path.is_relative_to(root) for root in roots):
        names = ", ".join(map(shown, roots))
        raise NotAllowedError(
            f"{shown(path)} can't be {done}: name a folder in {names}, or ask whoever runs this "
            f"app to add it to {setting}"
        )
    return path
