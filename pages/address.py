"""Where the app's own routes are."""

from streamlit import config


def address(route: str) -> str:
    """The path of a route, below the one that the app was told to live under."""
    base = str(config.get_option("server.baseUrlPath")).strip("/")
    return f"/{base}{route}" if base else route
