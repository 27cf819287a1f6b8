"""Draws scenes ahead of time, in processes of their own.

Drawing is Python code: threads don't make it faster, and beside it in one process importing torch
or encoding would have to wait for it.
"""

import logging
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread

from PIL import Image

from db.settings import ROOT
from ingest.sample.drawing import draw
from ingest.sample.scenes import PICTURE_SIDE, compose

_LOG = logging.getLogger(__name__)
_PAINTERS = 2
_BYTES = PICTURE_SIDE * PICTURE_SIDE * 3


class _Painter:
    """A process that draws some scenes, in order, and a thread that fetches what it drew."""

    def __init__(self, seeds: Sequence[int]) -> None:
        self._drawn: SimpleQueue[tuple[int, bytes] | None] = SimpleQueue()  # 27 kB a scene
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ingest.sample.studio"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._thread = Thread(target=self._fetch, args=(seeds,), daemon=True)
        self._thread.start()

    def _fetch(self, seeds: Sequence[int]) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 -- both are pipes, which the types don't tell
        assert stdout is not None  # noqa: S101
        try:
            stdin.write("\n".join(map(str, seeds)).encode())
            stdin.close()
            for seed in seeds:
                pixels = stdout.read(_BYTES)
                if len(pixels) < _BYTES:
                    break
                self._drawn.put((seed, pixels))
        except OSError as error:
            _LOG.warning("a painter stopped: %s", error)
        self._drawn.put(None)

    def next(self) -> tuple[int, bytes] | None:
        """The next scene's seed and RGB bytes; None when there are no more."""
        return self._drawn.get()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class Studio:
    """Pictures of scenes, PICTURE_SIDE pixels wide, asked for in the order they were ordered in."""

    def __init__(self, painters: Mapping[int, _Painter]) -> None:
        self._painters = painters

    def picture(self, seed: int) -> Image.Image:
        """The picture of a scene: one that was drawn ahead, or else drawn here and now."""
        painter = self._painters.get(seed)
        while painter is not None and (drawn := painter.next()) is not None:
            if drawn[0] == seed:
                return Image.frombytes("RGB", (PICTURE_SIDE, PICTURE_SIDE), drawn[1])
        # Not ordered, passed by, or its painter died, which stands on stderr.
        return draw(compose(seed), PICTURE_SIDE)


@contextmanager
def studio(seeds: Sequence[int]) -> Iterator[Studio]:
    """Start drawing scenes; what was not asked for by the end is thrown away.

    Args:
        seeds: of the scenes, in the order in which they will be asked for.
    """
    painters = [_Painter(seeds[first::_PAINTERS]) for first in range(min(_PAINTERS, len(seeds)))]
    try:
        yield Studio({seed: painters[place % _PAINTERS] for place, seed in enumerate(seeds)})
    finally:
        for painter in painters:
            painter.stop()


def _main() -> None:
    # Ctrl-C, or an explorer that is gone, ends this process without a word.
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    for line in sys.stdin.readlines():
        sys.stdout.buffer.write(draw(compose(int(line)), PICTURE_SIDE).tobytes())
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    _main()
