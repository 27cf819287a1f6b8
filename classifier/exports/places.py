"""A list of where the photos are: a path or an address a line."""

import os

from classifier.exports.entries import Selection
from db.addresses import is_file, path_of


def to_lines(selection: Selection) -> str:
    """The paths of files and the addresses of others.

    A path that no line of text can hold, since it has a line's end or no characters, stands as its
    `file:` address.
    """
    return "".join(f"{place_of(each.photo.url)}\n" for each in selection.entries)


def place_of(url: str) -> str:
    """A photo's path, or its address where it is no file, or none that a line can hold."""
    if not is_file(url):
        return url
    path = str(path_of(url))
    is_line = path.splitlines() == [path] and path.strip() == path
    return path if is_line and _is_text(path) else url


def _is_text(path: str) -> bool:
    return os.fsencode(path).decode("utf-8", "replace") == path
