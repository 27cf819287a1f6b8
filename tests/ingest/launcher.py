"""Ingest processes for tests that kill them: real ones, but started in a moment.

`python -m tests.ingest.launcher` imports everything once and forks a child for each command that
it reads: a line of JSON with the arguments of `python -m ingest`, or with `dump`, the file to
write a collection's ids and vectors to. It answers with the child's number, and, when the child
has ended, with its exit status (negative: the signal).
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from typing import Any

import numpy as np

from db.settings import ROOT

BLOCK = 320  # rows of an INSERT of these processes: less than a user's, so that tests take less


class Process:
    """A running child."""

    def __init__(self, launcher: "subprocess.Popen[str]", pid: int) -> None:
        self._launcher = launcher
        self.pid = pid

    def alive(self) -> bool:
        """Whether it has not ended yet."""
        assert self._launcher.stdout is not None
        return not select([self._launcher.stdout], [], [], 0)[0]

    def signal(self, number: int) -> None:
        """Send a signal; it is an error if the child has ended."""
        assert self.alive(), f"process {self.pid} ended before it was to get signal {number}"
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Its exit status, once it has ended."""
        assert self._launcher.stdout is not None
        return int(self._launcher.stdout.readline())


class Launcher:
    """Starts children, one at a time."""

    def __init__(self, launcher: "subprocess.Popen[str]", log: Path) -> None:
        self._launcher = launcher
        self.log = log

    def start(self, *arguments: object, data: Path, clock: int = 0) -> Process:
        """Start `python -m ingest` with arguments; its output goes to `log`, anew.

        Its clock is set by so many seconds.
        """
        texts = [str(each) for each in arguments]
        return self._start({"arguments": texts, "clock": clock}, data)

    def dump(self, collection: str, data: Path) -> tuple[list[str], "np.ndarray", float]:
        """A collection's ids, one a row, its vectors (n, 512), and the index's recall@9."""
        file = data / "dump.npz"
        command = {"dump": str(file), "collection": collection}
        assert self._start(command, data).wait() == 0, self.log.read_text()
        with np.load(file) as found:
            return found["ids"].tolist(), found["vectors"], float(found["recall"])

    def _start(self, command: dict[str, Any], data: Path) -> Process:
        assert self._launcher.stdin is not None
        assert self._launcher.stdout is not None
        command |= {"log": str(self.log), "data": str(data)}
        self._launcher.stdin.write(json.dumps(command) + "\n")
        self._launcher.stdin.flush()
        return Process(self._launcher, int(self._launcher.stdout.readline()))


@contextmanager
def launcher(log: Path) -> Iterator[Launcher]:
    """Run a launcher."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.ingest.launcher"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(log.parent),
            "HF_HUB_OFFLINE": "1",
            "PRIVATE_HOSTS": "true",
            "OMP_NUM_THREADS": "1",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Launcher(process, log)
        finally:
            process.kill()


def _main() -> None:
    import classifier.clip  # noqa: F401 -- what takes long, before the first fork
    import ingest.writer

    ingest.writer.BLOCK = BLOCK
    for line in iter(sys.stdin.readline, ""):
        command = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(command)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(command: dict[str, Any]) -> None:
    log = os.open(command["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ["EXPLORER_DATA"] = command["data"]
    if "dump" in command:
        _dump(command)
        sys.exit(0)
    _set_clock(command["clock"])
    from ingest.__main__ import main

    sys.exit(main(command["arguments"]))


def _set_clock(seconds: int) -> None:
    right, right_ns = time.time, time.time_ns
    time.time = lambda: right() + seconds
    time.time_ns = lambda: right_ns() + seconds * 10**9


def _dump(command: dict[str, Any]) -> None:
    from db.database import open_database
    from db.settings import load_settings

    database = open_database(load_settings().database_url)
    collection = database.collections.find(command["collection"])
    assert collection is not None
    table = database.collections.photos(collection)
    assert table.index_state().state == "built"
    ids = database.connection.rows(f"SELECT id FROM {table.name} ORDER BY id")
    rows = [row["id"] for row in ids]
    vectors = np.stack([found.vector for found in table.get(sorted(set(rows)))])
    recalls = []
    for query in vectors[:: max(1, len(vectors) // 50)]:
        nearest = np.sort(1 - vectors @ query)[:9]
        found = [hit.distance for hit in table.search(query, 9)]
        recalls.append(np.mean(np.array(found) <= nearest[-1] + 1e-6))
    np.savez(command["dump"], ids=np.array(rows), vectors=vectors, recall=np.mean(recalls))
    database.close()


if __name__ == "__main__":
    _main()
