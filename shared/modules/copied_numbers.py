"""Numbers that are copied, not made up (`shared.copied_numbers`), while a torch model writes.

B rows in a batch, T tokens of a prompt, V words of the vocabulary.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

from shared.copied_numbers import END, allowed_next

_DIGITS = frozenset("0123456789")
LOOKED_BACK = 24  # tokens: longer than any number


class CopiedNumbers(LogitsProcessor):  # type: ignore[misc]  # transformers is untyped
    """Allows in each row its own `numbers` alone, those of its prompt."""

    def __init__(self, tokenizer: Any, numbers: Sequence[frozenset[str]]) -> None:
        self.tokenizer, self.numbers = tokenizer, numbers
        self.pieces, self.others = _tokens(tokenizer)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores (B, V) with -inf where a number would leave those of the prompt."""
        kept = torch.zeros(scores.shape, dtype=torch.bool)  # on the CPU, and moved at once
        for row, ids in enumerate(input_ids[:, -LOOKED_BACK:].tolist()):
            allowed = allowed_next(self.tokenizer.decode(ids), self.numbers[row])
            kept[row, [index for piece, index in self.pieces.items() if piece in allowed]] = True
            if END in allowed:
                kept[row, self.others] = True
        return scores.masked_fill(~kept.to(scores.device), -torch.inf)


@functools.lru_cache(maxsize=1)
def _tokens(tokenizer: Any) -> tuple[dict[str, int], Tensor]:
    """Return the tokens of single digits and of the marks inside a number, and all that have no digit.

    A longer token with digits is in neither: a number is written digit by digit.
    """
    pieces = {}
    for piece in "0123456789.,":
        ids = tokenizer(piece, add_special_tokens=False)["input_ids"]
        if len(ids) == 1:
            pieces[piece] = ids[0]
    words = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    others = {index for index, word in enumerate(words) if not _DIGITS & set(word)}
    return pieces, torch.tensor(sorted(others - set(pieces.values())))
