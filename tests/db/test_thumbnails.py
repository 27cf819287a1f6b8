import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from PIL import Image

import db.thumbnails
from db.errors import ExplorerError
from db.thumbnails import SIDE, Thumbnails
from tests.disks import small_disk


class Photos:
    """Reads a red and blue picture, and counts how often."""

    def __init__(self, size: tuple[int, int] = (1200, 600)) -> None:
        self.read: list[str] = []
        self.size = size

    def __call__(self, url: str) -> Image.Image:
        self.read.append(url)
        if url == "file:///gone":
            raise FileNotFoundError(url)
        image = Image.new("RGB", self.size, "red")
        image.paste("blue", (0, 0, self.size[0] // 4, self.size[1]))
        return image


def opened(jpeg: bytes) -> Image.Image:
    return Image.open(BytesIO(jpeg))


def test_a_thumbnail_is_the_centre_square(tmp_path: Path) -> None:
    thumbnails = Thumbnails(tmp_path / "thumbnails", Photos())
    image = opened(thumbnails.get("a", "file:///a"))
    assert image.size == (SIDE, SIDE)
    assert image.format == "JPEG"
    red, _, blue = image.getpixel((5, SIDE // 2))  # type: ignore[misc]
    assert red > 200 > blue, "the left quarter lies outside the square"
    thumbnails.close()


def test_it_is_made_once_and_survives_a_restart(tmp_path: Path) -> None:
    photos = Photos()
    for _ in range(2):
        thumbnails = Thumbnails(tmp_path, photos)
        first = thumbnails.get("a", "file:///a")
        assert thumbnails.get("a", "file:///a") == first
        thumbnails.close()
    assert photos.read == ["file:///a"]


def test_a_small_photo_is_not_blown_up(tmp_path: Path) -> None:
    thumbnails = Thumbnails(tmp_path, Photos((30, 20)))
    assert opened(thumbnails.get("a", "file:///a")).size == (20, 20)
    thumbnails.close()


def test_an_id_of_any_length_and_script_is_a_key(tmp_path: Path) -> None:
    thumbnails = Thumbnails(tmp_path, Photos())
    for photo in ("x" * 5000, "😀", "x" * 4999 + "y"):
        assert thumbnails.get(photo, "file:///a")
    thumbnails.close()


FILE = "thumbnails.sqlite"


def cut(data: bytes, chance: Random) -> bytes:
    return data[: chance.randrange(len(data))]


def overwritten(data: bytes, chance: Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + chance.randbytes(min(len(data) - start, 5000)) + data[start + 5000 :]


def zeroed(data: bytes, chance: Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + bytes(len(data) - start)


def flipped(data: bytes, chance: Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(20):
        damaged[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


@pytest.mark.parametrize("opened_before", [False, True])
@pytest.mark.parametrize("harm", [cut, overwritten, zeroed, flipped])
def test_a_damaged_cache_gives_every_picture_and_ends_nothing(
    tmp_path: Path, harm: Callable[[bytes, Random], bytes], opened_before: bool
) -> None:
    photos = Photos((80, 60))
    cache = Thumbnails(tmp_path, photos)
    right = {str(n): cache.get(str(n), f"file:///{n}") for n in range(40)}
    cache.close()
    whole = (tmp_path / FILE).read_bytes()
    for seed in range(12):
        if opened_before:
            cache = Thumbnails(tmp_path, photos)
        (tmp_path / FILE).write_bytes(harm(whole, Random(seed)))  # noqa: S311
        if not opened_before:
            cache = Thumbnails(tmp_path, photos)
        for _ in range(2):
            assert {n: cache.get(n, f"file:///{n}") for n in right} == right
        photos.read.clear()
        assert cache.get("0", "file:///0") == right["0"]
        assert photos.read == [], "what was damaged is cached again"
        cache.close()


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE blobs",
        "ALTER TABLE blobs RENAME COLUMN blob TO other",
        "UPDATE blobs SET blob = 'text'",
        "UPDATE blobs SET checksum = x'00'",
    ],
)
def test_a_file_of_another_make_is_no_cache(tmp_path: Path, sql: str) -> None:
    photos = Photos()
    cache = Thumbnails(tmp_path, photos)
    right = cache.get("a", "file:///a")
    cache.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as file, file:
        file.execute(sql)
    cache = Thumbnails(tmp_path, photos)
    assert cache.get("a", "file:///a") == cache.get("a", "file:///a") == right
    assert photos.read == ["file:///a"] * 2
    cache.close()


def test_the_cache_of_earlier_versions_makes_room(tmp_path: Path) -> None:
    for name in ("data.mdb", "lock.mdb"):
        (tmp_path / name).write_bytes(b"an old cache")
    Thumbnails(tmp_path, Photos()).close()
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".mdb"] == []


def test_no_file_of_the_cache_is_mapped_into_memory(tmp_path: Path) -> None:
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("only Linux tells what is mapped into memory")
    cache = Thumbnails(tmp_path, Photos())
    cache.get("a", "file:///a")
    assert str(tmp_path) not in maps.read_text()
    cache.close()


def test_threads_and_another_cache_share_the_file(tmp_path: Path) -> None:
    caches = [Thumbnails(tmp_path, Photos((40, 30))) for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(lambda n: caches[n % 2].get(str(n // 4), f"file:///{n // 4}"), range(200))
        )
    assert len(set(made)) == 1
    silent = Photos()
    third = Thumbnails(tmp_path, silent)
    assert {third.get(str(n), "file:///a") for n in range(50)} == set(made)
    assert silent.read == []
    for cache in (*caches, third):
        cache.close()


def test_a_full_disk_still_shows_pictures(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=1) as disk:
        folder = disk.path / "cache"
        folder.mkdir()
        disk.fill()
        photos = Photos((40, 30))
        cache = Thumbnails(folder, photos)
        right = cache.get("a", "file:///a")
        assert cache.get("a", "file:///a") == right
        disk.free()
        for _ in range(3):
            assert cache.get("a", "file:///a") == right
        assert len(photos.read) == 3, "cached once there is room"
        cache.close()


def test_a_cache_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExplorerError, match=r"Can't open the thumbnail cache in .*/file/cache"):
        Thumbnails(tmp_path / "file" / "cache", Photos())


def test_a_photo_that_is_gone_says_so_each_time(tmp_path: Path) -> None:
    thumbnails = Thumbnails(tmp_path, Photos())
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            thumbnails.get("a", "file:///gone")
    thumbnails.close()


def test_beyond_its_size_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db.thumbnails, "MAX_SIZE", 300_000)
    photos = Photos()
    cache = Thumbnails(tmp_path, photos)
    urls = [f"file:///{number}" for number in range(150)]
    for url in urls:
        cache.get(url, url)
    # 150 are a good deal more than fit.
    kept = urls[-20:]
    photos.read.clear()
    for url in kept:
        cache.get(url, url)
    assert photos.read == []
    for url in urls[:20]:
        cache.get(url, url)
    assert photos.read == urls[:20]
    used = (tmp_path / FILE).stat().st_size
    cache.close()
    assert used < 3 * 300_000


def test_the_order_of_age_survives_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.thumbnails, "MAX_SIZE", 300_000)
    photos = Photos()
    for part in range(6):
        cache = Thumbnails(tmp_path, photos)
        for number in range(25):
            cache.get(f"{part}-{number}", "file:///a")
        cache.close()
    photos.read.clear()
    cache = Thumbnails(tmp_path, photos)
    cache.get("5-24", "file:///a")
    assert photos.read == []
    cache.get("0-0", "file:///a")
    assert photos.read == ["file:///a"]
    cache.close()


def test_a_cache_that_is_deleted_while_it_is_open_does_no_harm(tmp_path: Path) -> None:
    photos = Photos()
    cache = Thumbnails(tmp_path / "cache", photos)
    before = cache.get("a", "file:///a")
    shutil.rmtree(tmp_path / "cache")
    assert cache.get("b", "file:///b") == before
    cache.close()
    cache = Thumbnails(tmp_path / "cache", photos)
    assert cache.get("a", "file:///a") == before
    cache.close()
