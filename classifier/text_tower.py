"""Text towers of their own, which write into the space of another checkpoint's image tower.

They know many languages. Both kinds were trained to give a translated caption the vector that
OpenAI's text tower gives the English one, so the photos keep theirs:

- M-CLIP (github.com/FreddeFrallan/Multilingual-CLIP, `pt_multilingual_clip.py`): XLM-RoBERTa, the
  mean over the attention mask, a linear layer with a bias.
- sentence-transformers: DistilBERT, the mean over the attention mask, a dense layer without a
  bias, each in a folder that `modules.json` names.
"""

import json
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file
from transformers import (
    AutoModel,
    AutoTokenizer,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
    XLMRobertaTokenizer,
)

from classifier.checkpoint import (
    TEXT,
    cannot_load,
    find_checkpoint,
    fingerprint_of,
    reason_of,
    split_revision,
)
from db.errors import ExplorerError
from db.settings import typed_path

Matrix = npt.NDArray[np.float32]
BASE, LARGE = "openai/clip-vit-base-patch32", "openai/clip-vit-large-patch14"

# Which image tower a text tower was trained for.
PAIRS = {
    "M-CLIP/XLM-Roberta-Large-Vit-B-32": BASE,
    "M-CLIP/XLM-Roberta-Large-Vit-L-14": LARGE,
    "sentence-transformers/clip-ViT-B-32-multilingual-v1": BASE,
}
_ACTIVATIONS: Mapping[str, Callable[[], torch.nn.Module]] = {
    "torch.nn.modules.linear.Identity": torch.nn.Identity,
    "torch.nn.modules.activation.Tanh": torch.nn.Tanh,
}
_MODULES = ["Transformer", "Pooling", "Dense"]
_TOKENIZERS = ("tokenizer.json", "sentencepiece.bpe.model", "vocab.txt")

_loaded: dict[str, "TextTower"] = {}
_loading: defaultdict[str, Lock] = defaultdict(Lock)


class TextTower:
    """A transformer, the mean of its last layer over the text's tokens, and a projection.

    Attributes:
        model_id: the name that it was asked for by.
        dimension: of its vectors.
        fingerprint: of its weights, as that of a Clip.
        context: how many tokens it reads.
    """

    def __init__(self, model_id: str, folder: Path) -> None:
        """Load one of the two kinds.

        Raises:
            ExplorerError: a file is missing or unreadable, or it is of another kind.
        """
        self.model_id = model_id
        try:
            parts = _read_modules(folder) if _is_modules(folder) else _read_mclip(folder)
        except Exception as error:  # each file format has errors of its own
            raise ExplorerError(cannot_load(model_id, reason_of(error), TEXT)) from error
        self._tokenizer, self._transformer, self._projection, self.context = parts
        linear = next(m for m in self._projection.modules() if isinstance(m, torch.nn.Linear))
        self.dimension = linear.out_features
        self.fingerprint = fingerprint_of(
            torch.nn.ModuleList([self._transformer, self._projection])
        )

    def too_long(self, prompt: str) -> bool:
        """Whether the prompt has more tokens than the tower reads."""
        return len(self._tokenizer(prompt)["input_ids"]) > self.context

    def encode_text(self, prompts: Sequence[str]) -> Matrix:
        """Texts (n) to float32 (n, dimension), unit norm; what is too long is cut."""
        tokens = self._tokenizer(
            list(prompts),
            padding=True,
            truncation=True,
            max_length=self.context,
            return_tensors="pt",
        )
        mask = tokens["attention_mask"]
        with torch.inference_mode():
            hidden = self._transformer(
                input_ids=tokens["input_ids"], attention_mask=mask
            ).last_hidden_state
            weights = mask.unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
            vectors = torch.nn.functional.normalize(self._projection(mean), dim=-1)
        result: Matrix = vectors.float().numpy()
        return result


def load_text_tower(setting: str, image_model: str) -> TextTower:
    """The text tower of that name, loaded once a process, for photos of an image tower.

    Args:
        setting: a folder or a hub id; `TEXT for IMAGE` says that it belongs to the image tower of
            that name, for one that is not in PAIRS.
        image_model: the model of the collection.

    Raises:
        ExplorerError: it can't be had, or doesn't belong to that image tower.
    """
    model_id, _, said = setting.partition(" for ")
    model_id = model_id.strip()
    _refuse_stranger(model_id, said.strip(), image_model)
    with _loading[model_id]:
        if model_id not in _loaded:
            _loaded[model_id] = TextTower(model_id, find_checkpoint(model_id, TEXT))
        return _loaded[model_id]


def is_foreign(text: str) -> bool:
    """Whether most letters are of another script than the Latin one, which is English's."""
    letters = [letter for letter in text if letter.isalpha()]
    others = [each for each in letters if not unicodedata.name(each, "").startswith("LATIN")]
    return 2 * len(others) > len(letters)


def _refuse_stranger(model_id: str, said: str, image_model: str) -> None:
    """Check that a text tower belongs to an image tower.

    Raises:
        ExplorerError: it doesn't, or nobody knows.
    """
    known = next((image for text, image in PAIRS.items() if _is_called(model_id, text)), "")
    belongs = said or known
    if not belongs:
        raise ExplorerError(
            f"{TEXT}={model_id} is no text model that is known to belong to an image model: set "
            f"it to {' or '.join(PAIRS)}, or to '{model_id} for {image_model}' if it was trained "
            "for that one"
        )
    if not _is_called(image_model, belongs):
        others = [text for text, image in PAIRS.items() if _is_called(image_model, image)]
        raise ExplorerError(
            f"{TEXT}={model_id} belongs to {belongs}, and these photos were encoded with "
            f"{image_model}: " + (f"set it to {' or '.join(others)}" if others else "unset it")
        )


def _is_called(model_id: str, name: str) -> bool:
    """Whether a model is the one of that hub id: by its id, or as a folder named like it."""
    plain, _ = split_revision(model_id)
    folder = typed_path(model_id)
    short = name.rpartition("/")[2].casefold()
    if plain.casefold() == name.casefold():
        return True
    if folder is None or not folder.is_dir():
        return False
    return folder == typed_path(name) or any(
        part.casefold().rpartition("--")[2] == short for part in folder.resolve().parts
    )


# ---- the two kinds

_Parts = tuple[Any, Any, torch.nn.Module, int]


def _is_modules(folder: Path) -> bool:
    return (folder / "modules.json").is_file()


def _read_modules(folder: Path) -> _Parts:
    """A checkpoint of sentence-transformers: the folders that its modules.json names."""
    modules = _json(folder / "modules.json")
    parts = {module["type"].rpartition(".")[2]: folder / module["path"] for module in modules}
    if list(parts)[:3] != _MODULES or list(parts)[3:] not in ([], ["Normalize"]):
        raise ValueError(f"its modules are {', '.join(parts)}, not Transformer, Pooling and Dense")
    pooling = _json(parts["Pooling"] / "config.json")
    modes = [
        name for name, on in pooling.items() if name.startswith("pooling_mode_") and on is True
    ]
    if modes != ["pooling_mode_mean_tokens"]:
        raise ValueError("its pooling is not the mean over the tokens")
    _refuse_no_tokenizer(parts["Transformer"])
    tokenizer = AutoTokenizer.from_pretrained(parts["Transformer"], local_files_only=True)
    transformer, found = AutoModel.from_pretrained(
        parts["Transformer"], dtype=torch.float32, local_files_only=True, output_loading_info=True
    )
    _refuse_missing(found["missing_keys"])
    limits = parts["Transformer"] / "sentence_bert_config.json"
    asked = _json(limits).get("max_seq_length") if limits.is_file() else None
    most = transformer.config.max_position_embeddings
    return tokenizer, transformer.eval(), _dense(parts["Dense"]), min(int(asked or most), most)


def _dense(folder: Path) -> torch.nn.Module:
    config = _json(folder / "config.json")
    activation = _ACTIVATIONS.get(config["activation_function"])
    if activation is None:
        raise ValueError(f"its dense layer ends in {config['activation_function']}")
    linear = torch.nn.Linear(config["in_features"], config["out_features"], bool(config["bias"]))
    weights = {k.removeprefix("linear."): v for k, v in _weights(folder).items()}
    linear.load_state_dict({name: weight.float() for name, weight in weights.items()})
    return torch.nn.Sequential(linear, activation()).eval()


def _read_mclip(folder: Path) -> _Parts:
    """A checkpoint of M-CLIP: `transformer.*` and `LinearTransformation.*` in one file."""
    config = _json(folder / "config.json")
    if config.get("model_type") != "M-CLIP":
        raise ValueError("it is neither a checkpoint of M-CLIP nor one of sentence-transformers")
    if not str(config.get("modelBase", "")).startswith("xlm-roberta"):
        raise ValueError(f"it is built on {config.get('modelBase')}, not on XLM-RoBERTa")
    _refuse_no_tokenizer(folder)
    # As it stands in tokenizer.json, where there is one: config.json names no kind of tokenizer.
    whole = (folder / "tokenizer.json").is_file()
    kind = PreTrainedTokenizerFast if whole else XLMRobertaTokenizer
    tokenizer = kind.from_pretrained(folder, local_files_only=True)
    tokenizer.pad_token = tokenizer.pad_token or "<pad>"
    weights = _weights(folder)
    inner = _below(weights, "transformer.")
    shape = _shape(inner)
    transformer, found = XLMRobertaModel.from_pretrained(
        None, config=shape, state_dict=inner, dtype=torch.float32, add_pooling_layer=False,
        output_loading_info=True,
    )  # fmt: skip
    _refuse_missing(found["missing_keys"])
    outer = _below(weights, "LinearTransformation.")
    linear = torch.nn.Linear(outer["weight"].shape[1], outer["weight"].shape[0])
    linear.load_state_dict({name: weight.float() for name, weight in outer.items()})
    # Its positions begin behind that of the padding.
    context = shape.max_position_embeddings - shape.pad_token_id - 1
    return tokenizer, transformer.eval(), linear.eval(), context


def _shape(weights: Mapping[str, torch.Tensor]) -> XLMRobertaConfig:
    """The transformer's shape, from its weights: its configuration would be another download."""
    vocabulary, width = weights["embeddings.word_embeddings.weight"].shape
    layers = {name.split(".")[2] for name in weights if name.startswith("encoder.layer.")}
    return XLMRobertaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        num_hidden_layers=len(layers),
        num_attention_heads=max(1, width // 64),  # as in both sizes of XLM-RoBERTa
        intermediate_size=weights["encoder.layer.0.intermediate.dense.weight"].shape[0],
        max_position_embeddings=weights["embeddings.position_embeddings.weight"].shape[0],
        type_vocab_size=weights["embeddings.token_type_embeddings.weight"].shape[0],
        layer_norm_eps=1e-5,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors of a folder; of a pickled file nothing but tensors is read."""
    if (folder / "model.safetensors").is_file():
        tensors: dict[str, torch.Tensor] = load_file(folder / "model.safetensors")
        return tensors
    pickled = folder / "pytorch_model.bin"
    if not pickled.is_file():
        raise FileNotFoundError(f"{folder.name} has no model.safetensors and no pytorch_model.bin")
    found: dict[str, torch.Tensor] = torch.load(pickled, map_location="cpu", weights_only=True)
    return found


def _below(weights: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _refuse_no_tokenizer(folder: Path) -> None:
    # Without its files the library makes one up that knows no words at all.
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise FileNotFoundError(f"it has none of {', '.join(_TOKENIZERS)}")


def _refuse_missing(missing: set[str]) -> None:
    if missing:
        # The library fills them with random numbers, and the vectors would mean nothing.
        first = min(missing)
        raise ValueError(f"{len(missing)} of its weights are missing, such as {first}")
