"""Pictures that the next search is made with: attached, shown as chips, encoded."""

import base64
import binascii
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import streamlit as st
from PIL import Image, ImageOps

from classifier.prompt import attached, brief, parse, without_picture
from classifier.session import Session
from db.collections import Collection
from db.errors import ExplorerError
from db.photo import Photo
from db.pictures import Picture
from ingest.download import Downloader, sized
from ingest.images import decode
from ingest.retry import Retries
from pages.desk.photos import name as name_of
from pages.desk.photos import web
from pages.label.notices import notify
from pages.label.paste import listen
from pages.markdown import escaped
from pages.services import Services

if TYPE_CHECKING:
    from classifier.clip import Clip

MOST = 8
MAX_BYTES = 50_000_000
SIDE = 768  # pixels of the shorter side that are kept: twice what the largest model sees
_CHIP = 96  # pixels of a thumbnail
_TYPES = ("jpg", "jpeg", "jfif", "png", "webp", "gif", "avif", "bmp", "tif", "tiff", "heic", "heif")


@dataclass(frozen=True, eq=False)
class Attached:
    """A picture to search with.

    Attributes:
        name: what to call it.
        thumbnail: a small JPEG, or the address where a browser finds it.
        image: the picture, or None where only its vector is known.
        vector: float32 (512,), where it is known, with
        fingerprint: of the model that made it.
        photo: the id of the photo that it is, with
        collection: the name of its collection; or "".
    """

    name: str
    thumbnail: bytes | str
    image: Image.Image | None = None
    vector: Any = None
    fingerprint: str = ""
    photo: str = ""
    collection: str = ""


def tray() -> list[Attached]:
    """The pictures that are attached, which the prompt counts from 1."""
    pictures: list[Attached] = st.session_state.setdefault("pictures", [])
    return pictures


def recall(services: Services, session: Session) -> None:
    """Attach what a session was started with, and nothing else."""
    st.session_state["pictures"] = [
        Attached(
            name=picture.name,
            thumbnail=picture.thumbnail or _address_of(services, session.collection, picture.photo),
            vector=picture.vector,
            fingerprint=session.collection.fingerprint,
            photo=picture.photo,
            collection=session.collection.name if picture.photo else "",
        )
        for picture in session.pictures
    ]


def brief_prompt(session: Session) -> str:
    """What a session asked, without the pictures that its chips show anyway."""
    return brief(session.row.prompt, len(session.pictures))


# ---- attaching


def attach(name: str, content: bytes) -> None:
    """Attach a picture.

    Raises:
        ExplorerError: it can't be read, or there are too many; the text says which and why.
    """
    shown = " ".join(name.split())[:60] or "picture"
    if len(tray()) >= MOST:
        raise ExplorerError(f"{MOST} pictures are attached already: take one away first")
    if len(content) > MAX_BYTES:
        raise ExplorerError(f"{shown} has over {MAX_BYTES // 1_000_000} MB: make it smaller")
    try:
        image = decode(BytesIO(content), SIDE)
    except (OSError, ValueError) as error:
        raise ExplorerError(f"{shown} can't be searched with: {error}") from error
    if min(image.size) > SIDE:
        scale = SIDE / min(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)))
    tray().append(Attached(shown, _thumbnail(image), image))


def attach_photo(services: Services, collection: Collection, photo_id: str) -> None:
    """Attach a photo of a collection.

    Raises:
        ExplorerError: there is no such photo.
    """
    found = services.database.collections.photos(collection).get([photo_id])
    if not found:
        raise ExplorerError(f"{collection.name} has no photo {photo_id!r} any more")
    photo = found[0].photo
    tray().append(
        Attached(
            name=name_of(photo)[:60],
            thumbnail=_small(services, photo),
            vector=found[0].vector,
            fingerprint=collection.fingerprint,
            photo=photo.id,
            collection=collection.name,
        )
    )


def _small(services: Services, photo: Photo) -> bytes | str:
    """The thumbnail of a photo of a collection, or its address where that is on the web."""
    if web(photo.url):
        return sized(photo.url, _CHIP)
    try:
        return services.thumbnails.get(photo.id, photo.url)
    except (OSError, ValueError):
        return b""  # its file is gone; its vector is there


def _address_of(services: Services, collection: Collection, photo_id: str) -> bytes | str:
    """What shows a photo whose thumbnail was not stored, since it is on the web."""
    found = services.database.collections.photos(collection).get([photo_id]) if photo_id else []
    return _small(services, found[0].photo) if found else b""


def attach_addresses(services: Services, prompt: str) -> str:
    """Fetch the pictures whose addresses stand in a prompt, and attach them.

    Returns:
        The prompt with the pictures in their places.

    Raises:
        ExplorerError: one can't be had; the text says which and why.
    """
    before = len(tray())
    terms = parse(prompt, before)
    addresses = list(dict.fromkeys(term.address for term in terms if term.address))
    if not addresses:
        return prompt
    try:
        for address in addresses:
            attach(_end_of(address), _fetch(services, address))
    except ExplorerError:
        del tray()[before:]
        raise
    return brief(attached(prompt, addresses, before), len(tray()))


def _fetch(services: Services, address: str) -> bytes:
    host = urlsplit(address).hostname or address
    with st.spinner(f"Fetching the picture from {escaped(host)} …", show_time=True):
        downloader = Downloader(Retries(attempts=2), private=services.settings.private_hosts)
        try:
            return downloader.get(address)
        except (OSError, ValueError) as error:
            raise ExplorerError(f"The picture at {address[:80]} can't be had: {error}") from error


def _end_of(address: str) -> str:
    parts = urlsplit(address)
    return PurePosixPath(unquote(parts.path)).name or parts.hostname or "picture"


def _thumbnail(image: Image.Image) -> bytes:
    buffer = BytesIO()
    ImageOps.fit(image, (_CHIP, _CHIP)).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


# ---- on screen


def show_upload() -> None:
    """What attaches a picture that is a file here."""
    with st.popover("Picture", icon=":material/add_photo_alternate:"):
        _show_upload()


def _show_upload() -> None:
    drawn = st.session_state.setdefault("uploads", 0)
    key = f"upload-{drawn}"
    st.file_uploader(
        "Pictures to search with",
        type=list(_TYPES),
        accept_multiple_files=True,
        max_upload_size=MAX_BYTES // 1_000_000,
        key=key,
        on_change=_uploaded,
        args=(key,),
    )
    st.caption(
        "Or paste or drop one anywhere on this page, or write its address into the prompt. It is "
        "added to the words; to weigh it, write .5\\*picture or -picture."
    )


def hear_pictures() -> None:
    """Attach what is pasted into the page or dropped on it."""
    listen(_pasted)


def show_chips() -> None:
    """The attached pictures, each with what the prompt calls it."""
    if not tray():
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="chips"):
        for number, picture in enumerate(tray(), 1):
            if picture.thumbnail:
                st.image(picture.thumbnail, width=40, alt=picture.name)
            called = "picture" if number == 1 else f"picture:{number}"
            st.button(
                f"{called} · {escaped(picture.name)} ✕",
                key=f"chip-{number}-{len(tray())}",
                help="Take this picture away",
                on_click=take_away,
                args=(number,),
            )


def take_away(number: int) -> None:
    """Take an attached picture away, and out of the prompt."""
    try:
        prompt = st.session_state.get("prompt", "")
        st.session_state["prompt"] = without_picture(prompt, number, len(tray()))
    except ExplorerError as error:
        notify(str(error))
        return
    del tray()[number - 1]


def _uploaded(key: str) -> None:
    for file in st.session_state.get(key) or ():
        _try(file.name, file.getvalue())
    # Another key: the uploader would go on listing what is attached already.
    st.session_state["uploads"] += 1


def _pasted(sent: object) -> None:
    """Attach what the browser sent: `name`, and `data`, base64."""
    if not isinstance(sent, dict) or not isinstance(sent.get("data"), str):
        return
    name = str(sent.get("name") or "pasted")
    try:
        content = base64.b64decode(sent["data"], validate=True)
    except (binascii.Error, ValueError):
        notify(f"{name[:60]} did not arrive whole: paste it again")
        return
    if not content:
        notify(f"{name[:60]} has over 50 MB: make it smaller")
        return
    _try(name, content)


def _try(name: str, content: bytes) -> None:
    try:
        attach(name, content)
    except ExplorerError as error:
        notify(str(error))


# ---- to be searched with


def encoded(collection: Collection, clip: "Clip") -> list[Picture]:
    """The attached pictures as the collection's model sees them.

    Raises:
        ExplorerError: of one only the vector of another model is known.
    """
    return [_encoded(n, picture, collection, clip) for n, picture in enumerate(tray(), 1)]


def _encoded(number: int, picture: Attached, collection: Collection, clip: "Clip") -> Picture:
    vector = picture.vector
    if vector is None or picture.fingerprint != clip.fingerprint:
        if picture.image is None:
            raise ExplorerError(
                f"What is known of picture {number} ({picture.name}) was made by another model "
                "than that of this collection: attach it again"
            )
        vector = clip.encode_images([picture.image])[0]
    kept = picture.thumbnail if isinstance(picture.thumbnail, bytes) else b""
    own = picture.collection == collection.name
    return Picture(picture.name, vector, kept, picture.photo if own else "")
