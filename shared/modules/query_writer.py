"""What trains of query writing: the language model itself, whose own output layer writes.

B passages in a batch, S samples of each, N new tokens at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import LogitsProcessor

from shared.contracts import Arrays, Base, Head, Outputs, Types
from shared.decoder import load_decoder
from shared.fast_tokenizer import FastTokenizer
from shared.heads.query_writing import sample_seed
from shared.heads.settings import QueryWriting
from shared.modules.writing import Drawn, read_beginning, target_loss, written
from shared.writing import frame


class QueryWriter(nn.Module):
    """Writes behind passages, sampled with noise of each passage's own; it has no weights of its own."""

    def __init__(self, settings: QueryWriting, tokenizer: Any) -> None:
        super().__init__()
        shots = [(shot["passage"].strip(), shot["queries"].strip()) for shot in settings.shots]
        self._settings, self._tokenizer = settings, tokenizer
        self._frame = frame(tokenizer, settings.instruction, shots=shots)

    def arrays(self) -> Arrays:
        """Return the tokens `before` a passage and `after` it."""
        return self._frame

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return in training the cross-entropy of the targets; else the ids that were written (B, S, N)."""
        if backbone.training:
            return target_loss(backbone, batch)
        passages, widths = batch["passages"], batch["widths"]
        beginning = read_beginning(backbone, self._frame["before"].tolist(), device=passages.device)
        shape = (len(passages), self._settings.samples, self._settings.max_new_tokens)
        ids = passages.new_zeros(shape)
        for width in sorted(set(widths.tolist())):
            chosen = (widths == width).nonzero().flatten()
            ids[chosen] = self._written(backbone, batch, chosen, width, beginning).view(-1, *shape[1:])
        return Outputs(logits=ids)

    def _written(
        self, backbone: nn.Module, batch: Mapping[str, Tensor], chosen: Tensor, width: int, beginning: Any
    ) -> Tensor:
        """Return (samples of all chosen passages, N): the samples of a passage stand together."""
        rows = chosen.repeat_interleave(self._settings.samples)
        before = torch.from_numpy(self._frame["before"]).to(rows.device).expand(len(rows), -1)
        seeds = self._seeds(batch["keys"][chosen].tolist())
        return written(
            backbone,
            self._tokenizer,
            torch.cat([before, batch["passages"][rows, -width:]], 1),
            torch.cat([torch.ones_like(before), batch["passage_mask"][rows, -width:]], 1),
            limits=self._settings,
            processors=lambda indices: self._processors([seeds[index] for index in indices]),
            beginning=beginning,
        )

    def _seeds(self, keys: Sequence[int]) -> list[int]:
        seed, samples = self._settings.sampling_seed, range(self._settings.samples)
        return [sample_seed(seed, key, sample) for key in keys for sample in samples]

    def _processors(self, seeds: Sequence[int]) -> list[LogitsProcessor]:
        settings = self._settings
        if not settings.temperature:
            return []
        return [Drawn(seeds, temperature=settings.temperature, top_p=settings.top_p)]


def build(settings: QueryWriting, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
    """Return the decoder, its tokenizer and a fresh head."""
    backbone, tokenizer = load_decoder(base)
    module = QueryWriter(settings, tokenizer)
    return backbone, tokenizer, settings.head(FastTokenizer.of(tokenizer), types=types, module=module)
