"""A grid of photos to look at, as the screens show it where nothing is to be marked."""

import io
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import streamlit as st
from PIL import Image

from db.collections import Collection
from db.photo import Photo
from db.thumbnails import SIDE, Thumbnails
from ingest.download import sized
from pages.desk.photos import REFERRAL, UNSPLASH, WEB, credit_url, name, web
from pages.markdown import escaped, link
from pages.services import Services

COLUMNS = 5
MIN_WIDTH = 140  # pixels: two columns on a phone, in a box too


def show_photos(
    photos: Sequence[Photo],
    thumbnails: Thumbnails,
    below: Callable[[int, Photo], None] | None = None,
) -> None:
    """Lay photos out in a grid that fits the window.

    Args:
        photos: in the order to show.
        thumbnails: for the photos that a browser can't fetch.
        below: writes what stands under a photo, given its place and itself.
    """
    grid = st.grid(COLUMNS, min_column_width=MIN_WIDTH, gap="medium")
    for place, photo in enumerate(photos):
        with grid.cell(), st.container(gap="xsmall"):
            st.image(
                _image(photo, thumbnails),
                width="stretch",
                link=web(photo.page) or None,
                alt=name(photo),
            )
            if below is not None:
                below(place, photo)
            if photo.photographer:
                st.caption(credit(photo))


@st.cache_data(ttl=600, show_spinner=False)
def _random(
    _services: Services,
    name: str,
    n: int,
    *state: object,  # noqa: ARG001 -- part of the key: photos may have come in since
) -> list[Photo]:
    found = _services.database.collections.find(name)
    return _services.database.collections.photos(found).random(n) if found else []


def random_photos(services: Services, collection: Collection, n: int) -> list[Photo]:
    """Some photos of a collection, the same for ten minutes."""
    rows = services.database.collections.photos(collection).count()
    return _random(services, collection.name, n, rows, collection.created)


def credit(photo: Photo) -> str:
    """The photographer's name as Markdown, linked to their page as Unsplash asks."""
    url = credit_url(photo)
    if not url.startswith("https://"):
        return f"Photo by {escaped(photo.photographer)}"
    host = f" on {link('Unsplash', UNSPLASH)}" if REFERRAL in url else ""
    return f"Photo by {link(photo.photographer, url)}{host}"


def _image(photo: Photo, thumbnails: Thumbnails) -> str | bytes:
    if urlsplit(photo.url).scheme in WEB:
        return sized(photo.url, SIDE)
    try:
        return thumbnails.get(photo.id, photo.url)
    except (OSError, ValueError):
        # The file was moved or deleted since it was loaded; its row and its vector stay usable.
        return _blank()


@st.cache_data
def _blank() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), "#8a8f98").save(buffer, "PNG")
    return buffer.getvalue()
