"""The table of prompt means: what the text vectors of a model share, measured once for each."""

import numpy as np

from db.connection import Connection
from db.dialect import Vector
from db.layout import Table

PROMPT_MEANS = Table(
    "prompt_means",
    "what the text vectors of a model share",
    "model String, nouns String, mean Array(Float32), made DateTime64(3, 'UTC') DEFAULT now64(3)",
    "(model, nouns)",
)


class PromptMeans:
    """The mean text vectors of all models of a database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, model: str, nouns: str, mean: Vector) -> None:
        """Store one.

        Args:
            model: the text tower's fingerprint.
            nouns: which nouns it is the mean of, in a few characters.
            mean: float32 (d,).
        """
        row = {"model": model, "nouns": nouns, "mean": mean.tolist()}
        self._connection.insert("prompt_means", row)

    def find(self, model: str, nouns: str) -> Vector | None:
        """The mean of a model's vectors of those nouns, float32 (d,), or None."""
        found = self._connection.rows(
            "SELECT mean FROM prompt_means WHERE model = %(model)s AND nouns = %(nouns)s LIMIT 1",
            {"model": model, "nouns": nouns},
        )
        return np.array(found[0]["mean"], dtype=np.float32) if found else None
