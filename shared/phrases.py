"""Phrases that come again, which tell cheaply how a text probably goes on.

A house's texts repeat its own phrases, and a summary those of its document. The phrases of a prompt guess as
in prompt lookup decoding (Saxena, 2023), those of stored texts as in REST (He et al., NAACL 2024). A phrase
is kept where several texts have it, so that none of them can be read from what is kept.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

LONGEST = 4  # tokens of a phrase, without the one that follows
LEAST = 2  # texts that have a phrase and what follows it
START, NONE = -1, -2  # in place of a token: a text's beginning, and what fills up a shorter phrase


class Next(NamedTuple):
    """The token that follows a phrase most often, and how often of all times."""

    share: float
    token: int


@dataclass(frozen=True)
class Phrases:
    """What most often follows each phrase of at most `LONGEST` tokens."""

    following: Mapping[tuple[int, ...], Next]

    @classmethod
    def of(cls, texts: Iterable[Sequence[int]]) -> Phrases:
        """Return the phrases that at least `LEAST` of the texts go on from in the same way."""
        counts: defaultdict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for text in texts:
            for phrase, token in set(_pairs([START, *text], begin=1)):
                counts[phrase][token] += 1
        return cls(
            {
                phrase: _most(tokens)
                for phrase, tokens in sorted(counts.items())
                if max(tokens.values()) >= LEAST
            }
        )

    def save(self, path: Path) -> None:
        """Write the phrases, each filled up in front, with what follows them."""
        filled = [[NONE] * (LONGEST - len(phrase)) + list(phrase) for phrase in self.following]
        np.savez_compressed(
            path,
            phrases=np.array(filled, dtype=np.int32).reshape(-1, LONGEST),
            tokens=np.array([found.token for found in self.following.values()], dtype=np.int32),
            shares=np.array([found.share for found in self.following.values()], dtype=np.float64),
        )

    @classmethod
    def load(cls, path: Path) -> Phrases:
        """Return what `save` wrote."""
        with np.load(path) as stored:
            rows = stored["phrases"].tolist()
            found = map(Next, stored["shares"].tolist(), stored["tokens"].tolist())
        phrases = (tuple(token for token in row if token != NONE) for row in rows)
        return cls(dict(zip(phrases, found, strict=True)))


class Guesser:
    """Guesses how one text goes on: by stored phrases, by those of its prompt, and by its own so far."""

    def __init__(self, stored: Phrases, prompt: Sequence[int]) -> None:
        self._stored = stored.following
        self._seen: defaultdict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        self._text = [START]
        self._count(prompt, begin=1)

    def add(self, tokens: Sequence[int]) -> None:
        """Take the tokens that were written."""
        begin = len(self._text)
        self._text += tokens
        self._count(self._text, begin=begin)

    def guess(self, most: int) -> list[int]:
        """Return up to so many tokens that may come next, each by the longest phrase that it follows."""
        text = self._text[-LONGEST:]
        guessed: list[int] = []
        while len(guessed) < most and (found := self._next(text[-LONGEST:])):
            guessed.append(found.token)
            text.append(found.token)
        return guessed

    def _next(self, text: Sequence[int]) -> Next | None:
        """Return what follows the longest known end of the text; of two such, the one followed more often."""
        for first in range(len(text)):
            phrase = tuple(text[first:])
            found = [_most(self._seen[phrase])] if phrase in self._seen else []
            if phrase in self._stored:
                found.append(self._stored[phrase])
            if found:
                return max(found, key=lambda one: one.share)
        return None

    def _count(self, tokens: Sequence[int], *, begin: int) -> None:
        for phrase, token in _pairs(tokens, begin=begin):
            self._seen[phrase][token] += 1


def _pairs(tokens: Sequence[int], *, begin: int) -> Iterable[tuple[tuple[int, ...], int]]:
    """Yield each phrase before a place from `begin` on, with the token there."""
    for place in range(begin, len(tokens)):
        for length in range(1, min(LONGEST, place) + 1):
            yield tuple(tokens[place - length : place]), tokens[place]


def _most(tokens: Counter[int]) -> Next:
    """Return the most frequent token, of several the first in order."""
    token = min(tokens, key=lambda one: (-tokens[one], one))
    return Next(tokens[token] / tokens.total(), token)
