"""The settings of a run, from the environment and from `.streamlit/secrets.toml`."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from db.dsn import checked_dsn
from db.errors import ExplorerError
from db.layout import checked_cluster

ROOT = Path(__file__).resolve().parent.parent
SECRETS = ROOT / ".streamlit" / "secrets.toml"
UNSPLASH_URL = "https://unsplash.com/data/lite"
DEFAULT_MODEL = "openai/clip-vit-base-patch32"


@dataclass(frozen=True)
class Settings:
    """What a run needs to know.

    Attributes:
        database_url: a clickhouse-connect DSN, or `chdb:///absolute/path` for the embedded engine;
            with the password of `DATABASE_PASSWORD` in it, so it is left out of the repr, and
            with `MYSCALE_ALPHA` and `DATABASE_CLUSTER` as its options `alpha` and `cluster`.
        data: the folder of the embedded database and the thumbnail cache.
        clip_model: the CLIP checkpoint for new collections: a hub id, a folder, or `sample`.
        unsplash_url: where the releases of the Unsplash Lite dataset are.
        clip_text_model: the text tower that reads prompts in the place of the collection model's
            own, a hub id or a folder, or "".
        private_hosts: whether pictures may be fetched from this machine and its network.
    """

    database_url: str = field(repr=False)
    data: Path
    clip_model: str
    unsplash_url: str = UNSPLASH_URL
    private_hosts: bool = False
    clip_text_model: str = ""


def load_settings(environ: Mapping[str, str] | None = None, secrets: Path = SECRETS) -> Settings:
    """Read the settings; the environment wins over the secrets file.

    Args:
        environ: the environment to read; the process's own by default.
        secrets: a TOML file that may hold the same names at its top level.

    Raises:
        ExplorerError: the secrets file is not TOML, or `DATABASE_URL` can't be understood.
    """
    values = read_given(os.environ if environ is None else environ, secrets)
    data = (typed_path(values.get("EXPLORER_DATA", "")) or ROOT / "data").resolve()
    url = _with_password(
        checked_dsn(values.get("DATABASE_URL") or default_url(data)),
        values.get("DATABASE_PASSWORD", ""),
    )
    return Settings(
        database_url=_with_cluster(
            _with_alpha(url, values.get("MYSCALE_ALPHA", "")), values.get("DATABASE_CLUSTER", "")
        ),
        data=data,
        clip_model=values.get("CLIP_MODEL") or DEFAULT_MODEL,
        unsplash_url=values.get("UNSPLASH_URL") or UNSPLASH_URL,
        clip_text_model=values.get("CLIP_TEXT_MODEL", ""),
        private_hosts=is_on("PRIVATE_HOSTS", values),
    )


def read_given(environ: Mapping[str, str], secrets: Path = SECRETS) -> dict[str, str]:
    """All settings that were given, by their names; see load_settings.

    Raises:
        ExplorerError: the secrets file is not TOML.
    """
    written = read_secrets(secrets)
    texts = {name: str(v) for name, v in written.items() if isinstance(v, (str, bool, int))}
    given = {**texts, **environ}
    # A password may well end in spaces or stand in quotes.
    return {n: v if n == "DATABASE_PASSWORD" else as_meant(v) for n, v in given.items()}


def as_meant(value: str) -> str:
    """A value without the spaces and the quotes around it, which a shell or a file may leave."""
    bare = value.strip()
    quoted = len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "\"'"
    return bare[1:-1].strip() if quoted else bare


def is_on(name: str, given: Mapping[str, str]) -> bool:
    """Whether a setting that is yes or no is yes.

    Raises:
        ExplorerError: it is neither.
    """
    value = given.get(name, "")
    if value.casefold() in ("1", "true", "yes", "on"):
        return True
    if value.casefold() in ("", "0", "false", "no", "off"):
        return False
    raise ExplorerError(f"{name}={value[:80]} is neither yes nor no: write true or false")


def typed_path(text: str) -> Path | None:
    """A path as a person types it, `~` for the home folder; None for a blank."""
    # Unlike Path.expanduser, this leaves an unknown ~user as it stands instead of raising.
    return Path(os.path.expanduser(text.strip())) if text.strip() else None  # noqa: PTH111


def default_url(data: Path) -> str:
    """The embedded engine's DSN for a data folder; its path is absolute and percent-encoded."""
    return "chdb://" + quote(str(data.resolve() / "database"))


def _with_password(url: str, password: str) -> str:
    """A server's DSN with the password that was kept apart from it."""
    if not password or url.startswith("chdb:"):
        return url
    parts = urlsplit(url)
    who, _, host = parts.netloc.rpartition("@")
    user, _, written = who.partition(":")
    if written:
        raise ExplorerError(
            "DATABASE_URL holds a password and DATABASE_PASSWORD is set too: delete one of them"
        )
    return parts._replace(netloc=f"{user or 'default'}:{quote(password, safe='')}@{host}").geturl()


def _with_alpha(url: str, alpha: str) -> str:
    """A server's DSN with MyScale's search accuracy, which travels in it as an option."""
    alpha = alpha.strip() or _option(url, "alpha")
    if alpha and alpha not in ("1", "2", "3", "4"):
        raise ExplorerError(
            f"MYSCALE_ALPHA={alpha} is not an accuracy of MyScale's: write 1, 2, 3 or 4, or "
            "nothing for its default"
        )
    return url if url.startswith("chdb:") else _with_option(url, "alpha", alpha)


def _with_cluster(url: str, name: str) -> str:
    """A DSN with the name of the cluster that its server is a node of, which travels in it too."""
    name = name.strip() or _option(url, "cluster")
    return _with_option(url, "cluster", checked_cluster(name) if name else "")


def _with_option(url: str, name: str, value: str) -> str:
    if not value or _option(url, name):
        return url
    parts = urlsplit(url)
    return parts._replace(query=f"{parts.query}&{urlencode({name: value})}".lstrip("&")).geturl()


def _option(url: str, name: str) -> str:
    return parse_qs(urlsplit(url).query).get(name, [""])[-1]


def read_secrets(path: Path) -> dict[str, Any]:
    """What a secrets file holds; nothing where there is none.

    Raises:
        ExplorerError: it can't be read, or is not TOML.
    """
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExplorerError(f"{path} is not valid TOML ({error}): correct or delete it") from error
    except OSError as error:
        raise ExplorerError(f"{path} can't be read ({error.strerror}): correct that") from error
