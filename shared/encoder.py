"""An encoder and its tokenizer from a base's files, as every head that reads token vectors needs them."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModel, AutoTokenizer

from shared.contracts import Base


def load_encoder(base: Base) -> tuple[Any, Any]:
    """Return the encoder in float32, without a pooler that no head reads, and its tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(base.encoder_folder, local_files_only=True)
    encoder = AutoModel.from_pretrained(
        base.folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return encoder, tokenizer
