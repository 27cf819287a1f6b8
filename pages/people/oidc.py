"""Who signed in by OpenID Connect, which Streamlit does (`[auth]` in its secrets)."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from streamlit import config
from streamlit.auth_util import (
    get_cookie_with_chunks,
    get_origin_from_redirect_uri,
    get_secrets_auth_section,
)
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from db.errors import ExplorerError
from db.settings import SECRETS, read_secrets
from pages.people.roles import called

# Streamlit's cookie lasts for 30 days, whatever the provider says of the person meanwhile.
SIGNED_IN_FOR = 24 * 3600  # seconds
_SHORTEST = 32  # characters of a secret
_NEEDED = ("redirect_uri", "cookie_secret")
_OF_PROVIDER = ("client_id", "client_secret", "server_metadata_url")


def name_of(claims: Mapping[str, Any]) -> str:
    """The e-mail address in what a provider says of somebody, or "" where they are not signed in.

    An address that the provider says it has not verified is nobody's: whoever made the account
    may have typed another person's.
    """
    if claims.get("is_logged_in") is not True or not _is_recent(claims.get("iat")):
        return ""
    email = claims.get("email")
    verified = str(claims.get("email_verified", True)).lower() == "true"
    return called(email) if isinstance(email, str) and verified else ""


def _is_recent(issued: object) -> bool:
    return isinstance(issued, (int, float)) and time.time() - issued < SIGNED_IN_FOR


def cookie_claims(cookies: Mapping[str, str]) -> Mapping[str, Any]:
    """What the cookie of a signed-in browser says, or nothing; Streamlit signs it."""

    def signed(name: str) -> bytes | None:
        value = cookies.get(name)
        if not value:
            return None
        return decode_signed_value(get_cookie_secret(), name, value.encode("latin-1", "replace"))

    said = get_cookie_with_chunks(signed, USER_COOKIE_NAME)
    try:
        claims = json.loads(said) if said else {}
    except ValueError:
        return {}
    mine = isinstance(claims, dict) and claims.get("origin") == get_origin_from_redirect_uri()
    return claims if mine else {}


def is_configured() -> bool:
    """Whether people sign in.

    Raises:
        ExplorerError: it is meant so, and can't work as it is written; to go on without would let
            everybody in.
    """
    files = [Path(name) for name in config.get_option("secrets.files")]
    meant = [path for path in {SECRETS, *files} if "auth" in read_secrets(path)]
    section = get_secrets_auth_section()
    if not section and meant:
        raise ExplorerError(
            f"{meant[0]} has an [auth] that Streamlit does not read: start the app in the folder "
            "of app.py, or name the file with --secrets.files"
        )
    if section:
        _check(dict(section))
    return bool(section)


def providers() -> list[str]:
    """The names of the providers to choose from; none where there is one without a name."""
    section = get_secrets_auth_section()
    if "client_id" in section:
        return []
    return [name for name, value in section.items() if "client_id" in _mapping(value)]


def _check(section: Mapping[str, Any]) -> None:
    missing = [key for key in _NEEDED if not section.get(key)]
    named = [_mapping(value) for value in section.values() if "client_id" in _mapping(value)]
    for provider in named or [section]:
        missing += [key for key in _OF_PROVIDER if not provider.get(key)]
    if missing:
        raise ExplorerError(
            f"[auth] in .streamlit/secrets.toml lacks {', '.join(dict.fromkeys(missing))}: "
            "README's “For a team” has an example"
        )
    if len(str(section["cookie_secret"])) < _SHORTEST:
        raise ExplorerError(
            f"cookie_secret in .streamlit/secrets.toml has fewer than {_SHORTEST} characters, so "
            "that others can guess it: write what `openssl rand -hex 32` prints"
        )
    if not urlsplit(str(section["redirect_uri"])).path.endswith("/oauth2callback"):
        raise ExplorerError(
            "redirect_uri in .streamlit/secrets.toml does not end in /oauth2callback: write the "
            "address of the app and that"
        )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
