"""Embeddings of passages and queries: what a first stage finds candidates by.

They are those of a base as it is, or of a trained dual encoder. Tasks import this file: torch comes late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shared.batches import length_batches
from shared.errors import ConfigError
from shared.fast_tokenizer import FastTokenizer
from shared.heads import settings
from shared.padding import padded_tokens
from shared.passages import Passage
from shared.text_pieces import Limits, Pieces
from shared.training_config import ModelConfig

TRAINED = f"{settings.__name__}.{settings.DualEncoding.__qualname__}"  # as a bundle names its head

Array = np.ndarray[Any, np.dtype[np.float32]]
Places = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class TextEncoder:
    """An encoder with its tokenizer; `digest` is that of the base's weights, or of the bundle's manifest."""

    encoder: Any
    tokenizer: FastTokenizer
    digest: str


def load_text_encoder(model: ModelConfig, *, bundle: str) -> TextEncoder:
    """Return the base as it is, or the trained encoder of a bundle.

    Raises `ConfigError` for a folder that does not exist, and for the bundle of another head.
    """
    if bundle:
        return _trained(Path(bundle))
    from shared.bases import find_base
    from shared.encoder import load_encoder

    base = find_base(model)
    encoder, tokenizer = load_encoder(base)
    return TextEncoder(encoder.eval(), FastTokenizer.of(tokenizer), base.sha256)


def embed_windows(
    encoder: TextEncoder, passages: Sequence[Passage], *, limits: Limits
) -> tuple[Array, Places]:
    """Return the windows' embeddings (W, H), each of length 1, and (W,) the passage each was cut from.

    A passage has at least one window; its windows stand together, in its order.
    """
    pieces = Pieces(encoder.tokenizer, limits)
    windows = [pieces.passage(passage.text, title=passage.title) for passage in passages]
    rows = [row for found in windows for row in found]
    return _embedded(encoder, rows), np.repeat(np.arange(len(passages)), [len(found) for found in windows])


def embed_queries(encoder: TextEncoder, texts: Sequence[str], *, limits: Limits) -> Array:
    """Return (texts, H), each of length 1, of the first `limits.query_tokens` tokens."""
    pieces = Pieces(encoder.tokenizer, limits)
    return _embedded(encoder, [pieces.query(text)[0] for text in texts])


def _trained(folder: Path) -> TextEncoder:
    if not folder.is_dir():
        given = "give the adapter folder of a trained run, as runs/reranking/RUN/adapter"
        raise ConfigError([f"first_stage.bundle={folder}: there is no such folder; {given}"])
    from shared.adapters import load_bundle
    from shared.bundle_manifest import read_manifest

    if (head := read_manifest(folder)["head"]["_target_"]) != TRAINED:
        raise ConfigError([f"first_stage.bundle={folder} was trained with head {head}; allowed: {TRAINED}"])
    model = load_bundle(folder)
    return TextEncoder(model.backbone, FastTokenizer.of(model.tokenizer), model.head.source["bundle"])


def _embedded(encoder: TextEncoder, rows: Sequence[Sequence[int]]) -> Array:
    """Return the mean token vector of each row of tokens, of length 1."""
    import torch

    from shared.modules.rows import ROW_TOKENS, embed_rows

    found = np.zeros((len(rows), encoder.encoder.config.hidden_size), dtype=np.float32)
    with torch.inference_mode():
        for batch in length_batches([len(row) for row in rows], budget=ROW_TOKENS):
            inputs = padded_tokens([rows[index] for index in batch], fill=encoder.tokenizer.pad_token_id)
            tokens, mask = (torch.from_numpy(inputs[name]) for name in ("tokens", "mask"))
            found[batch] = embed_rows(encoder.encoder, tokens, mask).numpy()
    return found
