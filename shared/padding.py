"""Rows of different length as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Ids = np.ndarray[Any, np.dtype[np.int64]]


def padded(rows: Sequence[Sequence[int]], *, fill: int) -> Ids:
    """Return (rows, width of the longest) int64, each row followed by `fill`."""
    found = np.full((len(rows), max(map(len, rows))), fill, dtype=np.int64)
    for row, values in zip(found, rows, strict=True):
        row[: len(values)] = values
    return found


def padded_tokens(rows: Sequence[Sequence[int]], *, fill: int) -> dict[str, Ids]:
    """Return `tokens` and `mask` (B, T): the mask is 1 where a token stands, 0 behind it."""
    tokens = padded(rows, fill=fill)
    lengths = np.array([len(row) for row in rows])
    return {"tokens": tokens, "mask": (np.arange(tokens.shape[1]) < lengths[:, None]).astype(np.int64)}
