"""Nothing of this machine or its network is asked for, by whatever name."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.errors import ExplorerError
from db.settings import Settings
from ingest.__main__ import main
from ingest.archive import Archive
from ingest.download import Downloader
from ingest.pipeline import Order
from ingest.public import PrivateError, refuse_private
from ingest.retry import Retries, TransientError
from tests.photo_host import Answer, PhotoHost, photo_host

TOLD = r"is on this machine or its own network: set PRIVATE_HOSTS=true to allow that$"
PRIVATE = [
    "127.0.0.1", "127.8.9.1", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254",
    "100.64.0.1", "255.255.255.255", "224.0.0.1", "::1", "::", "fe80::1%eth0", "fc00::1",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "2002:7f00:1::",
    "::127.0.0.1", "fec0::1", "fd00:ec2::254", "::ffff:100.100.100.200", "64:ff9b:1::a9fe:a9fe",
    "2001:0:7f00:1::", "2002:a9fe:a9fe::1", "5f00::1", "3fff::1", "2001:db8::1", "198.18.0.1",
    "240.0.0.1", "::ffff:0.0.0.0", "ff0e::1", "100::1",
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


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
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
        "017700000001",
        "0x7f000001",
        "0",
        "0x7f.1",
        "127.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "me:secret@127.0.0.1",
        "8.8.8.8@127.0.0.1",
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


@pytest.mark.parametrize("name", ["127.1", "2130706433", "0x7f.1", "[::1]", "a.localhost"])
def test_a_proxy_is_not_asked_for_this_machine(
    host: PhotoHost, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("http_proxy", host.url)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(PrivateError, match=TOLD):
        public().get(f"http://{name}/a.jpg")
    assert host.asked == []


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://a/"])
def test_a_redirect_leads_to_no_other_scheme(
    host: PhotoHost, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    monkeypatch.setattr("ingest.public._is_public", lambda _: True)
    with pytest.raises(ValueError, match=r"^not an http address$"):
        public().get(host.serve("/a.jpg", Answer(b"", 302, location=location)))


def test_an_archive_is_not_fetched_from_this_machine(
    host: PhotoHost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PRIVATE_HOSTS", "false")
    archive = Archive(host.url, "1.0", tmp_path, Retries(attempts=1))
    with pytest.raises(ExplorerError, match=r"127\.0\.0\.1 is on this machine or its own network"):
        archive.tables(lambda *_: None)
    assert host.asked == []


def test_the_command_line_allows_them_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVATE_HOSTS", "false")
    seen: list[bool] = []

    def note(order: Order, settings: Settings) -> int:
        seen.append(settings.private_hosts)
        return 0

    monkeypatch.setattr("ingest.__main__._load", note)
    main(["unsplash"])
    main(["unsplash", "--allow-private-hosts"])
    assert seen == [False, True]


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
