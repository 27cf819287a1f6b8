from collections.abc import Iterator
from threading import Thread

import pytest

from ingest import download
from ingest.download import Downloader, sized
from tests.photo_host import Answer, PhotoHost, photo_host

BODY = bytes(range(256)) * 1024  # four pieces of a stream


@pytest.fixture
def host() -> Iterator[PhotoHost]:
    with photo_host() as running:
        yield running


def test_the_bytes_arrive_as_they_were_sent(host: PhotoHost) -> None:
    assert Downloader().get(host.serve("/a.jpg", Answer(BODY))) == BODY


def test_a_redirect_is_followed(host: PhotoHost) -> None:
    host.serve("/new.jpg", Answer(BODY))
    assert Downloader().get(host.serve("/old.jpg", Answer(b"", 302, location="/new.jpg"))) == BODY


def test_one_connection_serves_several_photos(host: PhotoHost) -> None:
    downloader = Downloader()
    for name in ("/a.jpg", "/b.jpg", "/c.jpg"):
        assert downloader.get(host.serve(name, Answer(name.encode()))) == name.encode()


def test_threads_do_not_mix_their_photos_up(host: PhotoHost) -> None:
    downloader = Downloader()
    urls = [host.serve(f"/{n}.jpg", Answer(f"photo {n}".encode())) for n in range(40)]
    got: dict[str, bytes] = {}

    def fetch(part: list[str]) -> None:
        got.update({url: downloader.get(url) for url in part})

    threads = [Thread(target=fetch, args=(urls[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == {url: f"photo {n}".encode() for n, url in enumerate(urls)}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(b"gone", 404), "HTTP 404"),
        (Answer(b"sorry", 500), "HTTP 500"),
        (Answer(b"", 204), "HTTP 204"),
        (Answer(b""), "empty answer"),
        (Answer(BODY, missing=1), "cut short"),
        (Answer(b"", missing=10), "cut short"),
    ],
)
def test_every_fault_has_its_reason(host: PhotoHost, answer: Answer, reason: str) -> None:
    with pytest.raises((OSError, ValueError)) as refusal:
        Downloader().get(host.serve("/a.jpg", answer))
    assert str(refusal.value) == reason


@pytest.mark.parametrize("answer", [Answer(BODY, waits=True), Answer(BODY, stalls=True)])
def test_a_host_that_falls_silent_times_out(
    host: PhotoHost, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    monkeypatch.setattr(download, "READ_TIMEOUT", 0.05)
    with pytest.raises(OSError, match=r"^timed out$"):
        Downloader().get(host.serve("/a.jpg", answer))


def test_a_host_that_is_not_there_is_no_connection() -> None:
    with photo_host() as gone:
        url = gone.url
    with pytest.raises(OSError, match=r"^no connection$"):
        Downloader().get(f"{url}/a.jpg")


def test_a_body_over_the_limit_is_refused(host: PhotoHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MAX_BYTES", 3_000_000)
    downloader = Downloader()
    fits = host.serve("/fits.jpg", Answer(b"x" * 3_000_000))
    over = host.serve("/over.jpg", Answer(b"x" * 3_000_001))
    assert len(downloader.get(fits)) == 3_000_000
    with pytest.raises(ValueError, match=r"^over 3 MB$"):
        downloader.get(over)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/hostname",
        "ftp://localhost/a.jpg",
        "/etc/hostname",
        "a.jpg",
        "",
        "http://",
        "https:///a.jpg",
        "http://a:port/a.jpg",
        "data:image/png;base64,AAAA",
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^not an http address$"):
        Downloader().get(url)


def test_a_redirect_to_a_file_opens_no_file(host: PhotoHost) -> None:
    url = host.serve("/a.jpg", Answer(b"", 302, location="file:///etc/hostname"))
    with pytest.raises(ValueError, match=r"^not an http address$"):
        Downloader().get(url)


def test_redirects_in_a_circle_end(host: PhotoHost) -> None:
    url = host.serve("/a.jpg", Answer(b"", 302, location="/a.jpg"))
    with pytest.raises(OSError, match=r"redirects"):
        Downloader().get(url)


def test_sized_asks_for_the_square() -> None:
    assert sized("https://host/a.jpg", 224) == (
        "https://host/a.jpg?w=224&h=224&fit=crop&fm=jpg&q=85"
    )


def test_sized_keeps_the_parameters_that_are_there() -> None:
    url = sized("https://host/a%20b.jpg?ixid=1%202&w=900&empty=", 224)
    path, query = url.split("?")
    assert path == "https://host/a%20b.jpg"
    assert sorted(query.split("&")) == [
        "empty=",
        "fit=crop",
        "fm=jpg",
        "h=224",
        "ixid=1+2",
        "q=85",
        "w=900",
    ]
