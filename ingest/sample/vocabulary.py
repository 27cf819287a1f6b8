"""The words of the sample model: a byte-pair vocabulary in the form of CLIP's own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

CONTEXT_LENGTH: Final = 48
_START: Final = "<|startoftext|>"
_END: Final = "<|endoftext|>"
_WORD_END: Final = "</w>"


def learn_tokenizer(texts: Iterable[str], merges: int = 700) -> CLIPTokenizer:
    """Learn a tokenizer from texts; every byte is a token too, so any word can be written.

    Args:
        texts: what to learn the merges from.
        merges: at most how many merges to learn.

    Returns:
        A tokenizer that cuts texts at ``CONTEXT_LENGTH`` tokens when asked to truncate.
    """
    plain = CLIPTokenizer().backend_tokenizer
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    learner = Tokenizer(models.BPE(end_of_word_suffix=_WORD_END, continuing_subword_prefix=""))
    learner.normalizer, learner.pre_tokenizer = plain.normalizer, plain.pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=len(letters) * 2 + merges,
        min_frequency=2,
        initial_alphabet=letters,
        end_of_word_suffix=_WORD_END,
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    learned = [tuple(merge.split(" ")) for merge in _merges_of(learner)]
    words = [*letters, *(letter + _WORD_END for letter in letters)]
    words += [first + second for first, second in learned] + [_START, _END]
    vocabulary = {word: index for index, word in enumerate(dict.fromkeys(words))}
    return CLIPTokenizer(vocab=vocabulary, merges=learned, model_max_length=CONTEXT_LENGTH)


def _merges_of(tokenizer: Tokenizer) -> list[str]:
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]
