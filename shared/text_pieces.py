"""Queries and passages as rows of tokens: windows of a long passage, and a pair as one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.fast_tokenizer import FastTokenizer
from shared.windows import cut_windows


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

    def __init__(self, tokenizer: FastTokenizer, limits: Limits) -> None:
        self.tokenizer, self.limits = tokenizer, limits
        self._passages: dict[tuple[str, str], list[list[int]]] = {}

    def query(self, text: str) -> tuple[list[int], int]:
        """Return the query's tokens, special ones around them, and how many were cut."""
        tokens, limit = self.tokenizer.encode(text), self.limits.query_tokens
        return self._around(tokens[:limit]), max(0, len(tokens) - limit)

    def passage(self, text: str, *, title: str = "") -> list[list[int]]:
        """Return the windows of the passage, in order, special tokens around each; at least one.

        Each begins with the title, of which at most half a window is taken.
        """
        if (title, text) not in self._passages:
            limit, tokens = self.limits.window_tokens, self.tokenizer.encode(text)
            head = self.tokenizer.encode(title)[: limit // 2] if title else []
            room = limit - len(head)
            overlap = min(self.limits.overlap_tokens, room // 2) if head else self.limits.overlap_tokens
            ranges = cut_windows([1] * len(tokens), limit=room, overlap=overlap)
            windows = [tokens[start:end] for start, end in ranges] or [[]]
            self._passages[title, text] = [self._around([*head, *window]) for window in windows]
        return self._passages[title, text]

    def taught(self, query: Sequence[int], text: str, *, title: str = "") -> list[int]:
        """Return the window that has the most different tokens of the query; of several, the first."""
        asked = set(query)
        return max(self.passage(text, title=title), key=lambda window: len(asked.intersection(window)))

    def pair(self, query: Sequence[int], window: Sequence[int]) -> list[int]:
        """Return both as one row, with a separator between."""
        return [*query, *window[1:]]

    def _around(self, tokens: Sequence[int]) -> list[int]:
        return [self.tokenizer.cls_token_id, *tokens, self.tokenizer.sep_token_id]
