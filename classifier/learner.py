"""From the thumbs of a session to its classifier."""

from collections.abc import Mapping, Sequence
from threading import Lock

import numpy as np

from classifier.refit import ARTICLE, Evidence, Refit, refit_article, refit_whitened
from classifier.rounds import Round, training_set
from classifier.whitening import Whitening, measured
from db.dialect import Vector
from db.errors import ExplorerError
from db.photos import PhotoTable

# Photos that tell what a collection's vectors have in common.
SAMPLED = 5000
# Thumbs below which no verdict is given.
EVIDENT = 10


class Learner:
    """Refits by one method, on the photos of one collection.

    Args:
        photos: the collection's.
        method: one of METHODS.
    """

    def __init__(self, photos: PhotoTable, method: str) -> None:
        self._photos = photos
        self._method = method
        self._whitening: Whitening | None = None
        self._lock = Lock()
        # The last refit and its thumbs: a refinement and the verdict after it have the same.
        self._last: tuple[dict[str, int], Refit] | None = None

    def fitted(self, rounds: Sequence[Round], labels: Mapping[str, int]) -> Vector:
        """The weight, float32 (512,), refit on all thumbs so far.

        Args:
            rounds: all that were shown, at least one.
            labels: UP or DOWN by photo id.
        """
        if self._method == ARTICLE:
            refined = [shown for shown in rounds if not shown.liked]
            return refit_article(refined[-1].weight, *training_set(rounds, labels))
        return self._whitened(rounds, labels).weight

    def evidence(self, rounds: Sequence[Round], labels: Mapping[str, int]) -> Evidence | None:
        """How well the refit tells the thumbs apart, beside the prompt alone.

        None where nothing honest can be said: with fewer than EVIDENT thumbs, fewer than two of
        either kind, before the third round, or for a method that doesn't leave thumbs out.
        """
        if self._method == ARTICLE or len(labels) < EVIDENT or len(rounds) < 3:
            return None
        return self._whitened(rounds, labels).evidence

    def like(self, weight: Vector, photo: str) -> Vector:
        """The sum of a weight and what sets a photo apart, float32 (512,), unit norm.

        Raises:
            ExplorerError: there is no such photo.
        """
        both = weight / np.linalg.norm(weight) + self.apart(photo)
        vector: Vector = both / np.linalg.norm(both)
        return vector

    def apart(self, photo: str) -> Vector:
        """What sets a photo apart from the others of its collection, float32 (512,), unit norm.

        Raises:
            ExplorerError: there is no such photo.
        """
        found = self._photos.get([photo])
        if not found:
            raise ExplorerError(f"{self._photos.name} has no photo {photo!r}: take it away")
        return self.set_apart(found[0].vector)

    def set_apart(self, vector: Vector) -> Vector:
        """What sets a picture's vector apart from those of the collection, unit norm."""
        apart = vector - self.whitening().mean
        length = np.linalg.norm(apart)
        unit: Vector = apart / length if length > 0 else vector
        return unit

    def whitening(self) -> Whitening:
        """What the collection's vectors have in common, measured once."""
        with self._lock:
            if self._whitening is None:
                self._whitening = measured(self._photos.sample(SAMPLED))
            return self._whitening

    def _whitened(self, rounds: Sequence[Round], labels: Mapping[str, int]) -> Refit:
        last = self._last
        if last is not None and last[0] == labels:
            return last[1]
        text, whitening = rounds[0].weight, self.whitening()
        refit = refit_whitened(text, *training_set(rounds, labels), whitening)
        self._last = dict(labels), refit
        return refit
