"""Systems without weights that ask of a passage by its own words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from shared.contracts import Answers, DataAdapter
from shared.errors import ConfigError
from shared.passages import QueryExample, QueryPrediction
from tasks.retrieval.tokens import tokenise


@dataclass(frozen=True)
class FirstWords:
    """Asks by the first words of the passage, as they stand there."""

    name: str
    words: int

    kind: ClassVar[str] = "baseline"

    def __post_init__(self) -> None:
        _check_words(self.words)

    def answer(self, data: DataAdapter, examples: Sequence[QueryExample]) -> Answers:
        """Return an answer for each example, in order."""
        return Answers([_asked(example, example.text.split()[: self.words]) for example in examples])


@dataclass(frozen=True)
class KeyWords:
    """Asks by the passage's words of highest TF-IDF, the highest first.

    A word weighs what it occurs in the passage, times the logarithm of all passages over those that have it;
    of equal words the first one counts.
    """

    name: str
    words: int

    kind: ClassVar[str] = "baseline"

    def __post_init__(self) -> None:
        _check_words(self.words)

    def answer(self, data: DataAdapter, examples: Sequence[QueryExample]) -> Answers:
        """Return an answer for each example, in order; all the passages are those of the examples."""
        counts = [Counter(words) for words in tokenise((example.text for example in examples), stemmer="")]
        spread = Counter(word for count in counts for word in count)
        rarity = {word: math.log(len(examples) / passages) for word, passages in spread.items()}
        return Answers(
            [
                _asked(example, _heaviest(count, rarity)[: self.words])
                for example, count in zip(examples, counts, strict=True)
            ]
        )


def _heaviest(count: Counter[str], rarity: dict[str, float]) -> list[str]:
    return sorted(count, key=lambda word: -count[word] * rarity[word])


def _asked(example: QueryExample, words: Sequence[str]) -> QueryPrediction:
    return QueryPrediction(example.id, (" ".join(words),) if words else ())


def _check_words(words: int) -> None:
    if words < 1:
        raise ConfigError([f"baseline.words={words}; allowed: 1 and more"])
