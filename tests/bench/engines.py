"""Engines to compare: the embedded one, and the tests' server in processes of its own."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.app_process import ROOT

ENGINES = {"embedded": None, "http": (), "dress": ("--dress", "myscale")}


@contextmanager
def database_urls(names: Sequence[str], folder: Path) -> Iterator[dict[str, str]]:
    """An empty database of each engine.

    Args:
        names: of ENGINES; `http` is chDB behind ClickHouse's HTTP interface, `dress` the same in
            MyScale's dress: neither tells how fast a ClickHouse or MyScale server is.
        folder: where they keep their files.

    Yields:
        A DSN by name.
    """
    with ExitStack() as stack:
        yield {name: _url(name, folder / name, stack) for name in names}


def _url(name: str, folder: Path, stack: ExitStack) -> str:
    options = ENGINES[name]
    if options is None:
        return f"chdb://{folder}"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.serve", str(folder), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    stack.callback(process.wait, 20)
    stack.callback(process.terminate)
    assert process.stdout is not None
    return process.stdout.readline().strip()
