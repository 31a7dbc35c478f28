"""The trained part of embedding density, and what it remembers of normal texts.

B windows in a batch, T tokens, H units of an embedding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.anomaly_decoding import HELD_OUT
from shared.contracts import Arrays, Base, Head, Outputs, Types
from shared.encoder import load_encoder
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import EmbeddingDensity
from shared.modules.rows import encoded, mean_token


class AnomalyScorer(nn.Module):
    """The trained output, and as buffers all that is known of normal texts."""

    inputs = ("tokens", "mask")

    def __init__(self, size: int, *, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.anomaly = nn.Linear(size, 1)
        nn.init.zeros_(self.anomaly.weight)
        nn.init.zeros_(self.anomaly.bias)
        self.held_out: Tensor
        self.register_buffer("held_out", torch.zeros(0))  # scores of held-out normal examples
        self.density = nn.Module()  # buffers alone, named as in `NormalDensity.arrays`
        self.register_load_state_dict_pre_hook(_make_buffers)  # type: ignore[no-untyped-call]

    def keep(self, values: Arrays) -> None:
        """Keep the scores of held-out normal examples, and where the normal texts lie."""
        for name, array in values.items():
            value = torch.from_numpy(array).to(self.held_out.device)
            if name == HELD_OUT:
                self.held_out = value
            else:
                self.density.register_buffer(name, value)

    def arrays(self) -> Arrays:
        """Return what decoding reads: the held-out scores, and where the normal texts lie."""
        density = {name: value.cpu().numpy() for name, value in self.density.named_buffers()}
        return {HELD_OUT: self.held_out.cpu().numpy(), **density}

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the weighted cross-entropy of normal against anomalous, and (B, 1 + H)."""
        outputs = self.logits(backbone, batch)
        known = ~batch["targets"].isnan()
        losses = functional.binary_cross_entropy_with_logits(
            outputs[:, 0].float(), batch["targets"].nan_to_num(), reduction="none"
        )
        total = (losses * batch["weights"] * known).sum()
        return Outputs(logits=outputs, loss=total / known.sum().clamp(min=1))

    def logits(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return (B, 1 + H): how much like known anomalies, and the embedding, of length 1."""
        return self.read(encoded(backbone, batch), batch)

    def read(self, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Return (B, 1 + H) of the token vectors (B, T, H)."""
        unit = functional.normalize(mean_token(hidden, batch["mask"]), dim=1)
        return torch.cat([self.anomaly(self.scale * unit), unit], dim=1)


def build(settings: EmbeddingDensity, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
    """Return the encoder, its tokenizer and a fresh head."""
    backbone, tokenizer = load_encoder(base)
    module = AnomalyScorer(backbone.config.hidden_size, scale=settings.scale)
    return backbone, tokenizer, settings.head(FastTokenizer.of(tokenizer), types=types, module=module)


def _make_buffers(module: AnomalyScorer, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Make room for what a bundle knows of normal texts: how many there were is told by its tensors alone."""
    for name, value in state.items():
        if name.startswith(f"{prefix}density."):
            module.density.register_buffer(name.removeprefix(f"{prefix}density."), torch.zeros_like(value))
    if f"{prefix}held_out" in state:
        module.held_out = torch.zeros_like(state[f"{prefix}held_out"])
