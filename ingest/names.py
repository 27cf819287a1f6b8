"""What a folder's collection is called where nobody names it."""

import hashlib
import os
import re
import unicodedata

from db.names import OWN

_LONGEST = 50


def table_name(folder: str) -> str:
    """A table name made of a folder's, always the same and different for different folders' names.

    Letters lose their accents. Where others than a table's name can have are lost, as of any
    script but the Latin one, a short hash of the whole name follows.
    """
    plain = "".join(
        sign for sign in unicodedata.normalize("NFKD", folder) if not unicodedata.combining(sign)
    )
    name = re.sub(r"[^A-Za-z0-9_]+", "_", plain).strip("_")
    if len(name) > _LONGEST or any(_says_something(sign) for sign in plain):
        name = f"{name[: _LONGEST - 9] or 'photos'}_{_hash(folder)}"
    free = bool(name) and not name[0].isdigit() and name.lower() not in OWN
    return name if free else f"photos_{name}".rstrip("_")


def _says_something(sign: str) -> bool:
    """Whether a sign that a table's name can't have is more than a dash or a space."""
    return not sign.isascii() and unicodedata.category(sign)[0] in "LNSC"


def _hash(folder: str) -> str:
    # One name on every system: macOS writes some letters as two signs.
    whole = unicodedata.normalize("NFC", folder)
    return hashlib.blake2b(os.fsencode(whole), digest_size=4).hexdigest()
