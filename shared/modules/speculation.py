"""Speculative decoding by a torch decoder: a pass over the weights checks several guessed tokens at once.

A pass reads all weights, for one token or for several. Guesses that are what the decoder itself would have
written are kept (Leviathan et al., ICML 2023), so the text is that of writing token by token, but for
rounding. What guesses is `shared.phrases`.

T tokens, G guesses, V words of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, LogitsProcessor

from shared.modules.copied_numbers import CopiedNumbers
from shared.modules.writing import Drawn, Shown
from shared.phrases import Guesser, Phrases
from shared.writing import Wish

GUESSED = 7  # tokens of a pass at most, behind those that are certain


class SpeculativeWriter:
    """Writes behind one prompt at a time; see `shared.one_by_one.Writer`."""

    def __init__(self, backbone: Any, tokenizer: Any, phrases: Phrases) -> None:
        self._backbone, self._tokenizer, self._phrases = backbone, tokenizer, phrases
        self._end: int = tokenizer.eos_token_id

    @torch.inference_mode()
    def write(self, wish: Wish) -> list[int]:
        """Return the token ids that are written, the end included where it came."""
        guesser, processors = Guesser(self._phrases, wish.tokens), self._processors(wish)
        shown = Shown(self._tokenizer, wish.show) if wish.show else None
        if shown:
            shown.put(torch.tensor([wish.tokens]))
        written: list[int] = []
        cache, unread = DynamicCache(), wish.tokens
        while len(written) < wish.limit and written[-1:] != [self._end]:
            guessed = guesser.guess(min(GUESSED, wish.limit - len(written) - 1))
            logits = self._read([*unread, *guessed], cache, kept=len(guessed) + 1)
            new = self._confirmed(logits, guessed, [*wish.tokens, *written], processors)
            written += new
            unread = new[-1:]
            cache.crop(len(wish.tokens) + len(written) - 1)  # what was guessed wrongly is forgotten
            guesser.add(new)
            if shown:
                for token in new:
                    shown.put(torch.tensor([token]))
        if shown:
            shown.end()
        return written

    def _read(self, tokens: Sequence[int], cache: DynamicCache, *, kept: int) -> Tensor:
        """Return the logits (`kept`, V) behind the last tokens; the cache grows by all of them."""
        ids = torch.tensor([tokens], device=self._backbone.device)
        found: Tensor = self._backbone(
            input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=kept
        ).logits[0]
        return found

    def _confirmed(
        self, logits: Tensor, guessed: Sequence[int], before: list[int], processors: Sequence[LogitsProcessor]
    ) -> list[int]:
        """Return the guesses up to the first that the decoder would not write, and what it writes there.

        `logits` are (G + 1, V), `before` all tokens in front of them.
        """
        new: list[int] = []
        for row, guess in zip(logits, [*guessed, None], strict=True):
            scores = row[None]
            for processor in processors:
                scores = processor(torch.tensor([[*before, *new]]), scores)
            new.append(int(scores.argmax()))
            if new[-1] != guess or new[-1] == self._end:
                break
        return new

    def _processors(self, wish: Wish) -> list[LogitsProcessor]:
        """Return what changes the scores of a place; each is asked once a place, in order."""
        found: list[LogitsProcessor] = []
        if wish.numbers is not None:
            found.append(CopiedNumbers(self._tokenizer, [wish.numbers]))
        if wish.temperature:
            found.append(Drawn([wish.seed], temperature=wish.temperature, top_p=wish.top_p))
        return found
