"""The table of pictures that sessions were started with, beside their words."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from db.connection import Connection
from db.dialect import Vector
from db.layout import Table

PICTURES = Table(
    "session_pictures",
    "pictures that were asked with",
    "session String, number UInt32, name String, photo String, vector Array(Float32), "
    "thumbnail String",
    "(session, number)",
)


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture that is searched with.

    Attributes:
        name: what it is called: a file's name, the end of an address, or a photo's name.
        vector: float32 (512,), unit norm. It replays the search: the picture itself is not kept.
        thumbnail: a small JPEG.
        photo: the id of the photo of the collection that it is, or "".
    """

    name: str
    vector: Vector
    thumbnail: bytes = b""
    photo: str = ""


class Pictures:
    """The pictures of all sessions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, session: str, pictures: Sequence[Picture]) -> None:
        """Store the pictures of a new session, in the order in which its prompt counts them."""
        columns = ["session", "number", "name", "photo", "vector", "thumbnail"]
        rows = [
            [session, n, p.name, p.photo, p.vector.tolist(), b64encode(p.thumbnail).decode()]
            for n, p in enumerate(pictures, 1)
        ]
        if rows:
            self._connection.insert_rows("session_pictures", columns, rows)

    def of(self, session: str) -> list[Picture]:
        """The pictures of a session."""
        rows = self._connection.rows(
            "SELECT name, photo, vector, thumbnail FROM session_pictures "
            "WHERE session = %(session)s ORDER BY number LIMIT 1 BY number",
            {"session": session},
        )
        return [
            Picture(
                name=row["name"],
                vector=np.asarray(row["vector"], dtype=np.float32),
                thumbnail=b64decode(row["thumbnail"]),
                photo=row["photo"],
            )
            for row in rows
        ]
