"""A provider of OpenID Connect: discovery, a page to sign in on, tokens and the keys to them.

It does what OpenID Connect Core 1.0 asks of the authorization code flow, with S256 (RFC 7636), and
answers as the specification says where a client does something else.
"""

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "explorer", "the-client's-own"


class Provider:
    """What the provider knows.

    Attributes:
        url: its issuer.
        people: the claims of those with an account, by what they type to sign in.
        refused: what clients did wrong.
    """

    def __init__(self, people: Mapping[str, Mapping[str, object]]) -> None:
        self.url = ""
        self.people = people
        self.refused: list[str] = []
        self._key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
        self._codes: dict[str, dict[str, str]] = {}

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "end_session_endpoint": f"{self.url}/logout",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def keys(self) -> dict[str, Any]:
        return {"keys": [self._key.as_dict(private=False)]}

    def page(self, asked: Mapping[str, str]) -> str:
        """Where somebody says who they are."""
        links = [
            f'<p><a href="/authorize?{html.escape(urlencode({**asked, "login": login}))}">'
            f"{html.escape(login)}</a></p>"
            for login in self.people
        ]
        return f"<title>Sign in</title><h1>Who are you?</h1>{''.join(links)}"

    def code(self, asked: Mapping[str, str]) -> str:
        """Where a browser goes that somebody signed in with."""
        code = secrets.token_urlsafe(16)
        self._codes[code] = dict(asked)
        answer = urlencode({"code": code, "state": asked["state"]})
        return f"{asked['redirect_uri']}?{answer}"

    def token(self, sent: Mapping[str, str], basic: str) -> dict[str, Any] | None:
        """The tokens for a code, once; None where the client is not who asked for it."""
        asked = self._codes.pop(sent.get("code", ""), None)
        given = base64.b64decode(basic.removeprefix("Basic ")).decode() if basic else ""
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        wrong = {
            "code": asked is None,
            "client": dict(parse_qsl(f"id={given}".replace(":", "&secret=", 1)))
            != {"id": CLIENT, "secret": SECRET},
            "redirect_uri": asked is not None and sent.get("redirect_uri") != asked["redirect_uri"],
            "verifier": asked is not None and challenge != asked.get("code_challenge"),
        }
        if asked is None or any(wrong.values()):
            self.refused += [name for name, is_wrong in wrong.items() if is_wrong]
            return None
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": asked["login"],
            "iat": now,
            "exp": now + 300,
            "nonce": asked.get("nonce"),
            **self.people[asked["login"]],
        }
        signed = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self._key)
        return {"access_token": secrets.token_urlsafe(), "token_type": "Bearer", "id_token": signed}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider: Provider

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = dict(parse_qsl(parts.query))
        if parts.path == "/.well-known/openid-configuration":
            self._json(200, self.provider.metadata())
        elif parts.path == "/jwks":
            self._json(200, self.provider.keys())
        elif parts.path == "/authorize" and asked.get("client_id") == CLIENT:
            if asked.get("login") in self.provider.people:
                self._redirect(self.provider.code(asked))
            else:
                self._send(200, "text/html", self.provider.page(asked).encode())
        elif parts.path == "/logout":
            self._redirect(asked["post_logout_redirect_uri"])
        else:
            self._json(404, {"error": "invalid_request"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        answer = self.provider.token(dict(parse_qsl(body)), self.headers.get("Authorization", ""))
        self._json(400 if answer is None else 200, answer or {"error": "invalid_grant"})

    def _redirect(self, where: str) -> None:
        self.send_response(302)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, status: int, content: Mapping[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(content).encode())

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def running_provider(people: Mapping[str, Mapping[str, object]]) -> Iterator[Provider]:
    """A provider on a port of its own."""
    provider = Provider(people)
    handler = type("Handler", (_Handler,), {"provider": provider})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def write_secrets(home: Path, provider: Provider, app: str) -> None:
    """Tell the app at an address, whose home folder it is, of the provider."""
    folder = home / ".streamlit"
    folder.mkdir(exist_ok=True)
    (folder / "secrets.toml").write_text(
        f"""[auth]
redirect_uri = "{app}/oauth2callback"
cookie_secret = "{secrets.token_hex(32)}"
client_id = "{CLIENT}"
client_secret = "{SECRET}"
server_metadata_url = "{provider.url}/.well-known/openid-configuration"
"""
    )
