"""A saved classifier's ranking of a collection, and the files that carry it elsewhere."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from db.classifiers import SavedClassifier
from db.sessions import DOWN, UP

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Ranking:
    """A whole collection under one classifier.

    Attributes:
        ids: n photo ids, best first.
        scores: float32 (n,), descending, from -1 to 1.
        labels: UP or DOWN by photo id, of the photos that were given thumbs.
    """

    ids: Sequence[str]
    scores: Scores
    labels: Mapping[str, int]

    def kept(self, threshold: float) -> int:
        """How many photos score at or above a threshold."""
        return int(np.count_nonzero(self.scores >= np.float32(threshold)))

    def first_threshold(self) -> float:
        """Where to put the threshold before anyone moves it.

        Halfway between the mean scores of the two kinds of thumbs; without both kinds, at the
        hundredth photo.
        """
        up, down = self._mean(UP), self._mean(DOWN)
        if up is not None and down is not None:
            return (up + down) / 2
        return float(self.scores[min(100, len(self.scores)) - 1])

    def to_csv(self, urls: Mapping[str, str], threshold: float) -> str:
        """One row a photo: id, url, score, whether it is kept, and its thumb."""
        text = StringIO()
        writer = csv.writer(text)
        writer.writerow(["id", "url", "score", "kept", "label"])
        words = {UP: "up", DOWN: "down"}
        kept = self.kept(threshold)
        for place, (photo, score) in enumerate(zip(self.ids, self.scores, strict=True)):
            label = words.get(self.labels.get(photo, -1), "")
            row = [photo, urls.get(photo, ""), f"{score:.6f}", int(place < kept), label]
            writer.writerow(row)
        return text.getvalue()

    def _mean(self, label: int) -> float | None:
        chosen = [
            score
            for photo, score in zip(self.ids, self.scores, strict=True)
            if self.labels.get(photo) == label
        ]
        return float(np.mean(chosen)) if chosen else None


def to_safetensors(classifier: SavedClassifier, threshold: float) -> bytes:
    """The weight as `weight`, float32 (512,), unit norm, with what it takes to use it.

    A photo's score is the dot product of the weight and the photo's unit CLIP vector.
    """
    facts = {
        "name": classifier.name,
        "prompt": classifier.prompt,
        "model": classifier.model,
        "fingerprint": classifier.fingerprint,
        "method": classifier.method,
        "threshold": f"{threshold:.6f}",
    }
    return save({"weight": classifier.weight.astype(np.float32)}, metadata=facts)
