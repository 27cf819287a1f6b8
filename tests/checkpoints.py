"""CLIP checkpoints with random weights, in Hugging Face format, small enough to make in a test."""

import io
import string
from pathlib import Path

import sentencepiece
import torch
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    CLIPTokenizer,
    Siglip2Config,
    Siglip2ImageProcessorPil,
    Siglip2Model,
    Siglip2Tokenizer,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
    SiglipTokenizer,
)

CONTEXT = 16  # tokens that the small text tower reads, the two at the ends among them
SIDE = 32  # pixels of the square that the small image tower sees

_WORDS = ("house", "lake", "boat", "red", "by", "a", "night")


def make_checkpoint(folder: Path, *, projection_dim: int = 512, seed: int = 0) -> Path:
    """Save a checkpoint with two towers of two thin layers; the same seed, the same weights."""
    tokenizer = _tokenizer(CONTEXT)
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    thin = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    text = {**thin, **ends, "vocab_size": len(tokenizer), "max_position_embeddings": CONTEXT}
    vision = {**thin, "image_size": SIDE, "patch_size": 8}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=projection_dim)
    return _save(folder, config, tokenizer, seed)


def make_full_size_checkpoint(folder: Path, *, seed: int = 0) -> Path:
    """Save a ViT-B/32 as large as the published one, except for its vocabulary."""
    tokenizer = _tokenizer(77)
    config = CLIPConfig()
    config.text_config.vocab_size = len(tokenizer)
    config.text_config.bos_token_id = tokenizer.bos_token_id
    config.text_config.eos_token_id = tokenizer.eos_token_id
    return _save(folder, config, tokenizer, seed)


def _save(folder: Path, config: CLIPConfig, tokenizer: CLIPTokenizer, seed: int) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = CLIPModel(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    side = config.vision_config.image_size
    size = {"height": side, "width": side}
    CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size=size).save_pretrained(folder)
    return folder


def _tokenizer(context: int) -> CLIPTokenizer:
    """Letters, digits and punctuation one by one, and a few words merged to one token each."""
    characters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    tokens = characters + [f"{character}</w>" for character in characters]
    merges = []
    for word in _WORDS:
        pieces = [*word[:-1], f"{word[-1]}</w>"]
        while len(pieces) > 1:
            merges.append(f"{pieces[0]} {pieces[1]}")
            pieces[:2] = ["".join(pieces[:2])]
            tokens.append(pieces[0])
    tokens = [*dict.fromkeys(tokens), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(
        vocab={token: place for place, token in enumerate(tokens)},
        merges=[tuple(pair.split(" ")) for pair in dict.fromkeys(merges)],
        model_max_length=context,
    )


def make_siglip(folder: Path, *, naflex: bool = False, dimension: int = 48) -> Path:
    """Save a small SigLIP with a sentencepiece vocabulary, or a SigLIP 2 that sees proportions."""
    thin = {
        "hidden_size": dimension,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    tokenizer = _letters() if naflex else _sentencepiece(folder)
    text = {
        **thin,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": CONTEXT,
        "projection_size": dimension,
        **{f"{end}_token_id": 1 for end in ("bos", "eos", "pad")},
    }
    sees = {"patch_size": 8, "num_patches": 16} if naflex else {"patch_size": 8, "image_size": SIDE}
    kinds = (Siglip2Config, Siglip2Model) if naflex else (SiglipConfig, SiglipModel)
    config = kinds[0](text_config=text, vision_config={**thin, **sees})
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = kinds[1](config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    processor = (
        Siglip2ImageProcessorPil(patch_size=8, max_num_patches=16)
        if naflex
        else SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    )
    processor.save_pretrained(folder)
    return folder


def _letters() -> Siglip2Tokenizer:
    """Letters one by one, as the end of a vocabulary of Gemma's."""
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "\u2581", *string.ascii_lowercase]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return Siglip2Tokenizer(vocab=vocabulary, merges=[], model_max_length=CONTEXT)


def _sentencepiece(folder: Path) -> SiglipTokenizer:
    """Letters and a few words, as SigLIP's own vocabulary is made."""
    folder.mkdir(parents=True, exist_ok=True)
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([*_WORDS, string.ascii_lowercase, "a red house by a lake"] * 4),
        model_writer=model, vocab_size=48, hard_vocab_limit=False, character_coverage=1.0,
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, minloglevel=2,
    )  # fmt: skip
    (folder / "spiece.model").write_bytes(model.getvalue())
    return SiglipTokenizer(vocab_file=str(folder / "spiece.model"), model_max_length=CONTEXT)
