"""One load over everything that goes wrong on the way to 2,000 photos."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from db.database import Database
from ingest import download
from ingest.pipeline import Order, load
from ingest.retry import Retries
from ingest.sources import UnsplashSource
from ingest.streak import Skip
from tests.ingest.photos import photo_bytes
from tests.photo_host import Answer, PhotoHost, photo_host, wait_as_long_as_it_takes

PHOTOS = 2000


@pytest.fixture
def host() -> Iterator[PhotoHost]:
    with photo_host() as running:
        yield running


def png_that_says_it_is_huge() -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 99) + b"IDAT" + b"\x00" * 99


GOOD = Answer(photo_bytes(0))

# Faults that pass: what comes before the photo.
PASSING = {
    "busy": Answer(b"busy", 503),
    "broken": Answer(b"broken", 500),
    "gateway": Answer(b"gateway", 502),
    "too many": Answer(b"slow down", 429),
    "too many, wait": Answer(b"slow down", 429, headers={"Retry-After": "0"}),
    "reset": Answer(resets=True),
    "cut": Answer(photo_bytes(1), missing=100),
    "silent": Answer(waits=True),
    "stalled": Answer(photo_bytes(1), stalls=True),
}

# Faults that stay: the answer, the reason, and whether it is final.
STAYING: dict[str, tuple[Answer, str, bool]] = {
    "gone": (Answer(b"gone", 404), "HTTP 404", True),
    "gone for good": (Answer(b"gone", 410), "HTTP 410", True),
    "a page": (
        Answer(b"<html>"),
        "not a JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC image",
        True,
    ),
    "nothing": (Answer(b""), "empty answer", True),
    "too large": (Answer(b"x" * 1_000_001), "over 1 MB", True),
    "a bomb": (Answer(png_that_says_it_is_huge()), "more than 250 megapixels", True),
    "half a photo": (Answer(photo_bytes(2)[:900]), "image cut short", True),
    "forbidden": (Answer(b"no", 403), "HTTP 403", False),
    "never up": (Answer(b"sorry", 503), "HTTP 503", False),
    "always busy": (Answer(b"slow down", 429), "HTTP 429", False),
    "always reset": (Answer(resets=True), "no connection", False),
    "always cut": (Answer(photo_bytes(3), missing=9), "cut short", False),
    "always silent": (Answer(waits=True), "timed out", False),
}


class World:
    """2,000 photos behind a host, one in eight with a fault."""

    def __init__(self, host: PhotoHost, folder: Path) -> None:
        random = Random(5)  # noqa: S311
        kinds = [*PASSING, *STAYING] * 12
        kinds += ["good"] * (PHOTOS - len(kinds) - 2)
        random.shuffle(kinds)
        self.good = {"a'b\\ 🐶"}
        self.bad = {"no-address": ("not an http address", True)}
        lines = ["photo_id\tphoto_image_url", "no-address\tftp://host/a.jpg"]
        lines.append(f"a'b\\ 🐶\t{host.serve('/odd', GOOD)}")
        for number, kind in enumerate(kinds):
            photo = f"photo-{number:04d}"
            lines.append(f"{photo}\t{self._serve(host, photo, kind)}")
        self.table = folder / "photos.csv000"
        self.table.write_text("\n".join([*lines, lines[2], lines[3]]), encoding="utf-8")

    def _serve(self, host: PhotoHost, photo: str, kind: str) -> str:
        if kind in STAYING:
            answer, reason, final = STAYING[kind]
            self.bad[photo] = (reason, final)
            return host.serve(f"/{photo}", answer)
        self.good.add(photo)
        before = [PASSING[kind]] if kind in PASSING else []
        return host.serve(f"/{photo}", *before, GOOD)


@pytest.mark.timeout(300)
def test_every_good_photo_is_in_and_every_bad_one_is_named_once_with_its_reason(
    database: Database,
    host: PhotoHost,
    tmp_path: Path,
    model: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wait_as_long_as_it_takes(host, monkeypatch)
    monkeypatch.setattr(download, "MAX_BYTES", 1_000_000)
    world = World(host, tmp_path)
    retries = Retries(attempts=2, first_wait=0.01)

    def run() -> list[Skip]:
        skips: list[Skip] = []
        order = Order(UnsplashSource([world.table], retries), "mine", model, model)
        load(order, database, None, lambda _: None, skips.append)
        return skips

    skips = run()
    collection = database.collections.find("mine")
    assert collection is not None
    table = database.collections.photos(collection)
    assert (len(world.good), len(world.bad)) == (PHOTOS - 12 * 13 - 1, 12 * 13 + 1)
    assert table.count() == len(world.good)
    assert table.ids() == world.good
    named = [(skip.photo.id, (skip.reason, skip.final)) for skip in skips]
    assert sorted(named) == sorted(world.bad.items())
    recorded = database.failures.of(table)
    assert {name: (f.reason, f.final) for name, f in recorded.items()} == world.bad

    host.asked.clear()
    again = run()
    passing = {name for name, (_, final) in world.bad.items() if not final}
    assert {skip.photo.id for skip in again} == passing
    assert {path.split("?")[0].strip("/") for path in host.asked} == passing
    assert table.count() == len(world.good)
