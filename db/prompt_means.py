"""The table of prompt means: what the text vectors of a model share, measured once for each."""

from dataclasses import dataclass

import numpy as np

from db.connection import Connection
from db.dialect import Vector
from db.layout import Table

PROMPT_MEANS = Table(
    "prompt_means",
    "what the text vectors of a model share",
    "model String, nouns String, mean Array(Float32), nearest Float32",
    "(model, nouns)",
)


@dataclass(frozen=True, eq=False)
class PromptMean:
    """What a model makes of some nouns.

    Attributes:
        mean: float32 (d,), of their unit vectors.
        nearest: the median cosine of a noun to the noun that is nearest to it.
    """

    mean: Vector
    nearest: float


class PromptMeans:
    """Those of all models of a database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, str], PromptMean] = {}  # each search asks, and none changes

    def add(self, model: str, nouns: str, measured: PromptMean) -> None:
        """Store one.

        Args:
            model: the text tower's fingerprint.
            nouns: which nouns were measured, in a few characters.
            measured: what came of it.
        """
        row = {"model": model, "nouns": nouns, "mean": measured.mean.tolist()}
        self._connection.insert("prompt_means", {**row, "nearest": measured.nearest})

    def find(self, model: str, nouns: str) -> PromptMean | None:
        """What a model makes of those nouns, or None where that was not measured yet."""
        known = self._known.get((model, nouns))
        if known is not None:
            return known
        found = self._connection.rows(
            "SELECT mean, nearest FROM prompt_means "
            "WHERE model = %(model)s AND nouns = %(nouns)s LIMIT 1",
            {"model": model, "nouns": nouns},
        )
        if not found:
            return None
        mean = np.array(found[0]["mean"], dtype=np.float32)
        return self._known.setdefault((model, nouns), PromptMean(mean, found[0]["nearest"]))
