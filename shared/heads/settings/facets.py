"""The settings of the head that gives a text concepts of an ontology."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from shared.errors import ConfigError
from shared.heads.settings.limits import check_window

if TYPE_CHECKING:
    from torch import nn

    from shared.contracts import Base, Head, Types
    from shared.fast_tokenizer import FastTokenizer


DETECTORS = ("max_softmax", "energy", "mahalanobis")


class Classifier(Enum):
    """How a concept's vector meets the text's embedding: by its cosine times `scale`, or by a dot product."""

    cosine = "cosine"
    linear = "linear"


@dataclass(frozen=True)
class SequenceClassification:
    """The concepts of an ontology by one encoder pass, all facets at once; see the head's file."""

    classifier: Classifier
    scale: float  # of the cosine
    name_start: bool  # a concept's vector begins as the embedding of its label and definition
    dropout: float
    label_smoothing: float
    balance: float  # weight of a concept: (mean count / its count) to this power; 0 for equal weights
    # how much less often a common concept is chosen, 0 to 1; see `facet_decoding.prior_shift`
    prior_shift: float
    outliers: float  # weight of training texts out of scope, which are drawn to no concept; 0 leaves them out
    number_weight: float  # of the squared error of facets that are numbers
    detectors: list[str]  # of texts out of scope, from which validation chooses
    sent_away: float  # share of validation's texts in scope that may be taken for out of scope
    explained_by: int  # training examples shown beside an answer, where explanation is asked for
    first_tokens: int  # of the text, where a second text stands behind it
    window_tokens: int
    overlap_tokens: int

    def __post_init__(self) -> None:
        check_window(self.window_tokens, self.overlap_tokens)
        wrong = [name for name in self.detectors if name not in DETECTORS]
        if wrong or not self.detectors:
            raise ConfigError([f"head.detectors={list(self.detectors)}; allowed: {', '.join(DETECTORS)}"])
        if not 0 <= self.sent_away < 1:
            raise ConfigError([f"head.sent_away={self.sent_away}; allowed: 0 up to 1 exclusive"])
        if not 0 < self.first_tokens < self.window_tokens - 1:  # a mark and a token of the second text follow
            allowed = f"1 to {self.window_tokens - 2}, 2 less than head.window_tokens"
            raise ConfigError([f"head.first_tokens={self.first_tokens}; allowed: {allowed}"])

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.facet_scorer import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around its weights; see `ExportableSettings.head`."""
        from shared.heads.sequence_classification import SequenceClassificationHead

        return SequenceClassificationHead(self, types=types, tokenizer=tokenizer, module=module)
