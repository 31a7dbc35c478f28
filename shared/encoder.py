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
from shared.errors import UserError
from shared.fast_tokenizer import FastTokenizer
from shared.modules.products import use_fast_products
from shared.padding import padded_tokens

BATCH_TOKENS = 8192


def load_encoder(base: Base) -> tuple[Any, Any]:
    """Return the encoder in float32, without a pooler that no head reads, and its tokenizer.

    Raises `UserError` where 4 bits are asked for: they are for decoders.
    """
    if base.four_bits:
        raise UserError("model.four_bits=true is for a head that writes; this one reads: leave it false")
    tokenizer = AutoTokenizer.from_pretrained(base.encoder_folder, local_files_only=True)
    encoder = AutoModel.from_pretrained(
        base.folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    use_fast_products(encoder)
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


@torch.inference_mode()
def embed_words(
    encoder: Any, tokenizer: FastTokenizer, texts: Sequence[Sequence[str]], *, max_tokens: int
) -> list[Tensor]:
    """Return (words, H) for each text, given as words: the mean over a word's tokens, zero for one without.

    Words behind the first `max_tokens` tokens are left out.
    """
    encoder.eval()
    device = next(encoder.parameters()).device
    first, last = tokenizer.cls_token_id, tokenizer.sep_token_id
    pieces = tokenizer.encode_words(texts)
    sizes = [1 + sum(map(len, own)) for own in pieces]
    found = [torch.zeros(0)] * len(texts)
    for batch in length_batches([min(size + 1, max_tokens) for size in sizes], budget=BATCH_TOKENS):
        encoded = [[first, *[t for word in pieces[k] for t in word][: max_tokens - 2], last] for k in batch]
        rows = padded_tokens(encoded, fill=tokenizer.pad_token_id)
        tokens, mask = (torch.from_numpy(rows[name]).to(device) for name in ("tokens", "mask"))
        hidden = encoder(input_ids=tokens, attention_mask=mask).last_hidden_state.cpu()
        for place, k in enumerate(batch):
            found[k] = _word_means(hidden[place], pieces[k], most=max_tokens - 1)
    return found


def _word_means(hidden: Tensor, pieces: Sequence[Sequence[int]], *, most: int) -> Tensor:
    vectors, start = [], 1
    for tokens in pieces:
        end = start + len(tokens)
        if end > most:
            break
        vectors.append(hidden[start:end].mean(0) if tokens else torch.zeros(hidden.shape[-1]))
        start = end
    return torch.stack(vectors) if vectors else torch.zeros(0, hidden.shape[-1])
