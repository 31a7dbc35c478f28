"""The embeddings of a dual encoder, and the loss that draws a query to its passage.

Q queries in a batch, P passages, T tokens, H hidden size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from shared.contracts import Arrays, Base, Head, Outputs, Types
from shared.encoder import load_encoder
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import DualEncoding
from shared.modules.rows import embed_rows, encoded, mean_token


class TextEmbedder(nn.Module):
    """The mean token vector of a text, of length 1: the encoder's own weights are all there is."""

    inputs = ("tokens", "mask")

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale  # of the cosine in the loss

    def arrays(self) -> Arrays:
        """Return nothing: decoding reads no weight."""
        return {}

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the embeddings (rows, H), and for lessons the cross-entropy over the batch's passages."""
        unit = embed_rows(backbone, batch["tokens"], batch["mask"])
        if "targets" not in batch:
            return Outputs(logits=unit)
        queries = len(batch["targets"])
        logits = self.scale * unit[:queries] @ unit[queries:].T
        logits = logits.float().masked_fill(batch["hidden"], float("-inf"))
        return Outputs(logits=logits, loss=functional.cross_entropy(logits, batch["targets"]))

    def logits(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the embeddings (rows, H) by one pass over all rows."""
        return self.read(encoded(backbone, batch), batch)

    def read(self, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the embeddings (rows, H) of the token vectors (rows, T, H)."""
        return functional.normalize(mean_token(hidden, batch["mask"]), dim=1)


def build(settings: DualEncoding, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
    """Return the encoder, its tokenizer and a fresh head."""
    backbone, tokenizer = load_encoder(base)
    module = TextEmbedder(settings.scale)
    return backbone, tokenizer, settings.head(FastTokenizer.of(tokenizer), types=types, module=module)
