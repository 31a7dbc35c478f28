"""The settings of each head: what its YAML may say, known without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

    from shared.contracts import Base, Head


def _check_window(window_tokens: int, overlap_tokens: int) -> None:
    if not 0 <= overlap_tokens < window_tokens:
        allowed = f"0 up to head.window_tokens={window_tokens} exclusive"
        raise ConfigError([f"head.overlap_tokens={overlap_tokens}; allowed: {allowed}"])


@dataclass(frozen=True)
class TokenClassification:
    """One tag per word by a linear layer over the encoder and a CRF over the sequence of tags."""

    dropout: float
    document_share: float  # of a name's evidence, from all its occurrences in the document; 0 for none
    word_shape: bool  # tell an uncased encoder how each word is written (capitals, digits)
    window_tokens: int  # longest input of the encoder, special tokens excluded
    overlap_tokens: int  # shared by neighbouring windows of a long text

    def __post_init__(self) -> None:
        _check_window(self.window_tokens, self.overlap_tokens)

    def build(self, base: Base, *, types: Mapping[str, str]) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.heads.token_classification import build

        return build(self, base, types=types)


@dataclass(frozen=True)
class SpanExtraction:
    """GLiNER: spans up to `max_width` words are matched with names of entity types (arXiv 2311.08526)."""

    max_width: int  # longest span, in words
    hidden_size: int  # of the span and type representations
    rnn_layers: int  # of the LSTM between encoder and spans; 0 for none
    dropout: float
    threshold: float  # a span is an entity from this probability on; `train` replaces it by validation's best
    window_tokens: int
    overlap_tokens: int

    def __post_init__(self) -> None:
        _check_window(self.window_tokens, self.overlap_tokens)

    def build(self, base: Base, *, types: Mapping[str, str]) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.heads.span_extraction import build

        return build(self, base, types=types)
