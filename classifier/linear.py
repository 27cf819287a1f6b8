"""The article's linear classifier: started at the text vector, refit by SGD on unit weights."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from db.dialect import DIMENSION
from db.errors import ExplorerError

Matrix = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float32]

LEARNING_RATE = 0.1


class Classifier:
    """A direction in CLIP space, and how strongly a photo points that way.

    The arithmetic of `fit` is the article's to the letter: `Linear(512, 1, bias=False)`,
    `BCEWithLogitsLoss`, `SGD(lr=0.1)`, and the weight normalised before each forward pass. The
    logit during the fit is w·x; a score is ŵ·x with ŵ the unit weight, everywhere.
    """

    def __init__(
        self,
        xq: npt.ArrayLike,
        learning_rate: float = LEARNING_RATE,
        dimension: int = DIMENSION,
    ) -> None:
        """Start at a vector.

        Args:
            xq: float (512,), the text vector or the weight of an earlier fit.
            learning_rate: of SGD.
            dimension: of the vectors, 512 unless another model made them.

        Raises:
            ExplorerError: another shape, or a vector without a direction.
        """
        weight = np.asarray(xq, dtype=np.float32)
        if weight.shape != (dimension,) or not np.isfinite(weight).all() or not weight.any():
            raise ExplorerError(
                f"A classifier starts at {dimension} finite numbers, not all zero; "
                f"got shape {weight.shape}"
            )
        self._model = torch.nn.Linear(dimension, 1, bias=False)
        # A copy: from_numpy shares memory, and SGD would write into the caller's vector.
        self._model.weight = torch.nn.Parameter(torch.tensor(weight[None]))
        self._optimizer = torch.optim.SGD(self._model.parameters(), lr=learning_rate)

    @property
    def weight(self) -> Vector:
        """The weight as the last fit left it, float32 (512,), near unit norm but not exactly."""
        weight: Vector = self._model.weight.detach().numpy()[0].copy()
        return weight

    def fit(self, X: Matrix, y: Sequence[int], iters: int = 5) -> None:
        """Pull the weight towards the positives and push it away from the negatives.

        Args:
            X: float32 (n, 512), unit norm; n = 0 changes nothing.
            y: n labels, 1 or 0.
            iters: gradient steps.
        """
        if not len(y):
            return
        inputs = torch.tensor(np.asarray(X, dtype=np.float32))  # (n, 512)
        targets = torch.tensor(y, dtype=torch.float32).reshape(-1, 1)  # (n, 1)
        loss_of = torch.nn.BCEWithLogitsLoss()
        for _ in range(iters):
            self._optimizer.zero_grad()
            # Only the component perpendicular to the weight is to count: without this, its length
            # grows with every step and its direction stops moving.
            weight = self._model.weight.data
            weight /= torch.norm(weight, p=2, dim=-1, keepdim=True)
            loss = loss_of(self._model(inputs), targets)
            loss.backward()
            self._optimizer.step()

    def score(self, X: Matrix) -> npt.NDArray[np.float32]:
        """Scores of unit vectors: float32 (n, 512) -> float32 (n), each from -1 to 1."""
        unit = self.weight / np.linalg.norm(self.weight)
        scores: npt.NDArray[np.float32] = np.asarray(X, dtype=np.float32) @ unit
        return scores
