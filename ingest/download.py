"""Fetching photos over HTTP."""

from http.client import HTTPException
from threading import local
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests
from urllib3.exceptions import DecodeError, HTTPError, InvalidHeader, ReadTimeoutError
from urllib3.util.retry import Retry

from db.settings import load_settings
from ingest.deadline import Deadline
from ingest.public import public_session
from ingest.retry import Retries, TransientError

CONNECT_TIMEOUT = 10  # seconds
READ_TIMEOUT = 30  # seconds between two pieces of the body
TOTAL_TIMEOUT = 120  # seconds for the whole exchange: a host may send a byte at a time
MAX_BYTES = 50_000_000
_PIECE = 1 << 16
_TOO_SLOW = "timed out"

# A host that is busy or broken at the moment.
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
# One that lets nobody in, or not us, or not today; the other statuses are its last word.
_CLOSED = frozenset({401, 402, 403, 407, 451})


class Downloader:
    """Fetches from many threads; each keeps its connections open."""

    def __init__(self, retries: Retries | None = None, *, private: bool | None = None) -> None:
        """Set the pace.

        Args:
            retries: what to do about faults that may pass.
            private: whether hosts of this machine and its network may be asked; None: as the
                settings say.
        """
        self._private = load_settings().private_hosts if private is None else private
        self._retries = retries or Retries()
        self._thread = local()

    def get(self, url: str) -> bytes:
        """The body behind a URL, after as many attempts as the retries allow.

        Raises:
            TransientError: no connection, a time-out, a body cut short or a busy host, each time.
            OSError: the host refuses access, its redirects lead nowhere, or all of TOTAL_TIMEOUT
                was not enough: asking it again at once would only hold up the others.
            ValueError: the URL is not http(s), the host refuses it for good or is a private one,
                or the body is empty or over MAX_BYTES.
        """
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("not an http address")
        return self._retries.call(lambda: self._attempt(url))

    def _attempt(self, url: str) -> bytes:
        with Deadline(TOTAL_TIMEOUT) as deadline:
            try:
                body = self._answer(url)
            except (OSError, HTTPError, HTTPException, ValueError) as error:
                # Whatever the end of the connection made of it.
                if deadline.passed:
                    raise OSError(_TOO_SLOW) from error
                raise
        if deadline.passed:
            raise OSError(_TOO_SLOW)
        return body

    def _answer(self, url: str) -> bytes:
        try:
            return self._fetch(url)
        except requests.exceptions.Timeout as error:
            raise TransientError("timed out") from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise ValueError("not an http address") from error
        except requests.exceptions.ConnectionError as error:
            raise TransientError("no connection") from error
        except (requests.exceptions.InvalidHeader, HTTPError, HTTPException) as error:
            raise ValueError("garbled answer") from error
        except UnicodeError as error:
            raise ValueError("not an http address") from error

    def _fetch(self, url: str) -> bytes:
        timeout = (CONNECT_TIMEOUT, READ_TIMEOUT)
        with self._session().get(url, timeout=timeout, stream=True) as response:
            _refuse_status(response)
            body = _read_body(response)
        if not body:
            raise ValueError("empty answer")
        return body

    def _session(self) -> requests.Session:
        if not hasattr(self._thread, "session"):
            self._thread.session = public_session(private=self._private)
        session: requests.Session = self._thread.session
        return session


def sized(url: str, side: int) -> str:
    """The URL of the photo's centre square, by the parameters of the host (imgix).

    Parameters that the URL has already are kept.
    """
    return _asked(url, {"w": str(side), "h": str(side), "fit": "crop", "fm": "jpg", "q": "85"})


def fitted(url: str, side: int) -> str:
    """The URL of the whole photo, at most that many pixels long; otherwise as `sized`."""
    return _asked(url, {"w": str(side), "h": str(side), "fit": "max", "fm": "jpg", "q": "85"})


def _asked(url: str, wanted: dict[str, str]) -> str:
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    return urlunsplit(parts._replace(query=urlencode({**wanted, **given})))


def refuse_busy(response: requests.Response) -> None:
    """Raise a TransientError if a host is busy or broken at the moment."""
    if response.status_code in _BUSY:
        raise TransientError(f"HTTP {response.status_code}", _retry_after(response))


def _refuse_status(response: requests.Response) -> None:
    refuse_busy(response)
    status = response.status_code
    if status in _CLOSED:
        raise OSError(f"HTTP {status}")
    if status != requests.codes.ok:
        raise ValueError(f"HTTP {status}")


def _retry_after(response: requests.Response) -> float | None:
    """The seconds of a Retry-After header, which may hold a date; None without one."""
    try:
        return Retry().get_retry_after(response.raw)
    except InvalidHeader:
        return None


def _read_body(response: requests.Response) -> bytes:
    body = bytearray()
    try:
        # Not iter_content: it would wait for a whole piece, and a byte a second never times out.
        while piece := response.raw.read1(_PIECE, decode_content=True):
            body += piece
            if len(body) > MAX_BYTES:
                raise ValueError(f"over {MAX_BYTES // 1_000_000} MB")
    except ReadTimeoutError as error:
        raise TransientError("timed out") from error
    except DecodeError as error:
        raise ValueError("garbled answer") from error
    except HTTPError as error:
        raise TransientError("cut short") from error
    return bytes(body)
