"""What the url of a stored photo stands for."""

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

WEB = ("http", "https")


def path_of(url: str) -> Path:
    """The file behind a `file:` URL."""
    return Path(os.fsdecode(unquote_to_bytes(urlsplit(url).path)))


def is_file(url: str) -> bool:
    """Whether it is a file's."""
    return url.startswith("file:")


def is_web(url: str) -> bool:
    """Whether a host has to be asked for the photo."""
    return urlsplit(url).scheme in WEB
