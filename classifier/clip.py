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
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer
from transformers.utils import logging as transformers_logging

from classifier.checkpoint import cannot_load, find_checkpoint, fingerprint_of, reason_of
from classifier.preprocess import Pixels, preparer
from classifier.text_tower import TextTower, is_foreign
from db.dialect import DIMENSION
from db.errors import ExplorerError

Matrix = npt.NDArray[np.float32]
Precision = Literal["float32", "bfloat16"]

_LOG = logging.getLogger(__name__)
# Its bars and reports on every load say nothing that a person of this program can use.
transformers_logging.disable_progress_bar()
transformers_logging.set_verbosity_error()

_loaded: dict[str, "Clip"] = {}
_loading: defaultdict[str, Lock] = defaultdict(Lock)


class Clip:
    """A CLIP checkpoint in Hugging Face format whose `projection_dim` is 512.

    Attributes:
        model_id: the name that it was asked for by.
        fingerprint: 16 hexadecimal digits of a SHA-256 over the beginning of every weight; another
            checkpoint, or the same one trained further, has others.
        text_fingerprint: of the text tower.
        device: where it runs: cuda, mps or cpu, the first there is.
        image_size: pixels of the square that the image tower sees.
    """

    def __init__(self, model_id: str, folder: Path) -> None:
        """Load a checkpoint.

        Args:
            model_id: what to call it.
            folder: `config.json`, the weights, the tokenizer and `preprocessor_config.json`.

        Raises:
            ExplorerError: a file is missing or unreadable, or the dimension is not 512.
        """
        self.model_id = model_id
        self.device = _best_device()
        try:
            model = _read_model(folder)
            self._tokenizer = _read_tokenizer(folder)
            processor = CLIPImageProcessorPil.from_pretrained(folder, local_files_only=True)
        except Exception as error:  # each file format has errors of its own
            raise ExplorerError(cannot_load(model_id, reason_of(error))) from error
        if model.config.projection_dim != DIMENSION:
            raise ExplorerError(
                f"{model_id} makes vectors of {model.config.projection_dim} numbers, and the photo "
                f"tables hold {DIMENSION}: choose a CLIP model with projection_dim {DIMENSION}, "
                "such as openai/clip-vit-base-patch32"
            )
        self._prepare = preparer(processor)
        self._model = model.eval().to(self.device)
        self.image_size = int(model.config.vision_config.image_size)
        self._context = int(model.config.text_config.max_position_embeddings)
        self.fingerprint = fingerprint_of(model)
        self.text_fingerprint = self.fingerprint
        self.text_tower: TextTower | None = None

    def with_text(self, tower: TextTower) -> "Clip":
        """The same image tower behind a text tower of another checkpoint.

        Raises:
            ExplorerError: their vectors differ in length.
        """
        if tower.dimension != DIMENSION:
            raise ExplorerError(
                f"CLIP_TEXT_MODEL={tower.model_id} makes vectors of {tower.dimension} numbers, and "
                f"{self.model_id} of {DIMENSION}: set it to a text model that belongs to that one"
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
        return self.text_tower is None and is_foreign(prompt)

    def too_long(self, prompt: str) -> bool:
        """Whether the prompt has more tokens than the text tower reads."""
        if self.text_tower:
            return self.text_tower.too_long(prompt)
        return len(self._tokenizer(prompt)["input_ids"]) > self._context

    def encode_text(self, prompts: Sequence[str]) -> Matrix:
        """Text to vectors.

        What doesn't fit into the context is cut, with a warning in the log.

        Args:
            prompts: n texts, none blank.

        Returns:
            float32 (n, 512), unit norm.

        Raises:
            ExplorerError: a prompt is blank.
        """
        for prompt in prompts:
            if not prompt.strip():
                raise ExplorerError("The prompt is empty: type what the photos should show")
            if self.too_long(prompt):
                _LOG.warning("only the beginning of %r counts", prompt)
        if self.text_tower:
            return self.text_tower.encode_text(prompts)
        tokens = self._tokenizer(
            list(prompts),
            padding=True,
            truncation=True,
            max_length=self._context,
            return_tensors="pt",
        ).to(self.device)
        with torch.inference_mode():
            return _unit(self._model.get_text_features(**tokens).pooler_output)

    def prepare(self, image: Image.Image) -> Pixels:
        """What the image tower sees of an image.

        Args:
            image: upright RGB, of any size.

        Returns:
            float32 (3, image_size, image_size).
        """
        return self._prepare(image)

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
            float32 (n, 512), unit norm. On the sample's scenes the cosine of a bfloat16 vector to
            the float32 one is over .9999.
        """
        if not prepared:
            return np.empty((0, DIMENSION), dtype=np.float32)
        pixels = torch.from_numpy(np.stack(prepared)).to(self.device)
        with torch.inference_mode(), _arithmetic(self.device, precision):
            return _unit(self._model.get_image_features(pixel_values=pixels).pooler_output)

    def encode_images(self, images: Sequence[Image.Image]) -> Matrix:
        """Images to vectors.

        Args:
            images: n upright RGB images of any size.

        Returns:
            float32 (n, 512), unit norm.
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


def _read_model(folder: Path) -> Any:
    model, found = CLIPModel.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, output_loading_info=True
    )
    missing = sorted(found["missing_keys"])
    if missing:
        # The library fills them with random numbers, and the vectors would mean nothing.
        raise ValueError(f"{len(missing)} of its weights are missing, such as {missing[0]}")
    broken = [name for name, weight in model.state_dict().items() if not _is_finite(weight)]
    if broken:
        # Its vectors would be no numbers either, and no index can be built of those.
        raise ValueError(f"{len(broken)} of its weights hold no numbers, such as {broken[0]}")
    return model


def _is_finite(weight: torch.Tensor) -> bool:
    return bool(torch.isfinite(weight).all())


def _read_tokenizer(folder: Path) -> Any:
    # Without its files the library makes one up that knows no words at all.
    files = [folder / name for name in ("tokenizer.json", "vocab.json", "merges.txt")]
    whole, *parts = (file.is_file() for file in files)
    if not whole and not all(parts):
        raise FileNotFoundError("it has no tokenizer.json, and no vocab.json with merges.txt")
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


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
