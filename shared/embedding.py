"""Sentence embeddings of a base as it is: what a classifier without tuning reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.batches import length_batches
from shared.config import ModelConfig

MAX_TOKENS = 256
BATCH_TOKENS = 8192

Array = np.ndarray[Any, np.dtype[np.float32]]


def embed(texts: Sequence[str], *, model: ModelConfig) -> Array:
    """Return (texts, H), each of length 1: the mean over the tokens of the untuned base.

    Texts are cut at `MAX_TOKENS` tokens.
    """
    import torch
    from torch.nn import functional

    from shared.encoder import load_encoder
    from shared.model import find_base

    encoder, tokenizer = load_encoder(find_base(model))
    encoder.eval()
    encoded = tokenizer(list(texts), truncation=True, max_length=MAX_TOKENS)["input_ids"] if texts else []
    found = np.zeros((len(texts), encoder.config.hidden_size), dtype=np.float32)
    for batch in length_batches([len(tokens) for tokens in encoded], budget=BATCH_TOKENS):
        padded = tokenizer.pad({"input_ids": [encoded[index] for index in batch]}, return_tensors="pt")
        mask = padded["attention_mask"].unsqueeze(-1)
        with torch.inference_mode():
            hidden = encoder(**padded).last_hidden_state
            found[batch] = functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1).numpy()
    return found
