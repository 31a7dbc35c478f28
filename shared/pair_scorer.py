"""The score of a pair of texts from one pass of an encoder over both.

It adds three readings: the cosine of the two mean token vectors, the mean over the first text's tokens of
their best cosine among the second's (late interaction, arXiv 2004.12832, over vectors that have seen both),
and a linear output of the first token, which gives 0 before training.

T tokens of a row, H hidden size.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.text_pieces import by_length

COSINE_SCALE = 10.0  # what a cosine counts at the start


class PairScorer(nn.Module):
    """The trained weights of the three readings."""

    def __init__(self, size: int, *, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(size, 1)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        self.scale = nn.Parameter(torch.ones(2))  # of both cosines, in COSINE_SCALE

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return (rows,) scores; `query_lengths` (rows,) says where the second text of a row begins."""
        return by_length(batch["mask"], partial(self._scores, backbone, batch))

    def _scores(self, backbone: Any, batch: Mapping[str, Tensor], rows: list[int], mask: Tensor) -> Tensor:
        width = mask.shape[1]
        hidden = backbone(input_ids=batch["tokens"][rows, :width], attention_mask=mask).last_hidden_state
        places = torch.arange(width, device=mask.device)
        of_query = places < batch["query_lengths"][rows].unsqueeze(1)
        of_passage = mask.bool() & ~of_query
        cosine = functional.cosine_similarity(_mean(hidden, of_query), _mean(hidden, of_passage))
        unit = functional.normalize(hidden, dim=2)
        similar = (unit @ unit.transpose(1, 2)).masked_fill(~of_passage.unsqueeze(1), -1.0)
        late = (similar.amax(2) * of_query).sum(1) / of_query.sum(1)
        learnt = self.output(self.dropout(hidden[:, 0])).squeeze(1)
        scores: Tensor = learnt + COSINE_SCALE * (self.scale[0] * cosine + self.scale[1] * late)
        return scores


def _mean(hidden: Tensor, chosen: Tensor) -> Tensor:
    weights = chosen.unsqueeze(-1)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
