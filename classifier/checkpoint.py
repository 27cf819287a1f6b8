"""Where a checkpoint lies: a folder, or a repository of the model hub, at a revision if need be."""

import hashlib
import re
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download

from db.errors import ExplorerError, first_line
from db.settings import typed_path

# Descriptions and vocabularies, wherever in the repository, but no other program's weights.
_DESCRIPTIONS = ["*.json", "*.txt", "*.model"]
_PLAIN = ["*model*.safetensors"]
_PICKLED = ["*pytorch_model*.bin"]
CLIP, TEXT = "CLIP_MODEL", "CLIP_TEXT_MODEL"
_KINDS = {
    CLIP: ("CLIP model", "CLIP_MODEL or --model to a folder that holds a checkpoint, or to sample"),
    TEXT: ("text model", "CLIP_TEXT_MODEL to a folder that holds one"),
}
_HUB = re.compile(r"[\w.-]+(/[\w.-]+)?(@[\w./-]+)?")


def find_checkpoint(model_id: str, setting: str = CLIP) -> Path:
    """The folder of a checkpoint; from the hub it is downloaded at its first use.

    Args:
        model_id: a folder, or a hub id, which may name a revision: `org/name@revision`.
        setting: CLIP or TEXT.

    Raises:
        ExplorerError: it can't be had; the text says which, why, and what to do.
    """
    folder = typed_path(model_id)
    if folder is not None and folder.is_dir():
        return folder
    if model_id.startswith(("/", ".", "~")):
        raise ExplorerError(cannot_load(model_id, "there is no such folder", setting))
    if not _HUB.fullmatch(model_id):
        why = "that is neither a folder nor a hub id, such as org/name or org/name@revision"
        raise ExplorerError(cannot_load(model_id, why, setting))
    try:
        return _download(*split_revision(model_id))
    except Exception as error:  # the errors of its HTTP client come through
        raise ExplorerError(cannot_load(model_id, reason_of(error), setting)) from error


def split_revision(model_id: str) -> tuple[str, str | None]:
    """A hub id, and the revision that it pins: a branch, a tag or a commit."""
    name, _, revision = model_id.partition("@")
    return name, revision or None


def cannot_load(model_id: str, why: str, setting: str = CLIP) -> str:
    """The line that says that a checkpoint can't be had."""
    what, other = _KINDS[setting]
    return f"Can't load the {what} {model_id}: {why}. Without the internet, set {other}"


def reason_of(error: Exception) -> str:
    """What a library says, but for its advice to let a checkpoint run code."""
    text = str(error).lower()
    if any(word in text for word in ("weights_only", "weights only", "trust_remote_code")):
        return "it holds more than weights, and may run code: take one with model.safetensors"
    return first_line(error)


def fingerprint_of(model: Any) -> str:
    """16 hexadecimal digits that tell a model of torch's, with its weights, from others."""
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        # The whole of ViT-B/32 would take seconds; training leaves no beginning as it was.
        beginning = weight.detach().flatten()[:256].float().cpu().numpy()
        digest.update(name.encode() + beginning.tobytes())
    return digest.hexdigest()[:16]


def _download(name: str, revision: str | None) -> Path:
    folder = _snapshot(name, revision, [*_DESCRIPTIONS, *_PLAIN])
    if not any(folder.glob("*.safetensors")):
        _snapshot(name, revision, _PICKLED)
    return folder


def _snapshot(name: str, revision: str | None, patterns: list[str]) -> Path:
    return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
