"""An engine that writes the answers to prompts one after another, so that none depends on its company."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from shared.contracts import WritingHead
from shared.writing import Wish


class Writer(Protocol):
    """Writes behind a prompt."""

    def write(self, wish: Wish) -> list[int]:
        """Return the token ids that are written, the end included where it came."""


class OneByOne:
    """An engine: a head around a writer; see `shared.contracts.Engine`."""

    streams = 1

    def __init__(self, head: WritingHead, writer: Writer, *, padding: int) -> None:
        self.head = head
        self._writer, self._padding = writer, padding

    def logits(self, features: Sequence[Any]) -> np.ndarray[Any, Any]:
        """Return the ids that are written (B, S, N), S for each prompt, padded behind their end."""
        wishes = self.head.wishes(features)
        longest = max(wish.limit for asked in wishes for wish in asked)
        shape = (len(wishes), len(wishes[0]), longest)
        ids = np.full(shape, self._padding, dtype=np.int64)
        for row, asked in enumerate(wishes):
            for sample, wish in enumerate(asked):
                found = self._writer.write(wish)
                ids[row, sample, : len(found)] = found
        return ids

    def logits_of(self, batches: Sequence[Sequence[Any]]) -> Iterable[np.ndarray[Any, Any]]:
        """Return the ids of several batches, in order, as they are written."""
        return map(self.logits, batches)
