"""The score of a pair of texts from one pass of an encoder over both.

It adds three readings: the cosine of the two mean token vectors, the mean over the first text's tokens of
their best cosine among the second's (late interaction, arXiv 2004.12832, over vectors that have seen both),
and a linear output of the first token, which gives 0 before training.

Training tells a query's relevant passages from the others.

T tokens of a row, H hidden size, K passages of a query.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.contracts import Arrays, Base, Head, Outputs, Types
from shared.encoder import load_encoder
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import PairScoring, RankingLoss
from shared.modules.rows import by_length, encoded

COSINE_SCALE = 10.0  # what a cosine counts at the start


class PairScorer(nn.Module):
    """The trained weights of the three readings."""

    inputs = ("tokens", "mask", "query_lengths")

    def __init__(self, size: int, settings: PairScoring) -> None:
        super().__init__()
        self.settings = settings
        self.dropout = nn.Dropout(settings.dropout)
        self.output = nn.Linear(size, 1)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        self.scale = nn.Parameter(torch.ones(2))  # of both cosines, in COSINE_SCALE

    def arrays(self) -> Arrays:
        """Return nothing: decoding reads no weight."""
        return {}

    def forward(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Outputs:
        """Return the scores (rows,), and for choices their loss, the mean over queries."""
        scores = by_length(batch["mask"], partial(self._scores, backbone, batch)).float()
        if "queries" not in batch:
            return Outputs(logits=scores)
        counts = torch.bincount(batch["queries"]).tolist()
        losses = [
            self.loss(found, taught)
            for found, taught in zip(
                torch.split(scores, counts), torch.split(batch["taught"], counts), strict=True
            )
        ]
        return Outputs(logits=scores, loss=torch.stack(losses).mean())

    def logits(self, backbone: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the scores (rows,) by one pass; `query_lengths` (rows,) says where a second text begins."""
        return self.read(encoded(backbone, batch), batch)

    def _scores(self, backbone: Any, batch: Mapping[str, Tensor], rows: list[int], mask: Tensor) -> Tensor:
        chosen = {
            "tokens": batch["tokens"][rows, : mask.shape[1]],
            "mask": mask,
            "query_lengths": batch["query_lengths"][rows],
        }
        return self.read(encoded(backbone, chosen), chosen)

    def read(self, hidden: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the scores (rows,) of the token vectors (rows, T, H)."""
        mask = batch["mask"]
        places = torch.arange(mask.shape[1], device=mask.device)
        of_query = places < batch["query_lengths"].unsqueeze(1)
        of_passage = mask.bool() & ~of_query
        cosine = functional.cosine_similarity(_mean(hidden, of_query), _mean(hidden, of_passage))
        unit = functional.normalize(hidden, dim=2)
        similar = (unit @ unit.transpose(1, 2)).masked_fill(~of_passage.unsqueeze(1), -1.0)
        late = (similar.amax(2) * of_query).sum(1) / of_query.sum(1)
        learnt = self.output(self.dropout(hidden[:, 0])).squeeze(1)
        scores: Tensor = learnt + COSINE_SCALE * (self.scale[0] * cosine + self.scale[1] * late)
        return scores

    def loss(self, scores: Tensor, taught: Tensor) -> Tensor:
        """Return the loss of one query's scores (K,), the relevant passage's first."""
        if self.settings.loss is RankingLoss.listwise:
            loss = -functional.log_softmax(scores, dim=0)[0]
        else:
            loss = functional.softplus(scores[1:] - scores[0]).sum() / max(len(scores) - 1, 1)
        margins = (scores[0] - scores[1:]) - (taught[0] - taught[1:])
        known = ~margins.isnan()
        if not self.settings.teacher or not known.any():
            return loss
        return loss + self.settings.teacher_weight * margins[known].square().mean()


def build(settings: PairScoring, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
    """Return the encoder, its tokenizer and a fresh head."""
    backbone, tokenizer = load_encoder(base)
    module = PairScorer(backbone.config.hidden_size, settings)
    return backbone, tokenizer, settings.head(FastTokenizer.of(tokenizer), types=types, module=module)


def _mean(hidden: Tensor, chosen: Tensor) -> Tensor:
    weights = chosen.unsqueeze(-1)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
