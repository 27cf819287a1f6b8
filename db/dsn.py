"""A DSN: what it says of TLS, and the options in it that only we read."""

import re
from ipaddress import ip_address
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from db.errors import ExplorerError
from db.faults import shown_url
from db.layout import Cluster, Layout, checked_cluster
from db.names import is_name

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
# Host and port as they may stand; brackets for version 6.
_HOST = re.compile(r"([\w.-]*|\[[0-9a-fA-F:.]+(%[\w.-]+)?\])(:\d{1,5})?")
_WRITTEN = (
    "write https://user:password@host:443/database, where signs of user and password such as "
    "/ ? # @ [ ] % are written %2F %3F %23 %40 %5B %5D %25, or keep the password in "
    "DATABASE_PASSWORD"
)


def checked_dsn(url: str) -> str:
    """A DSN that can be read in one way only, so that what is shown of it holds no password.

    Raises:
        ExplorerError: it is not one; the text quotes nothing that may be a password.
    """
    scheme, separator, rest = url.partition("://")
    if scheme.startswith("chdb"):
        return _checked_path(url)
    if not separator:
        raise ExplorerError(
            "DATABASE_URL has no scheme: write chdb:///absolute/path, "
            "or https://user:password@host:443/database"
        )
    if not _SCHEME.fullmatch(scheme):
        raise ExplorerError(f"DATABASE_URL has no scheme that there is: {_WRITTEN}")
    who, at, behind = rest.rpartition("@")
    place = re.split(r"[/?#]", behind, maxsplit=1)[0]
    if re.search(r"[\s/?#\[\]\\]", who) or "#" in behind or (at and not place):
        raise ExplorerError(f"DATABASE_URL can't be read, user and password least: {_WRITTEN}")
    if not _HOST.fullmatch(place) or not _is_port(place):
        raise ExplorerError(f"DATABASE_URL has no host and port behind its user: {_WRITTEN}")
    return url


def _is_port(place: str) -> bool:
    try:
        return urlsplit(f"//{place}").port != 0
    except ValueError:
        return False


def _checked_path(url: str) -> str:
    # clickhouse-connect would read chdb://data/x as the folder data and the database x.
    if not url.startswith("chdb:///"):
        who = "://" in url and "@" not in url
        raise ExplorerError(
            f"DATABASE_URL{f'={url}' if who else ''} is not an absolute path: "
            "write chdb:///absolute/path"
        )
    if re.match(r"chdb:///+[^/]*:[^/]*@", url):
        raise ExplorerError(
            "DATABASE_URL names a user of the embedded database, which has none: write "
            "chdb:///absolute/path"
        )
    return url


def uses_tls(url: str) -> bool:
    """Whether a server's DSN asks for TLS: `?secure=` first, then https, then port 443 or 8443.

    Raises:
        ExplorerError: `secure` is neither true nor false.
    """
    parts = urlsplit(url)
    asked = parse_qs(parts.query).get("secure", [""])[-1].lower()
    if asked not in ("", "true", "1", "false", "0"):
        raise ExplorerError(
            f"DATABASE_URL has secure={asked}, which is neither yes nor no: "
            "write secure=true or secure=false"
        )
    if asked:
        return asked in ("true", "1")
    return parts.scheme == "https" or parts.port in (443, 8443)


def unencrypted(url: str) -> str:
    """A warning where a DSN sends all in the clear to another machine; "" where it doesn't."""
    host = urlsplit(url).hostname or ""
    if url.startswith("chdb:") or uses_tls(url) or _is_this_machine(host):
        return ""
    return (
        f"The password, the photos' data and the thumbs go to {host} unencrypted: write https:// "
        "in DATABASE_URL, or add ?secure=true"
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def without_own_options(url: str) -> str:
    """The DSN without what only we read; clickhouse-connect refuses it there with an error."""
    parts = urlsplit(url)
    kept = [
        (name, value)
        for name, value in parse_qsl(parts.query)
        if name not in ("secure", "alpha", "cluster")
    ]
    return parts._replace(query=urlencode(kept)).geturl()


def alpha_of(url: str) -> int | None:
    """How accurately MyScale is to search, 1 to 4; None leaves it to the server."""
    alpha = option(url, "alpha")
    return int(alpha) if alpha else None


def layout_of(url: str) -> Layout:
    """Where the tables lie.

    Raises:
        ExplorerError: the cluster's name can't be one, or no database is named beside it.
    """
    name = option(url, "cluster")
    if not name:
        return Layout()
    database = unquote(urlsplit(url).path).strip("/")
    if not is_name(database):
        raise ExplorerError(
            f"With DATABASE_CLUSTER, DATABASE_URL={shown_url(url)} must name a server and, in "
            "letters, digits and underscores, a database that every node has: write "
            "https://user:password@host:443/database"
        )
    return Cluster(checked_cluster(name), database)


def option(url: str, name: str) -> str:
    """An option behind the question mark, the last one of its name; or ""."""
    return parse_qs(urlsplit(url).query).get(name, [""])[-1]
