"""Nothing of this machine or its network is asked for, by whatever name."""

import socket
from collections.abc import Iterator

import pytest

from ingest.download import Downloader
from ingest.public import PrivateError, refuse_private
from ingest.retry import Retries, TransientError
from tests.photo_host import Answer, PhotoHost, photo_host

TOLD = r"is on this machine or its own network: set PRIVATE_HOSTS=true to allow that$"
PRIVATE = [
    "127.0.0.1", "127.8.9.1", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254",
    "100.64.0.1", "255.255.255.255", "224.0.0.1", "::1", "::", "fe80::1%eth0", "fc00::1",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "2002:7f00:1::",
    "::127.0.0.1",
]  # fmt: skip


@pytest.fixture
def host() -> Iterator[PhotoHost]:
    with photo_host() as running:
        yield running


def public() -> Downloader:
    return Downloader(Retries(attempts=1), private=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_known(address: str) -> None:
    with pytest.raises(PrivateError, match=TOLD):
        refuse_private(address, "a-name")


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_not_refused(address: str) -> None:
    refuse_private(address, "a-name")


@pytest.mark.parametrize(
    "name",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "2130706433",
        "0x7f.1",
        "127.1",
        "[::1]",
    ],
)
def test_no_way_of_writing_this_machine_reaches_it(host: PhotoHost, name: str) -> None:
    port = host.serve("/a.jpg", Answer(b"secret")).split(":")[2]
    with pytest.raises(PrivateError, match=TOLD):
        public().get(f"http://{name}:{port}")
    assert host.asked == []


def test_a_name_that_resolves_to_this_machine_is_refused(
    host: PhotoHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where only one of several addresses is private, and on a later look."""
    real = socket.getaddrinfo

    def both(name: str, port: int, *rest: object, **kind: int) -> list[object]:
        numbers = ("8.8.8.8", "127.0.0.1") if name == "photos.example" else (name,)
        return [found for n in numbers for found in real(n, port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    port = host.serve("/a.jpg", Answer(b"secret")).split(":")[2]
    with pytest.raises(PrivateError, match=rf"^photos\.example {TOLD}"):
        public().get(f"http://photos.example:{port}")
    assert host.asked == []


def test_a_redirect_to_this_machine_is_refused(
    host: PhotoHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first host is let through, as a public one would be."""
    monkeypatch.setattr("ingest.public._is_public", lambda address: str(address) == "127.0.0.1")
    port = host.url.rpartition(":")[2]
    location = f"http://[::1]:{port}/secret"
    with pytest.raises(PrivateError, match=TOLD):
        public().get(host.serve("/a.jpg", Answer(b"", 302, location=location)))


def test_a_public_host_answers_over_checked_connections(
    host: PhotoHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.public._is_public", lambda _: True)
    assert public().get(host.serve("/a.jpg", Answer(b"photo"))) == b"photo"
    with pytest.raises(TransientError, match=r"^no connection$"):
        public().get("http://127.0.0.1:1/a.jpg")
    with pytest.raises(TransientError, match=r"^no connection$"):
        public().get("http://nobody.invalid/a.jpg")


def test_the_setting_allows_private_hosts(host: PhotoHost) -> None:
    assert Downloader().get(host.serve("/a.jpg", Answer(b"photo"))) == b"photo"
