"""Sentence embeddings of a base as it is: what a classifier without tuning reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.training_config import ModelConfig

MAX_TOKENS = 256

Array = np.ndarray[Any, np.dtype[np.float32]]


def embed_words(texts: Sequence[Sequence[str]], *, model: ModelConfig) -> list[Array]:
    """Return (words, H + shapes) for each text, given as words, by the untuned base and the words' shapes.

    Words behind the first `MAX_TOKENS` tokens are left out.
    """
    from shared.bases import find_base
    from shared.encoder import embed_words as embedded
    from shared.encoder import load_encoder
    from shared.fast_tokenizer import FastTokenizer
    from shared.word_shape import SHAPES, word_shape

    encoder, tokenizer = load_encoder(find_base(model))
    vectors = embedded(encoder, FastTokenizer.of(tokenizer), texts, max_tokens=MAX_TOKENS)
    shapes = np.eye(len(SHAPES), dtype=np.float32)
    return [
        np.hstack([own.numpy(), shapes[[word_shape(word) for word in words[: len(own)]]]])
        for words, own in zip(texts, vectors, strict=True)
    ]


def embed(texts: Sequence[str], *, model: ModelConfig) -> Array:
    """Return (texts, H), each of length 1: the mean over the tokens of the untuned base.

    Texts are cut at `MAX_TOKENS` tokens.
    """
    from shared.bases import find_base
    from shared.encoder import embed_texts, load_encoder
    from shared.fast_tokenizer import FastTokenizer

    encoder, tokenizer = load_encoder(find_base(model))
    read = FastTokenizer.of(tokenizer)
    found: Array = embed_texts(encoder, read, texts, max_tokens=MAX_TOKENS).numpy()
    return found
