"""The photos that desks of this process have shown lately, so that their pictures need no query."""

from collections import OrderedDict
from threading import Lock

from db.photo import Photo

# A window of 36 photos asks for 36 pictures at once, each of which would cost two queries.
MOST = 20_000


class Shown:
    """Photos by the name of their collection and their id; beyond MOST the oldest go."""

    def __init__(self) -> None:
        self._photos: OrderedDict[tuple[str, str], Photo] = OrderedDict()
        self._lock = Lock()

    def note(self, collection: str, photo: Photo) -> None:
        """Remember a photo as it is now."""
        with self._lock:
            self._photos[collection, photo.id] = photo
            self._photos.move_to_end((collection, photo.id))
            if len(self._photos) > MOST:
                self._photos.popitem(last=False)

    def find(self, collection: str, photo: str) -> Photo | None:
        """The photo as it was shown last, or None."""
        with self._lock:
            return self._photos.get((collection, photo))


shown = Shown()
