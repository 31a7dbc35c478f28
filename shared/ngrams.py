"""Words as ROUGE counts them, and their n-grams."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[a-z0-9]+")


def words(text: str) -> list[str]:
    """Return the runs of letters and digits, in lower case; '2.5' is two of them, as for rouge-score."""
    return _WORD.findall(text.lower())


def ngrams(words: Sequence[str], length: int) -> list[tuple[str, ...]]:
    """Return the runs of `length` words, in order; none where there are fewer."""
    return list(zip(*(words[start:] for start in range(length)), strict=False))
