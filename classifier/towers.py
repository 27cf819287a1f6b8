"""What the families of models differ in: CLIP, SigLIP (1 and 2), and SigLIP 2 with its NaFlex.

SigLIP was trained on lower-case texts that are padded to their full length, without a mask. NaFlex
sees an image in its own proportions, as a list of patches; here they travel as one array, whose
last row holds how many lie down and across.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import (
    AutoConfig,
    AutoTokenizer,
    CLIPImageProcessorPil,
    CLIPModel,
    CLIPTokenizer,
    Siglip2ImageProcessorPil,
    Siglip2Model,
    SiglipImageProcessorPil,
    SiglipModel,
)
from transformers.utils import logging as transformers_logging

from classifier.preprocess import Pixels, Prepare, preparer
from classifier.text_tower import is_foreign

# Its bars and reports on every load say nothing that a person of this program can use.
transformers_logging.disable_progress_bar()
transformers_logging.set_verbosity_error()

_SIGLIP_FILES = ("tokenizer.json", "spiece.model", "tokenizer.model")


class Towers:
    """Both towers of a CLIP checkpoint, and what goes into them.

    Attributes:
        model: the library's.
        tokenizer: the library's.
        processor: of images, the library's.
        dimension: of the vectors.
        image_size: pixels of a side that the image tower can make use of.
        context: how many tokens the text tower reads.
        prepare: from an upright RGB image to what the image tower sees of it, float32.
    """

    def __init__(self, model: Any, tokenizer: Any, processor: Any) -> None:
        config = model.config
        self.model = model
        self.tokenizer = tokenizer
        self.processor = processor
        self.dimension = self._dimension(config)
        self.image_size = self._image_size(config.vision_config)
        self.context = int(config.text_config.max_position_embeddings)
        self.prepare = self._preparer()

    def _dimension(self, config: Any) -> int:
        return int(config.projection_dim)

    def _image_size(self, vision: Any) -> int:
        return int(vision.image_size)

    def _preparer(self) -> Prepare:
        return preparer(self.processor)

    def too_long(self, prompt: str) -> bool:
        """Whether the prompt has more tokens than the text tower reads."""
        return len(self.tokenizer(prompt)["input_ids"]) > self.context

    def is_strange(self, prompt: str) -> bool:
        """Whether the prompt is in a script that the text tower was not taught."""
        return is_foreign(prompt)

    def tokens(self, prompts: Sequence[str]) -> Any:
        """What the text tower takes for texts; what is too long is cut."""
        return self.tokenizer(
            list(prompts),
            padding=True,
            truncation=True,
            max_length=self.context,
            return_tensors="pt",
        )

    def pixels(self, prepared: Sequence[Pixels]) -> dict[str, torch.Tensor]:
        """What the image tower takes for prepared images."""
        return {"pixel_values": torch.from_numpy(np.stack(prepared))}


class SiglipTowers(Towers):
    """Those of SigLIP, and of SigLIP 2 where it sees squares."""

    def _dimension(self, config: Any) -> int:
        made = int(config.text_config.projection_size)
        if made != config.vision_config.hidden_size:
            raise ValueError("its two towers make vectors of different lengths")
        return made

    def is_strange(self, prompt: str) -> bool:
        """See Towers. SigLIP 2 was taught many languages, and has tokens for all of them."""
        unknown = self.tokenizer.unk_token_id
        return unknown is not None and unknown in self.tokenizer(prompt.lower())["input_ids"]

    def tokens(self, prompts: Sequence[str]) -> Any:
        """See Towers."""
        tokens = self.tokenizer(
            [prompt.lower() for prompt in prompts],
            padding="max_length",
            truncation=True,
            max_length=self.context,
            return_tensors="pt",
        )
        tokens.pop("attention_mask", None)
        return tokens


class NaflexTowers(SiglipTowers):
    """Those of SigLIP 2 where it sees an image in its own proportions."""

    def _image_size(self, vision: Any) -> int:
        return int(vision.num_patches**0.5) * int(vision.patch_size)

    def _preparer(self) -> Prepare:
        def prepare(image: Image.Image) -> Pixels:
            found = self.processor(image, return_tensors="np")
            patches = found["pixel_values"][0]
            shape = np.zeros((1, patches.shape[1]), dtype=np.float32)
            shape[0, :2] = found["spatial_shapes"][0]
            packed: Pixels = np.concatenate([patches, shape]).astype(np.float32)
            return packed

        return prepare

    def pixels(self, prepared: Sequence[Pixels]) -> dict[str, torch.Tensor]:
        """See Towers."""
        packed = torch.from_numpy(np.stack(prepared))
        patches, shapes = packed[:, :-1], packed[:, -1, :2].long()
        used = shapes.prod(dim=1, keepdim=True)
        mask = torch.arange(patches.shape[1])[None] < used
        return {
            "pixel_values": patches,
            "pixel_attention_mask": mask.to(torch.int32),
            "spatial_shapes": shapes,
        }


def read_towers(folder: Path) -> Towers:
    """The towers of a checkpoint.

    Args:
        folder: `config.json`, the weights, the tokenizer and `preprocessor_config.json`.

    Raises:
        Exception: each file format has errors of its own; ValueError where the family is another.
    """
    family = AutoConfig.from_pretrained(folder, local_files_only=True).model_type
    if family == "clip":
        return Towers(
            _read_model(CLIPModel, folder),
            _read_clip_tokenizer(folder),
            CLIPImageProcessorPil.from_pretrained(folder, local_files_only=True),
        )
    if family not in ("siglip", "siglip2"):
        raise ValueError(f"it is a {family} model: take one of the CLIP or the SigLIP family")
    kind, model, processor = (
        (NaflexTowers, Siglip2Model, Siglip2ImageProcessorPil)
        if family == "siglip2"
        else (SiglipTowers, SiglipModel, SiglipImageProcessorPil)
    )
    if not any((folder / name).is_file() for name in _SIGLIP_FILES):
        raise FileNotFoundError(f"it has none of {', '.join(_SIGLIP_FILES)}")
    return kind(
        _read_model(model, folder),
        AutoTokenizer.from_pretrained(folder, local_files_only=True),
        processor.from_pretrained(folder, local_files_only=True),
    )


def _read_model(kind: Any, folder: Path) -> Any:
    model, found = kind.from_pretrained(
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


def _read_clip_tokenizer(folder: Path) -> Any:
    # Without its files the library makes one up that knows no words at all.
    files = [folder / name for name in ("tokenizer.json", "vocab.json", "merges.txt")]
    whole, *parts = (file.is_file() for file in files)
    if not whole and not all(parts):
        raise FileNotFoundError("it has no tokenizer.json, and no vocab.json with merges.txt")
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)
