"""What a page of this app knows, and a page of somebody else's does not.

Requests to the app's own routes are made by browsers, which send along who is signed in, whoever's
page makes them. A token shows that one of the app's own pages did: it comes over the page's own
connection. It belongs to one person, and another process with the same secret takes it.
"""

import hmac

from streamlit.web.server.server_util import get_cookie_secret

HEADER = "x-explorer-token"


def page_token(name: str) -> str:
    """The token of a person's pages; "" is nobody's name, where nobody signs in."""
    return _signed("page", name)


def knows_page(given: str | None, name: str) -> bool:
    """Whether somebody has that person's token."""
    return hmac.compare_digest((given or "").encode(), page_token(name).encode())


def pictures_token() -> str:
    """The token in the addresses of pictures, the same for all: what is told of photos is kept."""
    return _signed("pictures", "")


def knows_pictures(given: str | None) -> bool:
    """Whether somebody has the token of the pictures."""
    return hmac.compare_digest((given or "").encode(), pictures_token().encode())


def _signed(purpose: str, name: str) -> str:
    # Streamlit's secret: that of [auth] or server.cookieSecret, else drawn once a process.
    key = get_cookie_secret().encode()
    return hmac.new(key, f"explorer {purpose}\n{name}".encode(), "sha256").hexdigest()
