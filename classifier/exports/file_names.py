"""What files are called in a folder that is taken elsewhere."""

import re
from collections.abc import Iterator
from itertools import count
from unicodedata import category, normalize

from classifier.exports.cells import guarded
from db.addresses import is_file, path_of
from db.photo import Photo

_LONGEST = 150  # bytes of a name without its ending
_RESERVED = re.compile(
    r"(con|prn|aux|nul|(com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(\.|$)", re.IGNORECASE
)
# Where one of these stands alone in a name, `datasets` takes the file for a part of its own, and
# leaves out all files whose names have none. It knows them in small letters.
_PARTS = re.compile(
    r"(?<![^-._ 0-9])(train(ing)?|val(id(ation)?)?|dev|test(ing)?|eval(uation)?)(?![^-._ 0-9])"
)


def names_of(photo: Photo, suffix: str) -> Iterator[str]:
    """Names for a photo's file, the likeliest first, without end."""
    stem = safe(path_of(photo.url).stem if is_file(photo.url) else photo.id)
    ending = re.sub(r"[^.\w]", "", suffix)
    apart = f"{stem}-{safe(photo.id)[-8:]}"
    yield _whole(stem + ending)
    yield _whole(apart + ending)
    yield from (_whole(f"{apart}-{number}{ending}") for number in count(2))


def safe(name: str) -> str:
    """A name that is a file's on every system, no formula, and no part of a data set."""
    plain = "".join(each if _stays(each) else "_" for each in normalize("NFC", name))
    # Folders that begin with two are programs' own.
    plain = re.sub("^__+", "_", plain.strip(" .-"))
    cut = plain.encode("utf-8")[:_LONGEST].decode("utf-8", "ignore").rstrip(" .")
    fits = cut and guarded(cut) == cut and not _RESERVED.match(cut)
    return _whole(cut if fits else f"photo {cut}".rstrip())


def _stays(character: str) -> bool:
    # Marks too: half of the vowels of many scripts.
    return character.isalnum() or character in " _.()-" or category(character).startswith("M")


def _whole(name: str) -> str:
    return _PARTS.sub(lambda found: found[0].capitalize(), name)
