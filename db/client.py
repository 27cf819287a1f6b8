"""clickhouse-connect's client, opened as all statements need it.

Its 1.7 dropped what it did for old servers: it names the column `readonly` of system.settings, as
servers since 19.17 do, no longer asks for 23.2.1.2537 before it tries newer blocks, but tries them,
and forgets the JSON columns of 24.8 and 24.9. None of it is about MyScale's 23.3.2.1, so the pinned
release is right for it (wheels 1.6.0, 1.7.0 and 1.12.0 compared; run on 23.6.1.1 by
tests/engines.py).
"""

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
)

from db.answers import Answers
from db.dialect import OLDEST, is_older
from db.dsn import layout_of, uses_tls, without_own_options
from db.embedded import Folder
from db.errors import EngineError, ExplorerError, first_line
from db.faults import shown_url, too_old
from db.layout import Layout
from db.whole import refuse_what_breaks_off

# MyScaleDB's, without which it finds no photo that has not been indexed yet: its test
# 00038_mqvs_brute_force_setting shows both.
BRUTE_FORCE = "enable_brute_force_vector_search"


def open_client(url: str, layout: Layout | None = None, tries: int = 1) -> Client:
    """A client of the database that a DSN names.

    Args:
        url: the DSN.
        layout: where its tables lie; by default what the DSN says.
        tries: how often it is tried while nothing answers.

    Raises:
        ExplorerError: it can't be reached or opened, it is too old, or the DSN can't be used.
    """
    if url.startswith("chdb:"):
        return Folder.of(url).open()
    try:
        answers = Answers(url, tries, ping=lambda _: False)  # there is no client to ask by yet
        client = answers.of(lambda: _opened(url, layout or layout_of(url)))
    except EngineError as error:
        if not error.unfinished:
            raise
        # Whatever was sent, it changed nothing: a page may well try again.
        raise EngineError(str(error), error.code, unfinished=True, passes=True) from error
    except (ValueError, TypeError) as error:
        raise ExplorerError(
            f"DATABASE_URL={shown_url(url)} can't be used: {first_line(error)}. Correct it, or an "
            "option behind its question mark"
        ) from error
    version = client.server_version or ""
    if version and is_older(version, OLDEST):
        client.close()
        raise ExplorerError(too_old(url, version))
    return client


def _opened(url: str, layout: Layout) -> Client:
    # A session id would make the server refuse two queries at once from two page views.
    client = clickhouse_connect.get_client(
        dsn=without_own_options(url),
        interface="https" if uses_tls(url) else "http",
        autogenerate_session_id=False,
        tz_mode="schema",
        settings=dict(layout.session),
    )
    refuse_what_breaks_off(client.http)  # type: ignore[attr-defined]
    if BRUTE_FORCE in client.server_settings:
        client.set_client_setting(BRUTE_FORCE, 1)
    return client


def is_up(client: Client, seconds: float) -> bool:
    """Whether the server behind a client takes statements, within so many seconds."""
    try:
        return _pinged(client, seconds) == 200
    except HTTPError:
        return False


def is_there(client: Client, seconds: float) -> bool:
    """Whether the server behind a client answers anything, within so many seconds."""
    try:
        _pinged(client, seconds)
    except HTTPError as error:
        # A refusal is an answer: the statement meets it too, and tells it.
        silent = isinstance(error, (ConnectTimeoutError, ReadTimeoutError))
        return isinstance(error, NewConnectionError) or not silent
    return True


def _pinged(client: Client, seconds: float) -> int:
    """The status of what the server answers; HTTPError where it doesn't."""
    http, url = client.http, f"{client.url}/ping"  # type: ignore[attr-defined]
    return int(http.request("GET", url, timeout=seconds, retries=False).status)
