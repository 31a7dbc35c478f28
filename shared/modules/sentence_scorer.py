"""The trained part of sentence selection: how much of a summary a sentence tells.

B sentences in a batch, T tokens, H hidden size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from shared.contracts import Arrays, Base, Head, Outputs, Types
from shared.encoder import load_encoder
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import PLACES, SentenceSelection
from shared.modules.rows import encoded, mean_token


class SentenceScorer(nn.Module):
    """A logit per sentence from its mean token vector and its place."""

    inputs = ("tokens", "mask", "places")

    def __init__(self, size: int, *, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(size, 1)
        self.place = nn.Embedding(PLACES, 1)
        nn.init.zeros_(self.place.weight)

    def arrays(self) -> Arrays:
        """Return nothing: decoding reads no weight."""
        return {}

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the cross-entropy with the soft targets, and logits (B,)."""
        logits = self.logits(backbone, batch)
        known = ~batch["targets"].isnan()
        losses = functional.binary_cross_entropy_with_logits(
            logits.float(), batch["targets"].nan_to_num(), reduction="none"
        )
        return Outputs(logits=logits, loss=(losses * known).sum() / known.sum().clamp(min=1))

    def logits(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return (B,) logits."""
        return self.read(encoded(backbone, batch), batch)

    def read(self, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Return (B,) logits of the token vectors (B, T, H)."""
        mean = mean_token(hidden, batch["mask"])
        logits: Tensor = self.output(self.dropout(mean)) + self.place(batch["places"])
        return logits.squeeze(1)


def build(settings: SentenceSelection, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
    """Return the encoder, its tokenizer and a fresh head."""
    backbone, tokenizer = load_encoder(base)
    module = SentenceScorer(backbone.config.hidden_size, dropout=settings.dropout)
    return backbone, tokenizer, settings.head(FastTokenizer.of(tokenizer), types=types, module=module)
