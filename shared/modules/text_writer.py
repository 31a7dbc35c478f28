"""What trains of text generation: the language model itself, whose own output layer writes.

B documents in a batch, T tokens of a prompt, N new tokens at most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor, nn

from shared.contracts import Arrays, Base, Head, Outputs, Types
from shared.copied_numbers import numbers_of
from shared.decoder import load_decoder
from shared.fast_tokenizer import FastTokenizer
from shared.heads.settings import TextGeneration
from shared.modules.copied_numbers import CopiedNumbers
from shared.modules.writing import target_loss, written
from shared.writing import frame


class TextWriter(nn.Module):
    """Writes behind prompts, greedily; it has no weights of its own."""

    def __init__(self, settings: TextGeneration, tokenizer: Any) -> None:
        super().__init__()
        told, reviewer = [settings.instruction], settings.reviewer()
        if settings.style_in_prompt and reviewer:
            told.append(reviewer.instruction())
        self._settings, self._tokenizer = settings, tokenizer
        self._frame = frame(tokenizer, " ".join(told))

    def arrays(self) -> Arrays:
        """Return the tokens `before` the sentences and `after` them."""
        return self._frame

    def forward(
        self, backbone: nn.Module, batch: Mapping[str, Tensor], show: Callable[[str], None] | None = None
    ) -> Outputs:
        """Return in training the cross-entropy of the targets; else the generated ids (B, N)."""
        if backbone.training:
            return target_loss(backbone, batch)
        prompts, begun = batch["prompts"], bool(batch["begun"].any())
        ids = written(
            backbone,
            self._tokenizer,
            prompts,
            batch["prompt_mask"],
            limits=self._settings,
            processors=lambda rows: [self._copied(prompts[rows])] if begun else [],
            show=show,
        )
        return Outputs(logits=ids)

    def _copied(self, prompts: Tensor) -> CopiedNumbers:
        texts = self._tokenizer.batch_decode(prompts, skip_special_tokens=True)
        return CopiedNumbers(self._tokenizer, [numbers_of(text) for text in texts])


def build(settings: TextGeneration, base: Base, *, types: Types) -> tuple[nn.Module, Any, Head]:
    """Return the decoder, its tokenizer and a fresh head."""
    backbone, tokenizer = load_decoder(base)
    module = TextWriter(settings, tokenizer)
    return backbone, tokenizer, settings.head(FastTokenizer.of(tokenizer), types=types, module=module)
