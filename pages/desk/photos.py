"""The photos on a desk: what is told of each, and the pictures that only this machine has."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from db.collections import Collections
from db.errors import ExplorerError
from db.photo import Photo
from db.thumbnails import SIDE, Thumbnails
from ingest.download import fitted, sized
from ingest.originals import Original, read_original
from pages.address import address
from pages.desk.shown import shown
from pages.people.token import pictures_token

PHOTOS = "/desk-photos"
# Pixels of the longer side: as much as a screen shows.
WIDE = 2400
WEB = ("http", "https")
REFERRAL = "?utm_source=visual_dataset_explorer&utm_medium=referral"
UNSPLASH = f"https://unsplash.com/{REFERRAL}"


@lru_cache(maxsize=10_000)  # each answer of a desk tells the same of the same photos
def facts(collection: str, photo: Photo, score: float | None = None) -> dict[str, Any]:
    """What the desk shows of a photo; the addresses are safe to follow.

    Args:
        collection: the photo table's name.
        photo: the photo.
        score: under what was searched with, or None.
    """
    shown.note(collection, photo)
    return {
        "id": photo.id,
        "name": name(photo),
        "thumbnail": thumbnail_url(collection, photo),
        "original": original_url(collection, photo),
        "page": web(photo.page),
        "photographer": photo.photographer,
        "photographerPage": credit_url(photo),
        "host": "Unsplash" if _is_unsplash(photo.photographer_url) else "",
        "hostPage": UNSPLASH,
        "size": _size(photo),
        "country": photo.country,
        "keywords": list(photo.keywords),
        "score": None if score is None else round(float(score), 3),
    }


def name(photo: Photo) -> str:
    """What to call a photo: its description, its file's name, or its id."""
    parts = urlsplit(photo.url)
    file = PurePosixPath(unquote(parts.path)).name if parts.scheme == "file" else ""
    return photo.description or file or photo.id


def thumbnail_url(collection: str, photo: Photo) -> str:
    """Where a browser finds the photo's centre square."""
    if urlsplit(photo.url).scheme in WEB:
        return sized(photo.url, SIDE)
    return _own_url("thumbnail", collection, photo.id)


def original_url(collection: str, photo: Photo) -> str:
    """Where a browser finds the whole photo, no larger than a screen needs it."""
    if urlsplit(photo.url).scheme in WEB:
        return fitted(photo.url, WIDE)
    return _own_url("original", collection, photo.id)


def credit_url(photo: Photo) -> str:
    """The photographer's page, with the referral that Unsplash asks for, or ""."""
    url = web(photo.photographer_url)
    return url + REFERRAL if _is_unsplash(url) else url


def picture(collections: Collections, thumbnails: Thumbnails, asked: Mapping[str, str]) -> Original:
    """The bytes of a picture that this machine has, for a photo that a collection has.

    Args:
        collections: of the database.
        thumbnails: the cache of them.
        asked: `kind`, `thumbnail` or `original`, the name of the `collection`, and the photo's
            `id`. An id is looked up; it is never a path.

    Raises:
        ExplorerError: there is no such photo, or it can't be shown; the text says why.
    """
    photo = _looked_up(collections, asked.get("collection", ""), asked.get("id", ""))
    try:
        if asked.get("kind") == "original":
            return read_original(photo.url, WIDE)
        return Original(thumbnails.get(photo.id, photo.url), "image/jpeg")
    except (OSError, ValueError) as error:
        # The file was moved or deleted since it was loaded; its row and its vector stay usable.
        raise ExplorerError(f"{name(photo)} can't be shown: {error}") from error


def _looked_up(collections: Collections, name: str, photo: str) -> Photo:
    known = shown.find(name, photo)
    if known is not None:
        return known
    collection = collections.find(name)
    found = collections.photos(collection).get([photo]) if collection else []
    if not found:
        raise ExplorerError("There is no such photo in this database: reload the page")
    return found[0].photo


def _own_url(kind: str, collection: str, photo: str) -> str:
    asked = {"kind": kind, "collection": collection, "id": photo, "token": pictures_token()}
    return f"{address(PHOTOS)}?{urlencode(asked)}"


def _size(photo: Photo) -> str:
    return f"{photo.width:,} by {photo.height:,} pixels" if photo.width and photo.height else ""


def web(url: str) -> str:
    """An address that a link may lead to, or ""."""
    return url if url.startswith(("https://", "http://")) else ""


def _is_unsplash(url: str) -> bool:
    return url.startswith("https://") and urlsplit(url).hostname == "unsplash.com"
