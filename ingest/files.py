"""Reading a file: a regular one, and never for ever."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Lock, Thread

MAX_BYTES = 400_000_000  # of one picture
BIG = 32_000_000  # bytes: only one such file is held at a time
PATIENCE = 30.0  # seconds in which a disk has to give a piece
MAX_HANGING = 32  # reads that are waited for no more, and still hold a thread each
_PIECE = 8_000_000  # bytes

_one_big = Lock()
_hanging = BoundedSemaphore(MAX_HANGING)
_Answer = bytes | OSError | ValueError | None


@contextmanager
def held(path: Path) -> Iterator[bytes]:
    """The bytes of a regular file, as of `read`, while the context is open: big ones in turn."""
    with _one_big if _size(path) > BIG else nullcontext():
        yield read(path)


def read(path: Path, patience: float | None = None) -> bytes:
    """The bytes of a regular file.

    A pipe or a device may give nothing, or never end; a disk that went away on the network lets a
    read hang where no signal reaches it. So a thread of its own reads, and is left to itself if it
    hears nothing for too long.

    Args:
        path: the file.
        patience: seconds to wait for a piece; None for PATIENCE.

    Raises:
        OSError: it can't be read, or not in time.
        ValueError: it is no regular file, or has more than MAX_BYTES.
    """
    hanging = _hanging
    if not hanging.acquire(blocking=False):
        raise TimeoutError(f"the disk does not answer: {MAX_HANGING} reads hang already")
    pieces: SimpleQueue[_Answer] = SimpleQueue()
    Thread(target=_read_into, args=(path, pieces, hanging), name="file", daemon=True).start()
    found = []
    try:
        while (piece := pieces.get(timeout=PATIENCE if patience is None else patience)) is not None:
            if isinstance(piece, Exception):
                raise piece
            found.append(piece)
    except Empty:
        raise TimeoutError("the disk did not answer in time") from None
    return found[0] if len(found) == 1 else b"".join(found)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # `read` says why


def _read_into(path: Path, pieces: "SimpleQueue[_Answer]", hanging: BoundedSemaphore) -> None:
    try:
        # Without O_NONBLOCK, opening a pipe waits for somebody who writes into it.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            _check(os.fstat(number))
            while piece := os.read(number, _PIECE):
                pieces.put(piece)
        finally:
            os.close(number)
        pieces.put(None)
    except (OSError, ValueError) as error:
        pieces.put(error)
    finally:
        hanging.release()


def _check(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("not a regular file")
    if status.st_size > MAX_BYTES:
        raise ValueError(f"over {MAX_BYTES // 1_000_000} MB")
