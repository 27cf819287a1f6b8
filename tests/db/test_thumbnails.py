import shutil
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import db.thumbnails
from db.errors import ExplorerError
from db.thumbnails import SIDE, Thumbnails


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


def test_a_broken_cache_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"no cache" * 4096)
    (tmp_path / "lock.mdb").write_bytes(b"no lock" * 4096)
    for _ in range(2):
        thumbnails = Thumbnails(tmp_path, Photos())
        assert opened(thumbnails.get("a", "file:///a")).size == (SIDE, SIDE)
        thumbnails.close()


def test_a_cache_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ExplorerError, match=r"Can't open the thumbnail cache in .*/file/cache"):
        Thumbnails(tmp_path / "file" / "cache", Photos())


def test_a_full_cache_still_gives_thumbnails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.thumbnails.MAP_SIZE", 1 << 14)
    thumbnails = Thumbnails(tmp_path, Photos())
    for number in range(20):
        assert opened(thumbnails.get(str(number), "file:///a")).size == (SIDE, SIDE)
    thumbnails.close()


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
    used = (tmp_path / "data.mdb").stat().st_size
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
