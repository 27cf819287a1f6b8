"""The compose file, which has never been run: what can be read in it."""

import re
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import yaml

from db.settings import ROOT, load_settings

FILE = ROOT / "db" / "docker-compose.yaml"


def test_there_is_a_user_of_ones_own_whose_password_is_asked_for() -> None:
    compose = yaml.safe_load(FILE.read_text())
    service = compose["services"]["myscaledb"]
    assert service["image"] == "myscale/myscaledb:1.6.4"
    assert service["ports"] == ["127.0.0.1:8123:8123"], "nothing is encrypted"
    (mounted,) = service["configs"]
    assert mounted["target"].startswith("/etc/clickhouse-server/users.d/")
    content = compose["configs"][mounted["source"]]["content"]
    users = ElementTree.fromstring(content)  # noqa: S314  # our own
    (user,) = users.findall("./users/*")
    assert user.tag == "explorer"
    password = user.find("password")
    assert password is not None
    assert service["environment"][password.attrib["from_env"]].startswith("${DATABASE_PASSWORD:?")
    assert user.find("networks/ip") is not None


def test_the_address_that_is_told_is_that_users(tmp_path: Path) -> None:
    told = re.findall(r"DATABASE_URL=(\S+:8123/\w+)", FILE.read_text())
    assert told
    assert set(told) == set(re.findall(r"`DATABASE_URL=(\S+@127.0.0.1:8123/\w+)`", readme()))
    settings = load_settings(
        {"DATABASE_URL": told[0], "DATABASE_PASSWORD": "a/b"}, tmp_path / "none"
    )
    address = urlsplit(settings.database_url)
    assert (address.username, address.password) == ("explorer", "a%2Fb")
    assert (address.hostname, address.port) == ("127.0.0.1", 8123)


def readme() -> str:
    return (ROOT / "README.md").read_text()
