"""A photo as it is stored: the seed's `id, url, vector`, and the facts that follow them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from db.dialect import Vector
from db.vectors import vectors_of

FACTS = (
    "page String, photographer String, photographer_url String, description String, "
    "width UInt32, height UInt32, country String, keywords Array(String), submitted String, "
    "added UInt64"
)


@dataclass(frozen=True)
class Photo:
    """A photo without its vector.

    Attributes:
        id: unique in its table.
        url: what a browser or the ingest can open: `https:`, `file:`, or `sample:` + id.
        page: the photo's own page, or "".
        photographer: who is to be credited, or "".
        photographer_url: the photographer's page, or "".
        description: a sentence about the photo, or "".
        width: in pixels, upright; 0 if unknown.
        height: in pixels, upright; 0 if unknown.
        country: where it was taken, or "".
        keywords: any number of words.
        submitted: the day on which it was published, as YYYY-MM-DD, or "".
    """

    id: str
    url: str
    page: str = ""
    photographer: str = ""
    photographer_url: str = ""
    description: str = ""
    width: int = 0
    height: int = 0
    country: str = ""
    keywords: tuple[str, ...] = ()
    submitted: str = ""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Photo":
        """The photo of a row, whose columns are COLUMNS."""
        return cls(**{**row, "keywords": tuple(row["keywords"])})


COLUMNS = tuple(field.name for field in fields(Photo))

_SCHEMA = pa.schema(
    [("id", pa.string()), ("url", pa.string()), ("vector", pa.list_(pa.float32()))]
    + [(name, pa.string()) for name in COLUMNS[2:6]]
    + [("width", pa.uint32()), ("height", pa.uint32()), ("country", pa.string())]
    + [("keywords", pa.list_(pa.string())), ("submitted", pa.string()), ("added", pa.uint64())]
)


@dataclass(frozen=True, eq=False)
class Neighbour:
    """A photo with its vector, float32 (512,), and its cosine distance to what was searched."""

    photo: Photo
    vector: Vector
    distance: float


def rows_of(
    photos: Sequence[Photo], vectors: npt.NDArray[np.float32], added: Sequence[int]
) -> pa.Table:
    """The rows of n photos.

    Args:
        photos: n of them.
        vectors: float32 (n, d).
        added: their n arrivals; see db.arrivals.
    """
    columns: dict[str, Any] = {name: [getattr(p, name) for p in photos] for name in COLUMNS}
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).ravel())
    ends = np.arange(0, len(flat) + 1, vectors.shape[1], dtype=np.int32)
    columns["added"] = added
    columns["vector"] = pa.ListArray.from_arrays(pa.array(ends), flat)
    return pa.table({name: columns[name] for name in _SCHEMA.names}, schema=_SCHEMA)


def neighbours_of(table: pa.Table) -> list[Neighbour]:
    """The photos of a table whose columns are `vector`, COLUMNS and `dist`, in its order."""
    if not table.num_rows:
        return []
    facts = table.select(COLUMNS).to_pylist()
    distances = table.column("dist").to_pylist()
    return [
        Neighbour(Photo.of(row), vector, distance)
        for row, vector, distance in zip(facts, vectors_of(table), distances, strict=True)
    ]
