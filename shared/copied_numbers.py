"""Numbers that are copied, not made up: a constraint on greedy decoding.

While a number is being written, only tokens may follow that keep it the beginning of a number in the prompt;
it may end only where such a number ends. The digit of a quarter (q1 to q4) is free.

B rows in a batch, T tokens of a prompt, V words of the vocabulary.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

_DIGITS = frozenset("0123456789")
_NUMBER = re.compile(r"[0-9][0-9,]*(?:\.[0-9]+)?")
_BEGUN = re.compile(r"[0-9][0-9,]*(?:\.[0-9]*)?")  # a number as far as it is written
_QUARTER = re.compile(r"\bq$", re.IGNORECASE)
_QUARTER_DIGIT = re.compile(r"\bq[1-4][.,]*$", re.IGNORECASE)
LOOKED_BACK = 24  # tokens: longer than any number
END = ""


class CopiedNumbers(LogitsProcessor):  # type: ignore[misc]  # transformers is untyped
    """Allows in each row the numbers of its own prompt alone; `prompts` (B, T) are token ids."""

    def __init__(self, tokenizer: Any, prompts: Tensor) -> None:
        self.tokenizer = tokenizer
        texts = tokenizer.batch_decode(prompts, skip_special_tokens=True)
        self.numbers = [numbers_of(text) for text in texts]
        self.pieces, self.others = _tokens(tokenizer)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores (B, V) with -inf where a number would leave those of the prompt."""
        for row, ids in enumerate(input_ids[:, -LOOKED_BACK:].tolist()):
            allowed = allowed_next(self.tokenizer.decode(ids), self.numbers[row])
            kept = torch.zeros_like(scores[row], dtype=torch.bool)
            kept[[index for piece, index in self.pieces.items() if piece in allowed]] = True
            if END in allowed:
                kept[self.others] = True
            scores[row] = scores[row].masked_fill(~kept, -torch.inf)
        return scores


def numbers_of(text: str) -> frozenset[str]:
    """Return the numbers in a text as written, and without their thousands separators."""
    found = {number.rstrip(",") for number in _NUMBER.findall(text)}
    return frozenset(found | {number.replace(",", "") for number in found})


def allowed_next(before: str, numbers: frozenset[str]) -> frozenset[str]:
    """Return which characters of a number may follow the text; `END`: anything but a digit may too."""
    if _QUARTER.search(before):
        return frozenset("1234") | {END}
    if _QUARTER_DIGIT.search(before):
        return frozenset(".,") | {END}
    written = _written(before)
    follow = {number[len(written)] for number in numbers if number.startswith(written) and number != written}
    if not written or written.rstrip(".,") in numbers:
        follow |= {END, ".", ","}
    return frozenset(follow)


def _written(before: str) -> str:
    """Return the number that the text breaks off in, '' where it ends behind one or without any."""
    *_, last = ["", *(match[0] for match in _BEGUN.finditer(before) if match.end() == len(before))]
    return last


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
