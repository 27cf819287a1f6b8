from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from db.photo import Photo
from ingest.originals import fetcher
from tests.ingest.photos import photo_bytes
from tests.photo_host import Answer, PhotoHost, photo_host


@pytest.fixture
def host() -> Iterator[PhotoHost]:
    with photo_host() as running:
        yield running


def test_a_file_comes_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a b.JPEG"
    path.write_bytes(photo_bytes(1))
    fetched = fetcher(100)(Photo("a", path.as_uri()))
    assert (fetched.content, fetched.suffix) == (photo_bytes(1), ".JPEG")
    with pytest.raises(FileNotFoundError):
        fetcher(100)(Photo("a", (tmp_path / "none.jpg").as_uri()))


def test_a_host_is_asked_for_a_size_and_its_bytes_tell_the_kind(host: PhotoHost) -> None:
    png = BytesIO()
    Image.new("RGB", (4, 3)).save(png, "PNG")
    host.serve("/a", Answer(png.getvalue()))
    host.serve("/b", Answer(b"<html>"))
    fetch = fetcher(2400)
    fetched = fetch(Photo("a", f"{host.url}/a"))
    assert (fetched.content, fetched.suffix) == (png.getvalue(), ".png")
    assert "w=2400&h=2400&fit=max" in host.asked[0]
    with pytest.raises(ValueError, match="not a JPEG"):
        fetch(Photo("b", f"{host.url}/b"))
    with pytest.raises(ValueError, match="HTTP 404"):
        fetch(Photo("c", f"{host.url}/c"))


def test_a_scene_is_drawn() -> None:
    fetched = fetcher(2400)(Photo("scene-000001", "sample:scene-000001"))
    assert fetched.suffix == ".jpg"
    assert min(Image.open(BytesIO(fetched.content)).size) >= 400
