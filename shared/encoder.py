"""An encoder and its tokenizer from a base's files, as every head that reads token vectors needs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer

from shared.batches import length_batches
from shared.contracts import Base
from shared.fast_tokenizer import FastTokenizer
from shared.padding import padded_tokens

BATCH_TOKENS = 8192


def load_encoder(base: Base) -> tuple[Any, Any]:
    """Return the encoder in float32, without a pooler that no head reads, and its tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(base.encoder_folder, local_files_only=True)
    encoder = AutoModel.from_pretrained(
        base.folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return encoder, tokenizer


@torch.inference_mode()
def embed_texts(encoder: Any, tokenizer: FastTokenizer, texts: Sequence[str], *, max_tokens: int) -> Tensor:
    """Return (texts, H) on the CPU, each of length 1: the mean over a text's tokens, cut at `max_tokens`."""
    encoder.eval()
    device = next(encoder.parameters()).device
    first, last = tokenizer.cls_token_id, tokenizer.sep_token_id
    encoded = [[first, *tokens[: max_tokens - 2], last] for tokens in tokenizer.encode_all(texts)]
    found = torch.zeros(len(texts), encoder.config.hidden_size)
    for batch in length_batches([len(tokens) for tokens in encoded], budget=BATCH_TOKENS):
        rows = padded_tokens([encoded[index] for index in batch], fill=tokenizer.pad_token_id)
        tokens, mask = (torch.from_numpy(rows[name]).to(device) for name in ("tokens", "mask"))
        hidden = encoder(input_ids=tokens, attention_mask=mask).last_hidden_state
        mask = mask.unsqueeze(-1)
        found[batch] = functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1).cpu()
    return found
