"""The settings of heads that order passages for a query."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from shared.errors import ConfigError
from shared.heads.settings.limits import check_positive, check_window

if TYPE_CHECKING:
    from torch import nn

    from shared.contracts import Base, Head, Types
    from shared.fast_tokenizer import FastTokenizer


class RankingLoss(Enum):
    """What a pair scorer learns: to choose among a query's passages, or pairs of a positive and another."""

    listwise = "listwise"
    pairwise = "pairwise"


@dataclass(frozen=True)
class Ordering:
    """How scores become an answer: weights that validation chooses from, and the threshold of 'nothing'."""

    first_weights: list[float]  # of the first stage's score beside the head's; [0] leaves it aside
    document_weights: list[float]  # of the best score in a passage's document; [0] leaves it aside
    sent_away: float  # share of validation's queries that may get 'nothing' though a candidate is relevant
    answers: int  # passages of an answer

    def __post_init__(self) -> None:
        check_positive(self, "answers")
        if not self.first_weights or not self.document_weights:
            raise ConfigError(["head.order: first_weights and document_weights need one weight or more"])
        if not 0 <= self.sent_away < 1:
            raise ConfigError([f"head.order.sent_away={self.sent_away}; allowed: 0 up to 1 exclusive"])


@dataclass(frozen=True)
class PairScoring:
    """How well a passage answers a query, both read together; see the head's file."""

    depth: int  # passages of a query that are scored, the first stage's best; the rest keep their order
    loss: RankingLoss
    negatives: int  # of a query beside one relevant passage, drawn anew for each batch
    teacher: str  # the bundle of a larger scorer to learn from, or ''
    teacher_weight: float  # of its margins (arXiv 2010.02666) beside the loss of the labels
    dropout: float
    query_tokens: int  # what is longer is cut, and counted
    window_tokens: int  # of a passage; its best window counts
    overlap_tokens: int
    order: Ordering

    def __post_init__(self) -> None:
        check_window(self.window_tokens, self.overlap_tokens)
        check_positive(self, "depth", "negatives", "query_tokens")

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.pair_scorer import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around its weights; see `ExportableSettings.head`."""
        from shared.heads.pair_scoring import PairScoringHead

        return PairScoringHead(self, types=types, tokenizer=tokenizer, module=module)


@dataclass(frozen=True)
class DualEncoding:
    """How near a passage is to a query, each read alone; see the head's file."""

    scale: float  # of the cosine in the loss, the inverse of its temperature
    negatives: int  # hard ones of a query, drawn anew for each batch, beside those of the whole batch
    depth: int  # of the first stage's best passages that negatives are drawn from
    query_tokens: int  # what is longer is cut, and counted
    window_tokens: int  # of a passage; its best window counts
    overlap_tokens: int
    order: Ordering

    def __post_init__(self) -> None:
        check_window(self.window_tokens, self.overlap_tokens)
        check_positive(self, "depth", "query_tokens")

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.text_embedder import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around its weights; see `ExportableSettings.head`."""
        from shared.heads.dual_encoding import DualEncodingHead

        return DualEncodingHead(self, types=types, tokenizer=tokenizer, module=module)
