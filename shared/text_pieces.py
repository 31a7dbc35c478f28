"""Queries and passages as rows of tokens: windows of a long passage, padded rows, one pass over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from shared.batches import length_batches
from shared.windows import cut_windows

ROW_TOKENS = 4096  # padded tokens of the rows that are read in one pass

Item = TypeVar("Item")


class Limits(Protocol):
    """How long the rows may be, special tokens excluded."""

    @property
    def query_tokens(self) -> int:
        """Tokens of a query; what is longer is cut."""

    @property
    def window_tokens(self) -> int:
        """Tokens of a window of a passage."""

    @property
    def overlap_tokens(self) -> int:
        """Tokens that neighbouring windows share."""


class Pieces:
    """Tokens of queries and passages; each text is tokenised once."""

    def __init__(self, tokenizer: Any, limits: Limits) -> None:
        self.tokenizer, self.limits = tokenizer, limits
        self._passages: dict[tuple[str, str], list[list[int]]] = {}

    def query(self, text: str) -> tuple[list[int], int]:
        """Return the query's tokens, special ones around them, and how many were cut."""
        tokens, limit = self._tokens(text), self.limits.query_tokens
        return self._around(tokens[:limit]), max(0, len(tokens) - limit)

    def passage(self, text: str, *, title: str = "") -> list[list[int]]:
        """Return the windows of the passage, in order, special tokens around each; at least one.

        Each begins with the title, of which at most half a window is taken.
        """
        if (title, text) not in self._passages:
            limit, tokens = self.limits.window_tokens, self._tokens(text)
            head = self._tokens(title)[: limit // 2] if title else []
            room = limit - len(head)
            overlap = min(self.limits.overlap_tokens, room // 2) if head else self.limits.overlap_tokens
            ranges = cut_windows([1] * len(tokens), limit=room, overlap=overlap)
            windows = [tokens[start:end] for start, end in ranges] or [[]]
            self._passages[title, text] = [self._around([*head, *window]) for window in windows]
        return self._passages[title, text]

    def pair(self, query: Sequence[int], window: Sequence[int]) -> list[int]:
        """Return both as one row, with a separator between."""
        return [*query, *window[1:]]

    def _around(self, tokens: Sequence[int]) -> list[int]:
        return [self.tokenizer.cls_token_id, *tokens, self.tokenizer.sep_token_id]

    def _tokens(self, text: str) -> list[int]:
        found: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return found


def draw(items: Mapping[str, Item], count: int) -> dict[str, Item]:
    """Return up to `count` of the items, drawn by torch's generator, which checkpoints restore."""
    names = list(items)
    return {names[place]: items[names[place]] for place in torch.randperm(len(names))[:count].tolist()}


def padded(rows: Sequence[Sequence[int]], *, fill: int) -> dict[str, Tensor]:
    """Return tokens and mask (rows, T), padded behind."""
    width = max(len(row) for row in rows)
    return {
        "tokens": torch.tensor([[*row, *[fill] * (width - len(row))] for row in rows]),
        "mask": torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows]),
    }


def by_length(mask: Tensor, read: Callable[[list[int], Tensor], Tensor]) -> Tensor:
    """Return what `read` makes of all rows, in order; it is given rows of similar length at a time.

    `read(rows, mask)` gets the mask (rows, T) as wide as the longest of its rows: short ones are not padded
    to the length of others.
    """
    groups = length_batches(mask.sum(1).tolist(), budget=ROW_TOKENS)
    found = [read(rows, mask[rows, : int(mask[rows].sum(1).max())]) for rows in groups]
    back = torch.tensor([row for rows in groups for row in rows]).argsort()
    return torch.cat(found)[back.to(mask.device)]


def embed_rows(backbone: Any, tokens: Tensor, mask: Tensor) -> Tensor:
    """Return the mean token vector of each row, of length 1: (rows, H)."""

    def mean(rows: list[int], kept: Tensor) -> Tensor:
        hidden = backbone(input_ids=tokens[rows, : kept.shape[1]], attention_mask=kept).last_hidden_state
        weights = kept.unsqueeze(-1)
        found: Tensor = (hidden * weights).sum(1) / weights.sum(1)
        return found

    return functional.normalize(by_length(mask, mean), dim=1)
