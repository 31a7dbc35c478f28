"""What a sentence of a document is worth to its summary: the targets of a trained selector."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W\d_]+|\d[\d.,]*\d|\d")
_FUNCTION_WORDS = (
    "a an and are as at be by for from has have in is it its of on or our that the this to was we were with"
)
_FUNCTION = frozenset(_FUNCTION_WORDS.split())

Parts = tuple[frozenset[str], frozenset[str]]  # the numbers and the words of a text


def sentence_targets(sentences: Sequence[str], bullets: Sequence[str]) -> list[float]:
    """Return for each sentence how much of a bullet it tells, 0 to 1: the square of its best coverage.

    The coverage of a bullet is the mean of the shares of its numbers and of its words that the sentence has;
    of a bullet without numbers it is that of its words. The square draws full matches away from chance ones.
    Without bullets all are 0.
    """
    wanted = [_parts(bullet) for bullet in bullets]
    return [_best(_parts(text), wanted) ** 2 for text in sentences]


def has_figure(sentence: str) -> bool:
    """Return whether a digit stands in the sentence."""
    return any(character.isdigit() for character in sentence)


def _best(sentence: Parts, wanted: Sequence[Parts]) -> float:
    return max((_coverage(sentence, bullet) for bullet in wanted), default=0.0)


def _parts(text: str) -> Parts:
    found = _WORD.findall(text.lower())
    numbers = frozenset(part.replace(",", "") for part in found if part[0].isdigit())
    return numbers, frozenset(part for part in found if not part[0].isdigit()) - _FUNCTION


def _coverage(sentence: Parts, bullet: Parts) -> float:
    shares = [len(have & want) / len(want) for have, want in zip(sentence, bullet, strict=True) if want]
    return sum(shares) / len(shares) if shares else 0.0
