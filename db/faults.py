"""What can go wrong between us and a server, each said in one line with what to do."""

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from clickhouse_connect.driver.exceptions import Error, StreamFailureError
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from db.errors import first_line

# Codes of ClickHouse, src/Common/ErrorCodes.cpp.
_UNKNOWN_DATABASE, _READONLY, _ACCESS_DENIED, _TIMEOUT = 81, 164, 497, 159
_WRONG_USER = (192, 193, 194, 516)
_FULL = re.compile(r"\(NOT_ENOUGH_SPACE\)|No space left on device|Disk quota exceeded")
# Up to 21.11 an error was told so, and before 19.17 without its code in a header.
_OF_OLD = "e.displayText() = DB::Exception"
_BUSY = (202, 252)  # too many queries at once, too many parts to merge
_UNFINISHED = 341  # a replica that is away has not done it yet
# Another limit than max_execution_time, under the same code; words of old and new versions.
_IN_BACKGROUND = "going to execute the query in background"
# What a gateway answers in the server's place; the last five are Cloudflare's.
_OF_GATEWAY = ("408", "429", "502", "503", "504", "520", "521", "522", "523", "524")


@dataclass(frozen=True)
class Fault:
    """Why a statement failed.

    Attributes:
        line: what, which server, and what to do; never a password.
        passes: whether it may be gone a moment later.
        unsent: whether the statement was surely not run.
        unfinished: whether the statement may be at work still, or be done.
        still: whether the server takes connections and answers nothing.
        code: ClickHouse's, where the engine told one.
        said: the engine's own sentence, where it told one.
    """

    line: str
    passes: bool = False
    unsent: bool = False
    unfinished: bool = False
    still: bool = False
    code: int | None = None
    said: str = ""


def shown_url(url: str) -> str:
    """A DSN without its password and options, fit for a screen or a log.

    Whatever signs the password has: nothing is shown of what stands before the last @.
    """
    scheme, _, rest = url.partition("://")
    if scheme != "chdb":
        rest = rest.rpartition("@")[2]
    place = re.split(r"[?#]", rest, maxsplit=1)[0]
    return " ".join(f"{scheme}://{unquote(place)}".split())


def fault_of(error: Exception, url: str) -> Fault:
    """What an error of the client library or of the engine means.

    Args:
        error: what was raised behind a statement.
        url: the DSN of the database, whose password is kept out of the line.
    """
    if _OF_OLD in str(error):
        return Fault(too_old(url))
    if isinstance(error, StreamFailureError) and error.code is None:
        return _broken(shown_url(url))  # in the middle of an answer that had begun
    cause = error.__cause__
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    if isinstance(reason, Exception):
        found = _of_network(reason, url)
    else:
        found = _of_server(error, url) if isinstance(error, Error) else None
    found = found or Fault(_without_password(_plain(error), url))
    if not isinstance(error, Error) or error.code is None:
        return found
    return replace(found, code=error.code, said=_without_password(_detail(error), url))


def too_old(url: str, version: str = "") -> str:
    """What is said of a server that is older than anything that was tried."""
    return (
        f"{shown_url(url)} is a ClickHouse that is too old{version and f' ({version})'}: name one "
        "in DATABASE_URL that is 23.3 or newer (25.8 or newer searches by an index), or a MyScale"
    )


def still(url: str) -> Fault:
    """What is the matter with a server that takes connections and answers nothing."""
    return Fault(
        f"{shown_url(url)} takes connections and answers nothing: it goes on by itself once its "
        "machine or its disk does; if it doesn't, restart it",
        passes=True,
        unfinished=True,
        still=True,
    )


def is_myscale_cloud(url: str) -> bool:
    """Whether a DSN names a cluster of MyScale Cloud, which may be asleep."""
    return ".myscale." in f".{urlsplit(url).hostname or ''}"


def _asleep(url: str) -> str:
    """What else may be the matter with what doesn't answer, in words to follow others."""
    if not is_myscale_cloud(url):
        return ""
    return ". A cluster of MyScale Cloud that nobody used wakes up by itself in a minute or two"


def _of_network(reason: Exception, url: str) -> Fault | None:
    where = shown_url(url)
    if isinstance(reason, SSLError):
        return Fault(_tls(reason, where))
    if isinstance(reason, NameResolutionError):
        return Fault(
            f"There is no host {urlsplit(url).hostname} for the database: correct DATABASE_URL, "
            "or check the network",
            passes=True,
            unsent=True,
        )
    if isinstance(reason, ConnectTimeoutError) and not isinstance(reason, NewConnectionError):
        return Fault(
            f"{where} can't be reached: check the network and its firewall, or correct "
            f"DATABASE_URL{_asleep(url)}",
            passes=is_myscale_cloud(url),
            unsent=True,
        )
    if isinstance(reason, NewConnectionError):
        return Fault(
            f"Nothing answers at {where}: start the server, or correct DATABASE_URL{_asleep(url)}",
            passes=True,
            unsent=True,
        )
    if isinstance(reason, ReadTimeoutError):
        return Fault(
            f"{where} took too long to answer: try again when it is less busy, or add "
            "?send_receive_timeout=SECONDS to DATABASE_URL",
            unfinished=True,
        )
    if isinstance(reason, ProtocolError):
        return _broken(where)
    return None


def _broken(where: str) -> Fault:
    return Fault(
        f"The connection to {where} broke: try again in a moment, since the server may be "
        "restarting; if it never answers, check http and https in DATABASE_URL",
        passes=True,
        unfinished=True,
    )


def _tls(reason: SSLError, where: str) -> str:
    text = str(reason)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        why = re.search(r"verify failed: (.*?) \(", text)
        return (
            f"The certificate of {where} is not trusted ({why[1] if why else 'no reason given'}): "
            "add ?ca_cert=/path/to/its/authority.pem to DATABASE_URL, or ?verify=false where the "
            "network is yours"
        )
    return (
        f"{where} speaks no TLS on that port: write http:// for it in DATABASE_URL, or the port "
        "that does, usually 8443"
    )


def _of_server(error: Error, url: str) -> Fault | None:
    where, parts = shown_url(url), urlsplit(url)
    user = unquote(parts.username or "default")
    if error.code in _WRONG_USER:
        return Fault(
            f"{where} refuses the user {user}: correct the user in DATABASE_URL, and the password "
            "there or in DATABASE_PASSWORD"
        )
    if error.code == _UNKNOWN_DATABASE:
        name = unquote(parts.path.strip("/")) or "default"
        return Fault(
            f"There is no database {name} at {shown_url(parts._replace(path='').geturl())}: "
            f"create it there (CREATE DATABASE {name}), or name another one in DATABASE_URL"
        )
    if error.code == _READONLY:
        return Fault(
            f"The user {user} may only read at {where}: photos, sessions and thumbs are stored "
            "there, so name a user in DATABASE_URL who may write"
        )
    if error.code == _ACCESS_DENIED:
        return Fault(
            f"The user {user} lacks a right at {where} ({_detail(error)}): grant it, or name "
            "another user in DATABASE_URL"
        )
    if error.code in (_TIMEOUT, _UNFINISHED):
        return _of_time(error, where)
    if error.code is None:
        return _of_status(str(error), url)
    line = _without_password(_plain(error), url)
    return Fault(line, passes=error.code in _BUSY, unsent=error.code in _BUSY)


def _of_time(error: Error, where: str) -> Fault:
    if error.code == _TIMEOUT and _IN_BACKGROUND in str(error):
        return Fault(
            f"Some nodes of the cluster behind {where} are not done yet, and go on by themselves "
            f"({_detail(error)}): try again later, or raise distributed_ddl_task_timeout there",
            unfinished=True,
        )
    if error.code == _UNFINISHED:
        return Fault(
            f"Some replicas behind {where} are not done yet, and go on by themselves "
            f"({_detail(error)}): see that all are up",
            unfinished=True,
        )
    return Fault(
        f"{where} gave up, since the statement took longer than it allows ({_detail(error)}): "
        "try again when it is less busy, or raise its max_execution_time"
    )


def _of_status(text: str, url: str) -> Fault | None:
    where = shown_url(url)
    status = re.search(r"HTTP status (\d+)", text)
    if status is None:
        return None
    if status[1] in _OF_GATEWAY:
        return Fault(
            f"{where} is not available just now (HTTP status {status[1]}): try again in a "
            f"moment{_asleep(url)}",
            passes=True,
            unfinished=status[1] != "429",
        )
    if "DB::Exception" in text:
        # What is between took the code away: the engine's own sentence says what it is.
        return None
    return Fault(
        f"What answers at {where} is no ClickHouse or MyScale (HTTP status {status[1]}): correct "
        "the host and the port in DATABASE_URL"
    )


def _plain(error: Exception) -> str:
    if _FULL.search(str(error)):
        return (
            f"The disk of the database is full ({_detail(error)}): free some space on it and try "
            "again; what was stored stays"
        )
    return (
        f"The database failed: {_detail(error)}. What was stored stays; check the disk, or that "
        "the server is up, and try again"
    )


def _detail(error: Exception) -> str:
    """The engine's own sentence, without what the client puts around it."""
    line = first_line(error)
    line = line[max(line.find("Code: "), 0) :]
    return re.sub(r"( \(version .*\))?( \(for url \S+\))?$", "", line).rstrip(".")


def _without_password(line: str, url: str) -> str:
    line = line.replace(url, shown_url(url))
    written = urlsplit(url).password or ""
    for password in filter(None, (unquote(written), written)):
        line = line.replace(password, "***")
    return line
