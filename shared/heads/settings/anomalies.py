"""The settings of the head that says how odd a text is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.errors import ConfigError
from shared.heads.settings.limits import check_window

if TYPE_CHECKING:
    from torch import nn

    from shared.contracts import Base, Head, Types
    from shared.fast_tokenizer import FastTokenizer


# The parts of an anomaly score; the last one is trained.
PARTS = ("neighbours", "mahalanobis", "surface", "likeness", "probe", "logit")


@dataclass(frozen=True)
class EmbeddingDensity:
    """How odd a text is among normal ones, by its embedding and its writing; see the head's file."""

    weights: dict[str, float]  # of the score's parts, each in standard deviations of held-out normal texts
    scale: float  # of the embedding, of length 1, before the trained output
    false_alarms: float  # the share of normal texts that may raise an alarm
    max_neighbours: int  # normal texts kept in the bundle to compare with
    explained_by: int  # normal texts shown beside an alarm
    max_parts: int  # of a text that are left out one at a time to explain an alarm
    window_tokens: int
    overlap_tokens: int

    def __post_init__(self) -> None:
        check_window(self.window_tokens, self.overlap_tokens)
        if {*self.weights, "probe"} != set(PARTS):  # which those of older bundles lack
            raise ConfigError([f"head.weights names {sorted(self.weights)}; needed: {', '.join(PARTS)}"])
        if not 0 < self.false_alarms < 1:
            raise ConfigError([f"head.false_alarms={self.false_alarms}; allowed: above 0, below 1"])

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.anomaly_scorer import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around its weights; see `ExportableSettings.head`."""
        from shared.heads.embedding_density import EmbeddingDensityHead

        return EmbeddingDensityHead(self, types=types, tokenizer=tokenizer, module=module)
