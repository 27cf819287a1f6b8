"""Fetching photos over HTTP."""

from threading import local
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests
from urllib3.exceptions import ReadTimeoutError

CONNECT_TIMEOUT = 10  # seconds
READ_TIMEOUT = 30  # seconds between two pieces of the body
MAX_BYTES = 50_000_000
_PIECE = 1 << 16


class Downloader:
    """Fetches from many threads; each keeps its connections open."""

    def __init__(self) -> None:
        self._thread = local()

    def get(self, url: str) -> bytes:
        """The body behind a URL.

        Raises:
            OSError: no connection, no answer in time, or a status other than 200.
            ValueError: the URL is not http(s), or the body is empty or over MAX_BYTES.
        """
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("not an http address")
        try:
            return self._fetch(url)
        except requests.exceptions.Timeout as error:
            raise OSError("timed out") from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise ValueError("not an http address") from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise OSError("cut short") from error
        except requests.exceptions.ConnectionError as error:
            # A host that falls silent in the middle of the body ends here too.
            silent = any(isinstance(cause, ReadTimeoutError) for cause in error.args)
            raise OSError("timed out" if silent else "no connection") from error

    def _fetch(self, url: str) -> bytes:
        timeout = (CONNECT_TIMEOUT, READ_TIMEOUT)
        with self._session().get(url, timeout=timeout, stream=True) as response:
            if response.status_code != requests.codes.ok:
                raise OSError(f"HTTP {response.status_code}")
            body = bytearray()
            for piece in response.iter_content(_PIECE):
                body += piece
                if len(body) > MAX_BYTES:
                    raise ValueError(f"over {MAX_BYTES // 1_000_000} MB")
        if not body:
            raise ValueError("empty answer")
        return bytes(body)

    def _session(self) -> requests.Session:
        if not hasattr(self._thread, "session"):
            self._thread.session = requests.Session()
        session: requests.Session = self._thread.session
        return session


def sized(url: str, side: int) -> str:
    """The URL of the photo's centre square, by the parameters of the host (imgix).

    Parameters that the URL has already are kept.
    """
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    wanted = {"w": str(side), "h": str(side), "fit": "crop", "fm": "jpg", "q": "85"}
    return urlunsplit(parts._replace(query=urlencode({**wanted, **given})))
