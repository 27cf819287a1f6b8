from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from socket import socket
from threading import Event, Thread
from typing import ClassVar

import pytest

from db.database import Database
from ingest import download
from ingest.download import Downloader, sized
from ingest.pipeline import Order, load
from ingest.retry import Retries, TransientError
from ingest.sources import UnsplashSource
from tests.ingest.photos import photo_bytes
from tests.photo_host import Answer, PhotoHost, photo_host, wait_as_long_as_it_takes

BODY = bytes(range(256)) * 1024  # four pieces of a stream


def impatient() -> Downloader:
    """One that waits hardly at all between attempts."""
    return Downloader(Retries(first_wait=0.001, longest_wait=0.002))


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


FOR_GOOD = [
    (Answer(b"gone", 404), "HTTP 404"),
    (Answer(b"gone", 410), "HTTP 410"),
    (Answer(b"no", 501), "HTTP 501"),
    (Answer(b"", 204), "HTTP 204"),
    (Answer(b""), "empty answer"),
    (Answer(b"no gzip", headers={"Content-Encoding": "gzip"}), "garbled answer"),
]

FOR_NOW = [
    (Answer(b"sorry", 408), "HTTP 408"),
    (Answer(b"sorry", 429), "HTTP 429"),
    (Answer(b"sorry", 429, headers={"Retry-After": "0"}), "HTTP 429"),
    (Answer(b"sorry", 429, headers={"Retry-After": "soon"}), "HTTP 429"),
    (Answer(b"sorry", 500), "HTTP 500"),
    (Answer(b"sorry", 502), "HTTP 502"),
    (Answer(b"sorry", 503), "HTTP 503"),
    (Answer(b"sorry", 504), "HTTP 504"),
    (Answer(BODY, missing=1), "cut short"),
    (Answer(b"", missing=10), "cut short"),
    (Answer(resets=True), "no connection"),
    (Answer(BODY, waits=True), "timed out"),
    (Answer(BODY, stalls=True), "timed out"),
]


@pytest.mark.parametrize(("answer", "reason"), FOR_GOOD)
def test_a_fault_for_good_is_told_after_one_attempt(
    host: PhotoHost, answer: Answer, reason: str
) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 -- the next line has the text
        impatient().get(host.serve("/a.jpg", answer, Answer(BODY)))
    assert str(refusal.value) == reason
    assert len(host.asked) == 1


@pytest.mark.parametrize("status", [401, 403, 451])
def test_a_closed_door_is_not_knocked_at_again_in_this_run(host: PhotoHost, status: int) -> None:
    with pytest.raises(OSError, match=rf"^HTTP {status}$") as refusal:
        impatient().get(host.serve("/a.jpg", Answer(b"no", status), Answer(BODY)))
    assert not isinstance(refusal.value, TransientError)
    assert len(host.asked) == 1


@pytest.mark.parametrize(("answer", "reason"), FOR_NOW)
def test_a_fault_for_now_is_tried_again(
    host: PhotoHost, monkeypatch: pytest.MonkeyPatch, answer: Answer, reason: str
) -> None:
    wait_as_long_as_it_takes(host, monkeypatch)
    assert impatient().get(host.serve("/a.jpg", answer, answer, Answer(BODY))) == BODY
    assert len(host.asked) == 3


@pytest.mark.parametrize(("answer", "reason"), FOR_NOW)
def test_a_fault_that_stays_is_told_in_the_end(
    host: PhotoHost, monkeypatch: pytest.MonkeyPatch, answer: Answer, reason: str
) -> None:
    wait_as_long_as_it_takes(host, monkeypatch)
    downloader = Downloader(Retries(attempts=2, first_wait=0.001))
    with pytest.raises(TransientError) as refusal:
        downloader.get(host.serve("/a.jpg", answer))
    assert str(refusal.value) == reason
    assert len(host.asked) == 2


def test_the_wait_is_the_one_that_the_host_asks_for(host: PhotoHost) -> None:
    busy = Answer(b"sorry", 429, headers={"Retry-After": "3600"})
    url = host.serve("/a.jpg", busy, busy, Answer(BODY))
    # Were it not cut to the longest wait, this would take an hour.
    assert Downloader(Retries(longest_wait=0.01)).get(url) == BODY
    dated = Answer(b"", 503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"})
    # A date that is past: no wait, where the first one of its own would take that hour.
    assert Downloader(Retries(first_wait=3600, longest_wait=3600)).get(
        host.serve("/b.jpg", dated, Answer(BODY))
    )


DRIPS = {
    "body": Answer(BODY, drips=0.02),
    "head": Answer(drips_head=0.02),
    "a body of no length": Answer(BODY, drips=0.02, headers={"Transfer-Encoding": "chunked"}),
}


@pytest.mark.parametrize("kind", DRIPS)
@pytest.mark.parametrize("private", [True, False])
def test_a_host_that_sends_a_byte_now_and_then_is_given_up_at_once(
    host: PhotoHost, monkeypatch: pytest.MonkeyPatch, kind: str, private: bool
) -> None:
    monkeypatch.setattr(download, "TOTAL_TIMEOUT", 0.2)
    monkeypatch.setattr("ingest.public._is_public", lambda _: True)
    with pytest.raises(OSError, match=r"^timed out$") as refusal:
        Downloader(private=private).get(host.serve("/a.jpg", DRIPS[kind]))
    assert not isinstance(refusal.value, TransientError)
    assert len(host.asked) <= 1


def test_a_host_that_redirects_without_end_is_given_up(
    host: PhotoHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TOTAL_TIMEOUT", 0.2)
    slow = host.serve("/slow.jpg", Answer(drips_head=0.02))
    with pytest.raises(OSError, match=r"^timed out$"):
        Downloader().get(host.serve("/a.jpg", Answer(b"", 302, location=slow)))


def test_a_host_that_agrees_on_tls_byte_by_byte_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(download, "TOTAL_TIMEOUT", 0.2)
    over = Event()

    def drip(listening: socket) -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 kB begins
            while not over.wait(0.02):
                connection.sendall(b"\0")

    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        thread = Thread(target=drip, args=(listening,))
        thread.start()
        try:
            with pytest.raises(OSError, match=r"^timed out$"):
                Downloader().get(f"https://127.0.0.1:{listening.getsockname()[1]}/a.jpg")
        finally:
            over.set()
            thread.join()


class Held:
    """In place of a timer: its time is over when the test says so."""

    begun: ClassVar[list["Held"]] = []
    daemon = False

    def __init__(self, seconds: float, end: Callable[[], None]) -> None:
        self.end = end

    def start(self) -> None:
        self.begun.append(self)

    def cancel(self) -> None:
        """It never ends by itself."""


def test_sixteen_hosts_that_drip_of_sixty_stop_no_load(
    host: PhotoHost,
    monkeypatch: pytest.MonkeyPatch,
    database: Database,
    model: str,
    tmp_path: Path,
) -> None:
    workers = UnsplashSource.workers
    urls = [host.serve(f"/drip{n}", Answer(drips_head=0.05)) for n in range(workers)]
    urls += [host.serve(f"/{n}", Answer(photo_bytes(n))) for n in range(60 - workers)]
    table = tmp_path / "photos.csv"
    table.write_text("photo_id,photo_image_url\n" + "".join(f"{url},{url}\n" for url in urls))
    monkeypatch.setattr(Held, "begun", [])
    monkeypatch.setattr("ingest.deadline.Timer", Held)

    def end_all_once_every_worker_is_held() -> None:
        while len(host.asked) < workers and not host.closing.wait(0.01):
            pass
        for held in list(Held.begun):
            held.end()

    ending = Thread(target=end_all_once_every_worker_is_held)
    ending.start()
    order = Order(UnsplashSource([table]), "mine", model, model)
    report = load(order, database, None, lambda _: None, lambda _: None)
    ending.join()
    assert (report.added, len(report.skipped)) == (60 - workers, workers)
    assert {(skip.reason, skip.final) for skip in report.skipped} == {("timed out", False)}


def test_a_host_that_is_not_there_is_no_connection() -> None:
    with photo_host() as gone:
        url = gone.url
    with pytest.raises(TransientError, match=r"^no connection$"):
        impatient().get(f"{url}/a.jpg")


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


@pytest.mark.parametrize("length", ["banana", "-5", "5, 6", "1e9", "٣", "9" * 400])
def test_a_length_that_is_none_ends_in_one_of_our_own_words(host: PhotoHost, length: str) -> None:
    url = host.serve("/a.jpg", Answer(BODY, length=length))
    told = "the photo"
    try:
        assert Downloader(Retries(attempts=1)).get(url) == BODY
    except (ValueError, OSError) as error:
        told = str(error)
    assert told in ("the photo", "garbled answer", "cut short", "no connection")


@pytest.mark.parametrize("location", ["http://[", "http://a..b/", "//", "http://\udcff/", "x:y"])
def test_a_redirect_to_no_address_is_one_line(host: PhotoHost, location: str) -> None:
    location = location.encode("latin-1", "replace").decode("latin-1")
    url = host.serve("/a.jpg", Answer(b"", 302, location=location))
    with pytest.raises((ValueError, OSError)) as refusal:
        Downloader(Retries(attempts=1)).get(url)
    assert len(str(refusal.value)) < 80


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
