"""What a sentence of a document is worth to its summary: the targets of a trained selector."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[a-z]+|\d[\d.,]*\d|\d")
_FUNCTION_WORDS = frozenset(
    "a|an|and|are|as|at|be|by|for|from|has|have|in|is|it|its|of|on|or|our|that|the|this|to|was|we|were|with".split(
        "|"
    )
)


def sentence_targets(sentences: Sequence[str], bullets: Sequence[str]) -> list[float]:
    """Return for each sentence how much of a bullet it tells, 0 to 1: the square of its best coverage.

    The coverage of a bullet is the mean of the shares of its numbers and of its words that the sentence has.
    The square draws full matches away from chance ones.
    """
    wanted = [_parts(bullet) for bullet in bullets]
    return [max((_coverage(_parts(text), parts) for parts in wanted), default=0.0) ** 2 for text in sentences]


def has_figure(sentence: str) -> bool:
    """Return whether a digit stands in the sentence."""
    return any(character.isdigit() for character in sentence)


def _parts(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the numbers and the words of a text."""
    found = _WORD.findall(text.lower())
    numbers = frozenset(part.replace(",", "") for part in found if part[0].isdigit())
    return numbers, frozenset(part for part in found if part[0].isalpha()) - _FUNCTION_WORDS


def _coverage(
    sentence: tuple[frozenset[str], frozenset[str]], bullet: tuple[frozenset[str], frozenset[str]]
) -> float:
    shares = [len(have & want) / len(want) for have, want in zip(sentence, bullet, strict=True) if want]
    return sum(shares) / len(shares) if shares else 0.0
