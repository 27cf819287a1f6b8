"""The two CLIP towers of one checkpoint: text -> vectors and images -> vectors.

The article encodes one image at a time, asks the processor for `return_tensor` (it is
`return_tensors`, so no tensor came back) and leaves the text vector's length as it is. Here
images come in batches, and every vector has unit norm.
"""

import copy
import logging
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from classifier.checkpoint import cannot_load, find_checkpoint, fingerprint_of, reason_of
from classifier.preprocess import Pixels
from classifier.text_tower import TextTower
from classifier.towers import read_towers
from db.errors import ExplorerError

Matrix = npt.NDArray[np.float32]
Precision = Literal["float32", "bfloat16"]

_LOG = logging.getLogger(__name__)

_loaded: dict[str, "Clip"] = {}
_loading: defaultdict[str, Lock] = defaultdict(Lock)


class Clip:
    """A checkpoint of the CLIP or the SigLIP family in Hugging Face format.

    Attributes:
        model_id: the name that it was asked for by.
        fingerprint: 16 hexadecimal digits of a SHA-256 over the beginning of every weight; another
            checkpoint, or the same one trained further, has others.
        text_fingerprint: of the text tower.
        dimension: of its vectors: 512 for ViT-B/32.
        device: where it runs: cuda, mps or cpu, the first there is.
        image_size: pixels of the square that the image tower sees.
    """

    def __init__(self, model_id: str, folder: Path) -> None:
        """Load a checkpoint.

        Args:
            model_id: what to call it.
            folder: `config.json`, the weights, the tokenizer and `preprocessor_config.json`.

        Raises:
            ExplorerError: a file is missing or unreadable, or it is of another family.
        """
        self.model_id = model_id
        self.device = _best_device()
        try:
            self._towers = read_towers(folder)
        except Exception as error:  # each file format has errors of its own
            raise ExplorerError(cannot_load(model_id, reason_of(error))) from error
        self._model = self._towers.model.eval().to(self.device)
        self.dimension = self._towers.dimension
        self.image_size = self._towers.image_size
        self.fingerprint = fingerprint_of(self._model)
        self.text_fingerprint = self.fingerprint
        self.text_tower: TextTower | None = None

    def with_text(self, tower: TextTower) -> "Clip":
        """The same image tower behind a text tower of another checkpoint.

        Raises:
            ExplorerError: their vectors differ in length.
        """
        if tower.dimension != self.dimension:
            raise ExplorerError(
                f"CLIP_TEXT_MODEL={tower.model_id} makes vectors of {tower.dimension} numbers, and "
                f"{self.model_id} of {self.dimension}: set it to one that belongs to that"
            )
        other = copy.copy(self)
        other.text_tower, other.text_fingerprint = tower, tower.fingerprint
        return other

    @property
    def text_id(self) -> str:
        """The name of the checkpoint that reads the prompts."""
        return self.text_tower.model_id if self.text_tower else self.model_id

    def is_strange(self, prompt: str) -> bool:
        """Whether the prompt is in another script than that which the text tower was taught."""
        return self.text_tower is None and self._towers.is_strange(prompt)

    def too_long(self, prompt: str) -> bool:
        """Whether the prompt has more tokens than the text tower reads."""
        if self.text_tower:
            return self.text_tower.too_long(prompt)
        return self._towers.too_long(prompt)

    def encode_text(self, prompts: Sequence[str]) -> Matrix:
        """Text to vectors.

        What doesn't fit into the context is cut, with a warning in the log.

        Args:
            prompts: n texts, none blank.

        Returns:
            float32 (n, dimension), unit norm.

        Raises:
            ExplorerError: a prompt is blank.
        """
        for prompt in prompts:
            if not prompt.strip():
                raise ExplorerError("The prompt is empty: type what the photos should show")
            if self.too_long(prompt):
                context = (self.text_tower or self._towers).context
                _LOG.warning("only the first %d tokens of %r count", context, prompt)
        if self.text_tower:
            return self.text_tower.encode_text(prompts)
        tokens = self._towers.tokens(prompts).to(self.device)
        with torch.inference_mode():
            return _unit(self._model.get_text_features(**tokens).pooler_output)

    def prepare(self, image: Image.Image) -> Pixels:
        """What the image tower sees of an image.

        Args:
            image: upright RGB, of any size.

        Returns:
            float32 (3, image_size, image_size), or what the family has instead.
        """
        return self._towers.prepare(image)

    def encode_prepared(
        self, prepared: Sequence[Pixels], precision: Precision = "float32"
    ) -> Matrix:
        """Prepared images to vectors.

        A graphics processor always computes in half precision.

        Args:
            prepared: what `prepare` returned for n images.
            precision: what a CPU computes in. bfloat16 took a third of the time on one that has
                instructions for it; without them there is nothing to gain.

        Returns:
            float32 (n, dimension), unit norm. On the sample's scenes the cosine of a bfloat16
            vector to the float32 one is over .9999.
        """
        if not prepared:
            return np.empty((0, self.dimension), dtype=np.float32)
        pixels = {k: v.to(self.device) for k, v in self._towers.pixels(prepared).items()}
        with torch.inference_mode(), _arithmetic(self.device, precision):
            return _unit(self._model.get_image_features(**pixels).pooler_output)

    def encode_images(self, images: Sequence[Image.Image]) -> Matrix:
        """Images to vectors.

        Args:
            images: n upright RGB images of any size.

        Returns:
            float32 (n, dimension), unit norm.
        """
        return self.encode_prepared([self.prepare(image) for image in images])


def load_clip(model_id: str, folder: Path | None = None) -> Clip:
    """The CLIP checkpoint of that name, loaded once a process.

    Args:
        model_id: a folder, or a hub id, which is downloaded at its first use.
        folder: where the checkpoint is, for a name that is neither.

    Raises:
        ExplorerError: it can't be had; the text says which id, why, and what to do.
    """
    # A lock a model: while one is downloaded, searching goes on with the others.
    with _loading[model_id]:
        if model_id not in _loaded:
            _loaded[model_id] = Clip(model_id, folder or find_checkpoint(model_id))
        return _loaded[model_id]


def _best_device() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _arithmetic(device: str, precision: Precision) -> torch.autocast:
    """What the image tower computes in. The weights, and so the fingerprint, stay float32."""
    if device != "cpu":
        return torch.autocast(device, torch.float16)
    return torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16")


def _unit(vectors: torch.Tensor) -> Matrix:
    # float32 first: in half precision the norm would be off by as much as a thousandth.
    result: Matrix = torch.nn.functional.normalize(vectors.float().cpu(), dim=-1).numpy()
    return result
