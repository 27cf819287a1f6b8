"""The cache of maps: where each photo of a collection lies. Safe to delete: one is made again."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from db.blobs import open_cache
from db.collections import Collection

MOST = 100_000  # photos on a map; of more, as many by chance
MAX_SIZE = 1 << 26  # bytes: some twenty maps of MOST photos; beyond that the oldest go


@dataclass(frozen=True, eq=False)
class PhotoMap:
    """Photos in two dimensions.

    Attributes:
        ids: n photo ids.
        places: float32 (n, 2), from 0 to 1.
    """

    ids: list[str]
    places: npt.NDArray[np.float32]


class Maps:
    """The maps of collections; safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        """Open the cache.

        Raises:
            ExplorerError: the folder can't be written, or holds something else.
        """
        self._blobs = open_cache(folder, "maps.sqlite", MAX_SIZE, "the cache of maps")
        # Each run of a page asks; and a full disk must not lose what took minutes.
        self._latest: dict[str, PhotoMap] = {}

    def get(self, collection: Collection) -> PhotoMap | None:
        """The map of a collection, or None where it was not laid out."""
        key = _key(collection)
        if key not in self._latest:
            blob = self._blobs.get(key)
            if blob is None:
                return None
            self._latest = {key: _read(blob)}
        return self._latest.get(key)

    def put(self, collection: Collection, laid_out: PhotoMap) -> None:
        """Store the map of a collection, in place of an earlier one."""
        self._latest = {_key(collection): laid_out}
        self._blobs.put(_key(collection), _written(laid_out))

    def close(self) -> None:
        """Release the file."""
        self._blobs.close()


def _key(collection: Collection) -> str:
    # One that was deleted and made anew is another one.
    return f"{collection.name} {collection.fingerprint} {collection.created.isoformat()}"


def _written(laid_out: PhotoMap) -> bytes:
    x, y = laid_out.places.T
    table = pa.table({"id": pa.array(laid_out.ids, pa.string()), "x": x, "y": y})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def _read(blob: bytes) -> PhotoMap:
    table = pa.ipc.open_stream(blob).read_all()
    places = np.stack([table.column(axis).to_numpy() for axis in "xy"], axis=1)
    return PhotoMap(table.column("id").to_pylist(), places)
