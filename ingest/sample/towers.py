"""The sample's CLIP: how it is built, saved in Hugging Face format, and asked for vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from ingest.sample.scenes import PICTURE_SIDE
from ingest.sample.vocabulary import CONTEXT_LENGTH

PROJECTION_DIM: Final = 512
# The means and deviations of the drawings' pixels are near these for every channel.
PIXEL_MEAN: Final = 0.45
PIXEL_STD: Final = 0.25
_FIRST_SCALE: Final = 2.66
_HEAD_WIDTH: Final = 64


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model; widths must be multiples of 64, the width of an attention head."""

    image_size: int = PICTURE_SIDE
    patch_size: int = 12
    image_width: int = 128
    image_layers: int = 4
    text_width: int = 128
    text_layers: int = 2


def build_model(shape: Shape, tokenizer: CLIPTokenizer) -> CLIPModel:
    """Return an untrained model for a tokenizer, its weights drawn from torch's current seed."""
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": shape.text_width,
        "intermediate_size": shape.text_width * 4,
        "num_hidden_layers": shape.text_layers,
        "num_attention_heads": shape.text_width // _HEAD_WIDTH,
        "max_position_embeddings": CONTEXT_LENGTH,
        "hidden_act": "relu",
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {
        "hidden_size": shape.image_width,
        "intermediate_size": shape.image_width * 4,
        "num_hidden_layers": shape.image_layers,
        "num_attention_heads": shape.image_width // _HEAD_WIDTH,
        "image_size": shape.image_size,
        "patch_size": shape.patch_size,
        "hidden_act": "relu",
    }
    return CLIPModel(
        CLIPConfig(
            text_config=text,
            vision_config=vision,
            projection_dim=PROJECTION_DIM,
            logit_scale_init_value=_FIRST_SCALE,
        )
    )


def save_checkpoint(model: CLIPModel, tokenizer: CLIPTokenizer, folder: Path) -> None:
    """Write model (in half precision), tokenizer and image processor to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    half = CLIPModel(model.config)
    half.load_state_dict(model.state_dict())
    half.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    # The two files older loaders look for, beside tokenizer.json.
    tokenizer.backend_tokenizer.model.save(str(folder))
    side = model.config.vision_config.image_size
    CLIPImageProcessorPil(
        size={"shortest_edge": side},
        crop_size={"height": side, "width": side},
        image_mean=[PIXEL_MEAN] * 3,
        image_std=[PIXEL_STD] * 3,
    ).save_pretrained(folder)


class Encoder:
    """A saved model with its tokenizer and image processor."""

    def __init__(self, folder: Path) -> None:
        self._model = CLIPModel.from_pretrained(folder, dtype=torch.float32).eval()
        self._tokenizer = CLIPTokenizer.from_pretrained(folder)
        self._processor = CLIPImageProcessorPil.from_pretrained(folder)

    @property
    def image_size(self) -> int:
        """The side of the pictures the model takes, in pixels."""
        return int(self._model.config.vision_config.image_size)

    @torch.inference_mode()
    def encode_texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the unit vectors of texts: float32, shape (texts, 512)."""
        tokens = self._tokenizer(list(texts), padding=True, truncation=True, return_tensors="pt")
        return _unit(self._model.get_text_features(**tokens).pooler_output)

    @torch.inference_mode()
    def encode_images(self, images: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
        """Return the unit vectors of images: float32, shape (images, 512)."""
        rows = []
        for start in range(0, len(images), 128):
            batch = self._processor(list(images[start : start + 128]), return_tensors="pt")
            rows.append(_unit(self._model.get_image_features(**batch).pooler_output))
        return np.concatenate(rows)


def _unit(vectors: torch.Tensor) -> npt.NDArray[np.float32]:
    unit = torch.nn.functional.normalize(vectors.float(), dim=-1)
    return unit.numpy()
