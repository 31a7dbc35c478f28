"""The settings of heads that make summaries: one chooses sentences, one writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.heads.settings.limits import check_positive
from shared.typed_config import build as build_node

if TYPE_CHECKING:
    from torch import nn

    from shared.contracts import Base, Head, Reviewer, Types
    from shared.fast_tokenizer import FastTokenizer


PLACES = 16  # parts of a document that a sentence can stand in


@dataclass(frozen=True)
class SentenceSelection:
    """How much of a summary each sentence of a document tells; see the head's file."""

    sentences: int  # chosen of each document
    figures_only: bool  # of a document with figures, look at the sentences that have one
    negatives: int  # sentences of a training document that tell nothing, drawn to train beside those that do
    dropout: float
    max_tokens: int  # of a sentence; what is longer is cut

    def __post_init__(self) -> None:
        check_positive(self, "sentences", "negatives", "max_tokens")

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return encoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.sentence_scorer import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around its weights; see `ExportableSettings.head`."""
        from shared.heads.sentence_selection import SentenceSelectionHead

        return SentenceSelectionHead(self, types=types, tokenizer=tokenizer, module=module)


@dataclass(frozen=True)
class TextGeneration:
    """A summary written by a decoder from a document's chosen sentences; see the head's file."""

    selector: str  # the bundle of a trained `sentence_selection`; '' takes the sentences as they come
    sentences: int  # read at most, the best ones
    prompt_tokens: int  # of the sentences
    max_new_tokens: int
    batch_rows: int  # documents that are written together, always so many; on a GPU four times
    instruction: str  # what the base is told in front of the sentences
    style_in_prompt: bool  # tell it the checker's house style too
    check: Any  # a `_target_` node of a `Reviewer`, or null

    def __post_init__(self) -> None:
        check_positive(self, "sentences", "prompt_tokens", "max_new_tokens", "batch_rows")
        self.reviewer()

    def reviewer(self) -> Reviewer | None:
        """Return who checks what was written, if anybody; raises `ConfigError` for a wrong setting of it."""
        return build_node(self.check, path="head.check") if self.check else None

    def build(self, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
        """Return decoder, tokenizer and head; see `HeadSettings.build`."""
        from shared.modules.text_writer import build

        return build(self, base, types=types)

    def head(self, tokenizer: FastTokenizer, *, types: Types, module: Any) -> Head:
        """Return the head around what writes; see `ExportableSettings.head`."""
        from shared.heads.text_generation import TextGenerationHead

        return TextGenerationHead(self, types=types, tokenizer=tokenizer, module=module)
