"""Which checkpoint a model's name stands for."""

from typing import TYPE_CHECKING

from db.settings import typed_path
from ingest.sample import CHECKPOINT

if TYPE_CHECKING:
    from classifier.clip import Clip
    from classifier.text_tower import TextTower

SAMPLE = "sample"


def load_model(model_id: str) -> "Clip":
    """The CLIP checkpoint of that name, loaded once a process.

    Args:
        model_id: `sample`, a folder, or a hub id.

    Raises:
        ExplorerError: it can't be had; the text says which id, why, and what to do.
    """
    # Imported when the first model is needed: torch and transformers take seconds to import.
    from classifier.clip import load_clip

    return load_clip(model_id, CHECKPOINT if model_id == SAMPLE else None)


def load_text(setting: str, image_model: str) -> "TextTower":
    """The text tower that CLIP_TEXT_MODEL names, for the photos of an image tower.

    Raises:
        ExplorerError: it can't be had, or doesn't belong to that image tower.
    """
    from classifier.text_tower import load_text_tower

    return load_text_tower(setting, image_model)


def full_name(model_id: str) -> str:
    """The name to store: a folder's absolute path, since the next run may start elsewhere."""
    folder = typed_path(model_id)
    if model_id == SAMPLE or folder is None or not folder.is_dir():
        return model_id
    return str(folder.resolve())
