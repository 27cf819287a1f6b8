"""The compose file, which has never been run: what can be read in it."""

import re
from configparser import ConfigParser
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import yaml

from db.settings import ROOT, load_settings
from pages.health import HEALTH
from pages.open_files import ENOUGH

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


def test_the_app_beside_it_is_told_that_user_and_is_not_open_to_others() -> None:
    compose = yaml.safe_load(FILE.read_text())
    app = compose["services"]["app"]
    assert app["profiles"] == ["app"], "the database alone is what most start"
    address = urlsplit(app["environment"]["DATABASE_URL"])
    assert address.hostname in compose["services"]
    assert address.username == "explorer"
    assert app["ports"] == ["127.0.0.1:8501:8501"]
    assert (FILE.parent / app["build"]["context"]).resolve() == ROOT
    assert (ROOT / app["build"]["dockerfile"]).is_file()
    named = {volume.split(":")[0] for volume in app["volumes"]}
    assert {name for name in named if "/" not in name} <= compose["volumes"].keys()
    assert app["ulimits"]["nofile"] >= ENOUGH


def test_the_container_holds_what_the_app_needs_and_nothing_of_its_user() -> None:
    lines = (ROOT / "db" / "Dockerfile").read_text().splitlines()
    copied = {line.split()[1] for line in lines if line.startswith("COPY")}
    assert all((ROOT / name).exists() for name in copied)
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert rooms | {"app.py", "requirements.txt", ".streamlit/config.toml"} == copied
    kept = (ROOT / "db" / "Dockerfile.dockerignore").read_text().splitlines()
    assert {line.removeprefix("!") for line in kept if line.startswith("!")} == copied
    assert kept[0] == "*"
    assert "USER explorer" in lines
    assert any(f"8501{HEALTH}" in line for line in lines)


def test_the_service_that_is_shown_starts_the_app_with_enough_open_files() -> None:
    (text,) = re.findall(r"```ini\n(.*?)```", readme(), re.DOTALL)
    unit = ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment]
    unit.read_string(text)
    service = unit["Service"]
    assert service["ExecStart"].startswith(
        f"{service['WorkingDirectory']}/.venv/bin/streamlit run app.py"
    )
    assert int(service["LimitNOFILE"]) >= ENOUGH
    assert service["UMask"] == "0077"
    for folder in re.findall(r"/var/\w+/(\w+)", service["Environment"]):
        assert folder in (service["StateDirectory"], service["CacheDirectory"])
