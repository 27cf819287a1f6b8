"""A load that is killed, on a disk that is full, then read-only, by a clock that is set back."""

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.disks import small_disk
from tests.ingest.launcher import BLOCK, Launcher, Process, launcher
from tests.ingest.photos import photo_bytes
from tests.photo_host import Answer, PhotoHost, photo_host

PHOTOS = BLOCK + 200
DISK = 160  # megabytes


@pytest.fixture
def host() -> Iterator[PhotoHost]:
    with photo_host() as running:
        yield running


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launcher]:
    with launcher(tmp_path / "log") as running:
        yield running


@pytest.mark.timeout(400)
def test_nothing_is_lost_whatever_disk_clock_and_kills_do(
    launch: Launcher, host: PhotoHost, tmp_path: Path, model: str
) -> None:
    table = tmp_path / "photos.csv000"
    lines = [f"p-{n},{host.serve(f'/{n}', Answer(photo_bytes(n)))}" for n in range(PHOTOS)]
    table.write_text("\n".join(["photo_id,photo_image_url", *lines]))
    command = ("unsplash", "--photos", table, "--model", model, "--collection", "mine")

    with small_disk(tmp_path / "disk", DISK) as disk:
        data = disk.path / "data"

        def load(clock: int = 0) -> Process:
            host.asked.clear()
            return launch.start(*command, data=data, clock=clock)

        def reach(n: int, process: Process) -> None:
            while len(host.asked) < n:
                assert process.alive(), launch.log.read_text()

        def killed(n: int, clock: int = 0) -> None:
            process = load(clock)
            reach(n, process)
            process.signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL

        def ends_in_one_line(process: Process, line: str) -> None:
            assert process.wait() == 1
            log = launch.log.read_text()
            assert line in log
            assert "Traceback" not in log

        killed(BLOCK // 2)
        process = load()
        reach(BLOCK // 3, process)
        disk.fill()
        ends_in_one_line(process, "is full")
        ends_in_one_line(load(), "is full")
        disk.free()
        killed(BLOCK // 2, clock=-7200)
        disk.read_only(True)
        ends_in_one_line(load(), "Read-only file system")
        disk.read_only(False)
        killed(BLOCK // 4, clock=3600)
        assert load(clock=-7200).wait() == 0, launch.log.read_text()
        ids, vectors, recall = launch.dump("mine", data)
        assert load().wait() == 0
        assert f"0 added, {PHOTOS:,} already there" in launch.log.read_text()

    assert sorted(ids) == sorted(f"p-{n}" for n in range(PHOTOS))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(PHOTOS), abs=1e-3)
    assert recall > 0.9
