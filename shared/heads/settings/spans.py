"""The settings of heads that find spans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.heads.settings.limits import check_window

if TYPE_CHECKING:
    from torch import nn

    from shared.contracts import Base, Head, Types
    from shared.fast_tokenizer import FastTokenizer


@dataclass(frozen=True)
class TokenClassification:
    """One tag per word by a linear layer over the encoder and a CRF over the sequence of tags."""

    dropout: float
    document_share: float  # of a name's evidence, from all its occurrences in the document; 0 for none
    word_shape: bool  # tell an uncased encoder how each word is written (capitals, digits)
    window_tokens: int  # longest input of the encoder, special tokens excluded
    overlap_tokens: int  # shared by neighbouring windows of a long text
    # with word_shape: into the encoder as well, not only beside its output. Older bundles' settings lack it.
    word_shape_in: bool = True

    def __post_init__(self) -> None:
        check_window(self.window_tokens, self.overlap_tokens)

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.word_tagger import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around its weights; see `ExportableSettings.head`."""
        from shared.heads.token_classification import TokenClassificationHead

        return TokenClassificationHead(self, types=types, tokenizer=tokenizer, module=module)


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
        check_window(self.window_tokens, self.overlap_tokens)

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.span_scorer import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around its weights; see `ExportableSettings.head`."""
        from shared.heads.span_extraction import SpanExtractionHead

        return SpanExtractionHead(self, types=types, tokenizer=tokenizer, module=module)
