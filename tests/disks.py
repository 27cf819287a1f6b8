"""Small disks of their own, to be filled and made read-only, where a test may mount them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Disk:
    """A mounted disk in memory."""

    path: Path

    def fill(self, leave: int = 0) -> None:
        """Leave so many bytes free."""
        file = self.path / "filler"
        with suppress(OSError), file.open("ab") as filler:
            while True:
                filler.write(bytes(1 << 16))
                filler.flush()
        with file.open("rb+") as filler:
            filler.truncate(max(0, file.stat().st_size - leave))

    def free(self) -> None:
        """Give the room back."""
        (self.path / "filler").unlink()

    def read_only(self, on: bool) -> None:
        """Take writes, or refuse them."""
        _run("mount", "-o", f"remount,{'ro' if on else 'rw'}", str(self.path))


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[Disk]:
    """Mount a disk; the test is skipped where that is not allowed."""
    path.mkdir()
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a disk in memory, as root on Linux has it")
    try:
        yield Disk(path)
    finally:
        _run("umount", "--lazy", str(path))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
