"""Ctrl-C and kill -9, in processes of their own."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random

import numpy as np
import pytest

from tests.ingest.launcher import BLOCK, Launcher, Process, launcher
from tests.ingest.photos import photo_bytes, write_photos
from tests.photo_host import Answer, PhotoHost, photo_host

PHOTOS = BLOCK + 200
PATIENCE = 200  # seconds after which a test gives up


@pytest.fixture(scope="module")
def host() -> Iterator[PhotoHost]:
    with photo_host() as running:
        yield running


@pytest.fixture(scope="module")
def launch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    with launcher(tmp_path_factory.mktemp("launcher") / "log") as running:
        yield running


@pytest.fixture(scope="module")
def table(host: PhotoHost, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of photos that differ."""
    lines = ["photo_id,photo_image_url"]
    for number in range(PHOTOS):
        url = host.serve(f"/{number}", Answer(photo_bytes(number)))
        lines.append(f"photo-{number},{url}")
    file = tmp_path_factory.mktemp("tables") / "photos.csv000"
    file.write_text("\n".join(lines))
    return file


def wait_until(happened: Callable[[], bool], process: Process, what: str) -> None:
    """Look as often as possible: what is waited for may last for milliseconds."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert process.alive(), f"the process ended before: {what}"
        assert time.monotonic() < end, f"never came: {what}"


def asked(host: PhotoHost, n: int) -> Callable[[], bool]:
    """Whether the host was asked for n photos, from now on."""
    host.asked.clear()
    return lambda: len(host.asked) >= n


def files(data: Path, pattern: str) -> Callable[[], bool]:
    """Whether a table of the database has such a file that it doesn't have now."""
    store = data / "database" / "store"

    def there() -> set[tuple[str, int]]:
        found = set()
        for path in store.glob(f"*/*/{pattern}"):
            with suppress(FileNotFoundError):
                found.add((path.name, path.stat().st_ctime_ns))
        return found

    before = there()
    return lambda: bool(there() - before)


def both(first: Callable[[], bool], second: Callable[[], bool]) -> Callable[[], bool]:
    """Whether the one has happened, and then the other."""
    return lambda: first() and second()


def looked(n: int) -> Callable[[], bool]:
    """Whether this was asked n times before."""
    times = count()
    return lambda: next(times) >= n


def said(log: Path, words: str) -> Callable[[], bool]:
    """Whether the process has written the words."""
    return lambda: words in log.read_text()


def killed(process: Process) -> None:
    process.signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def meets(happened: Callable[[], bool], process: Process) -> bool:
    """Whether that comes before the process ends: on a busy machine a short moment is missed."""
    while not happened():
        if not process.alive():
            return False
    return True


def hit(process: Process, number: int) -> int:
    """Send a signal, if it isn't over by now; returns the exit status."""
    if process.alive():
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
    return process.wait()


@pytest.mark.timeout(600)
def test_whenever_it_is_killed_a_rerun_completes_with_nothing_twice_and_nothing_lost(
    launch: Launcher, host: PhotoHost, table: Path, tmp_path: Path, model: str
) -> None:
    random = Random(7)  # noqa: S311
    data = tmp_path / "data"
    command = ("unsplash", "--photos", table, "--model", model, "--collection", "mine")

    def kill_when(happened: Callable[[], bool], what: str) -> None:
        process = launch.start(*command, data=data)
        wait_until(happened, process, what)
        killed(process)

    def kill_if_met(happened: Callable[[], bool]) -> None:
        process = launch.start(*command, data=data)
        meets(happened, process)
        assert hit(process, signal.SIGKILL) in (-signal.SIGKILL, 0), launch.log.read_text()

    for _ in range(2):
        n = random.randrange(1, BLOCK // 2)
        kill_when(asked(host, n), f"{n} photos are asked for")
    full, inserting = asked(host, BLOCK), files(data, "tmp_insert_*")
    kill_when(both(full, inserting), "a block is inserted")
    # From here on everything comes in, and the process is killed while it orders and indexes.
    kill_if_met(files(data, "tmp_merge_*"))
    kill_if_met(both(files(data, "tmp_mut_*"), looked(random.randrange(200))))
    assert launch.start(*command, data=data).wait() == 0, launch.log.read_text()
    ids, vectors, recall = launch.dump("mine", data)

    whole = tmp_path / "whole"
    assert launch.start(*command, data=whole).wait() == 0, launch.log.read_text()
    expected_ids, expected_vectors, _ = launch.dump("mine", whole)
    assert len(ids) == len(set(ids)) == PHOTOS
    assert ids == expected_ids
    np.testing.assert_allclose(vectors, expected_vectors, atol=1e-6)
    assert recall > 0.97


@pytest.mark.timeout(300)
def test_a_first_interrupt_keeps_what_was_read_and_a_second_leaves_at_once(
    launch: Launcher, host: PhotoHost, table: Path, tmp_path: Path, model: str
) -> None:
    data = tmp_path / "data"
    command = ("unsplash", "--photos", table, "--model", model, "--collection", "mine")
    for number in (signal.SIGINT, signal.SIGTERM):
        enough = asked(host, BLOCK // 2)
        process = launch.start(*command, data=data)
        wait_until(enough, process, "half a block is asked for")
        process.signal(number)
        status, log = process.wait(), launch.log.read_text()
        assert status == 130, log
        assert "stopping: what was read still comes in; Ctrl-C again leaves at once" in log
        assert "stopped: what is in the table stays; run the same command to go on\n" in log
        [added] = re.findall(r"([0-9,]+) added", log)
        # The last few that were asked for may have been on their way when it stopped.
        assert len(host.asked) - 64 <= int(added.replace(",", "")) <= len(host.asked)

    merging = files(data, "tmp_merge_*")
    process = launch.start(*command, data=data)
    if meets(merging, process):
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGINT)
        meets(said(launch.log, "stopping"), process)
    # What the first one left to do, it may have done by now.
    assert hit(process, signal.SIGINT) in (-signal.SIGINT, 130, 0), launch.log.read_text()

    assert launch.start(*command, data=data).wait() == 0, launch.log.read_text()
    ids, _, _ = launch.dump("mine", data)
    assert len(ids) == len(set(ids)) == PHOTOS


def test_a_second_interrupt_waits_for_no_host(launch: Launcher, tmp_path: Path, model: str) -> None:
    with photo_host() as silent:
        url = silent.serve("/a", Answer(waits=True))
        table = tmp_path / "photos.csv000"
        table.write_text(f"photo_id,photo_image_url\na,{url}\n")
        command = ("unsplash", "--photos", table, "--model", model)
        process = launch.start(*command, data=tmp_path / "data")
        wait_until(lambda: bool(silent.asked), process, "the photo is asked for")
        process.signal(signal.SIGINT)
        wait_until(said(launch.log, "stopping"), process, "a word about the first interrupt")
        process.signal(signal.SIGINT)
        assert process.wait() == -signal.SIGINT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_a_load_that_hangs_in_a_read(
    launch: Launcher, tmp_path: Path, model: str, number: signal.Signals
) -> None:
    with photo_host() as silent:
        lines = [f"{n},{silent.serve(f'/{n}', Answer(waits=True))}" for n in range(40)]
        table = tmp_path / "photos.csv000"
        table.write_text("\n".join(["photo_id,photo_image_url", *lines]))
        process = launch.start(
            "unsplash", "--photos", table, "--model", model, data=tmp_path / "data"
        )
        wait_until(lambda: len(silent.asked) >= 16, process, "as many are asked for as may be")
        begun = time.monotonic()
        process.signal(number)
        assert process.wait() == 130
    # The time-outs of a read, which it used to wait for, are 30 seconds.
    assert time.monotonic() - begun < 20
    assert "stopped: what is in the table stays" in launch.log.read_text()


def test_pipes_and_devices_in_a_folder_are_passed_over(
    launch: Launcher, tmp_path: Path, model: str
) -> None:
    folder = write_photos(tmp_path / "photos", 3)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "endless.jpg").symlink_to("/dev/zero")
    process = launch.start("folder", folder, "--model", model, data=tmp_path / "data")
    assert process.wait() == 0, launch.log.read_text()
    assert "3 added, 0 already there, 2 skipped (2 not a regular file)" in launch.log.read_text()
