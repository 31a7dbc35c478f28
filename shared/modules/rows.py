"""One pass of an encoder over rows of tokens of all lengths, and what a training batch draws of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from shared.batches import length_batches

ROW_TOKENS = 4096  # padded tokens of the rows that are read in one pass

Item = TypeVar("Item")


def draw(items: Mapping[str, Item], count: int) -> dict[str, Item]:
    """Return up to `count` of the items, drawn by torch's generator, which checkpoints restore."""
    names = list(items)
    return {names[place]: items[names[place]] for place in torch.randperm(len(names))[:count].tolist()}


def by_length(mask: Tensor, read: Callable[[list[int], Tensor], Tensor]) -> Tensor:
    """Return what `read` makes of all rows, in order; it is given rows of similar length at a time.

    `read(rows, mask)` gets the mask (rows, T) as wide as the longest of its rows: short ones are not padded
    to the length of others.
    """
    groups = length_batches(mask.sum(1).tolist(), budget=ROW_TOKENS)
    found = [read(rows, mask[rows, : int(mask[rows].sum(1).max())]) for rows in groups]
    back = torch.tensor([row for rows in groups for row in rows]).argsort()
    return torch.cat(found)[back.to(mask.device)]


def encoded(backbone: Any, batch: Mapping[str, Tensor]) -> Tensor:
    """Return the token vectors (rows, T, H) of a batch's tokens and mask."""
    hidden: Tensor = backbone(input_ids=batch["tokens"], attention_mask=batch["mask"]).last_hidden_state
    return hidden


def mean_token(hidden: Tensor, mask: Tensor) -> Tensor:
    """Return (rows, H): the mean of the token vectors (rows, T, H) where the mask (rows, T) is 1."""
    weights = mask.unsqueeze(-1)
    mean: Tensor = (hidden * weights).sum(1) / weights.sum(1)
    return mean


def embed_rows(backbone: Any, tokens: Tensor, mask: Tensor) -> Tensor:
    """Return the mean token vector of each row, of length 1: (rows, H)."""

    def mean(rows: list[int], kept: Tensor) -> Tensor:
        hidden = backbone(input_ids=tokens[rows, : kept.shape[1]], attention_mask=kept).last_hidden_state
        return mean_token(hidden, kept)

    return functional.normalize(by_length(mask, mean), dim=1)
