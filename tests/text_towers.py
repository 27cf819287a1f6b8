"""Text towers of their own with random weights, in the layouts of their two kinds of repository."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    DistilBertConfig,
    DistilBertModel,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
)

CONTEXT = 32  # tokens
WORDS = ("дом", "на", "озере", "湖", "maison", "house", "lake", "un", "a")
_WIDTH = 64


def make_mclip(folder: Path, *, dimension: int = 512, pickled: bool = True) -> Path:
    """Save a checkpoint as M-CLIP does: one file, and a config.json that names the base."""
    folder.mkdir(parents=True, exist_ok=True)
    config = XLMRobertaConfig(
        vocab_size=len(WORDS) + 4, hidden_size=_WIDTH, num_hidden_layers=2, num_attention_heads=1,
        intermediate_size=48, max_position_embeddings=CONTEXT + 2, type_vocab_size=1,
        layer_norm_eps=1e-5, pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(3)
        transformer = XLMRobertaModel(config)  # with the pooler that nobody asks
        linear = torch.nn.Linear(_WIDTH, dimension)
    weights = {f"transformer.{k}": v for k, v in transformer.state_dict().items()}
    weights |= {f"LinearTransformation.{k}": v for k, v in linear.state_dict().items()}
    _save(folder, weights, pickled=pickled)
    _write(
        folder / "config.json",
        {
            "model_type": "M-CLIP",
            "modelBase": "xlm-roberta-large",
            "numDims": dimension,
            "transformerDimensions": _WIDTH,
        },
    )
    _tokenizer(["<s>", "<pad>", "</s>", "<unk>"]).save_pretrained(folder)
    return folder


def make_modules(folder: Path, *, dimension: int = 512, inner: str = "") -> Path:
    """Save a checkpoint as sentence-transformers does; `inner` is the transformer's folder."""
    first = folder / inner
    config = DistilBertConfig(
        vocab_size=len(WORDS) + 4, dim=_WIDTH, n_layers=2, n_heads=2, hidden_dim=48,
        max_position_embeddings=CONTEXT, pad_token_id=1,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(4)
        transformer = DistilBertModel(config)
        dense = torch.nn.Linear(_WIDTH, dimension, bias=False)
    transformer.save_pretrained(first)
    _tokenizer(["[CLS]", "[PAD]", "[SEP]", "[UNK]"]).save_pretrained(first)
    _write(first / "sentence_bert_config.json", {"max_seq_length": 16, "do_lower_case": False})
    modules = (("Transformer", inner), ("Pooling", "1_Pooling"), ("Dense", "2_Dense"))
    for _, path in modules[1:]:
        (folder / path).mkdir()
    kind = "sentence_transformers.models."
    _write(
        folder / "modules.json",
        [
            {"idx": n, "name": str(n), "path": path, "type": kind + name}
            for n, (name, path) in enumerate(modules)
        ],
    )
    _write(
        folder / "1_Pooling" / "config.json",
        {
            "word_embedding_dimension": _WIDTH,
            "pooling_mode_cls_token": False,
            "pooling_mode_mean_tokens": True,
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
    )
    identity = "torch.nn.modules.linear.Identity"
    _write(
        folder / "2_Dense" / "config.json",
        {
            "in_features": _WIDTH,
            "out_features": dimension,
            "bias": False,
            "activation_function": identity,
        },
    )
    _save(folder / "2_Dense", {"linear.weight": dense.weight.detach()}, pickled=True)
    return folder


def _save(folder: Path, weights: dict[str, torch.Tensor], *, pickled: bool) -> None:
    if pickled:
        torch.save(weights, folder / "pytorch_model.bin")
        return
    from safetensors.torch import save_file

    save_file({k: v.contiguous().clone() for k, v in weights.items()}, folder / "model.safetensors")


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def _tokenizer(special: list[str]) -> PreTrainedTokenizerFast:
    """Whole words, between the two special tokens that the model expects."""
    first, pad, last, unknown = special
    vocabulary = {token: n for n, token in enumerate([*special, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=unknown))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        special_tokens=[(first, vocabulary[first]), (last, vocabulary[last])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=pad, unk_token=unknown, model_max_length=CONTEXT
    )
