"""What a browser is told not to do with the app's pages, whatever a text or a photo asks it for."""

import hashlib
import re
from base64 import b64encode
from functools import cache
from pathlib import Path

import streamlit

_INDEX = Path(streamlit.__file__).parent / "static" / "index.html"
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@cache
def headers() -> dict[str, str]:
    """The headers of every answer.

    Photos may come from any host, since tables name them; scripts, fonts and requests are the app's
    own. Streamlit writes styles into its elements, and takes the scripts of components from
    addresses that it makes of their text.
    """
    scripts = _SCRIPT.findall(_INDEX.read_text(encoding="utf-8"))
    policy = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", "blob:", *map(_digest, scripts)]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob: http: https:",
        "font-src": "'self' data:",
        "worker-src": "'self' blob:",
        "frame-src": "'none'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {of}" for name, of in policy.items()),
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        # An address names a session: other hosts are not told it.
        "referrer-policy": "same-origin",
        # Not even as a picture does a page of somebody else's get what the app answers.
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
    }


def _digest(script: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
