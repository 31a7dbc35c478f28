"""Systems without weights that ask of a passage by its own words, which they quote."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from shared.contracts import Answers, DataAdapter
from shared.errors import ConfigError
from shared.passages import QueryExample, QueryPrediction, Quotation

Places = dict[str, tuple[int, int]]  # a passage's different words in order, and where each first stands

_WORD = re.compile(r"[A-Za-z0-9]+")  # as BM25 counts words


@dataclass(frozen=True)
class FirstWords:
    """Asks by the first words of the passage, then by those behind them; white space parts words."""

    name: str
    words: int  # of a query
    queries: int  # of a passage, at most

    kind: ClassVar[str] = "baseline"

    def __post_init__(self) -> None:
        _check(words=self.words, queries=self.queries)

    def answer(self, data: DataAdapter, examples: Sequence[QueryExample]) -> Answers:
        """Return an answer for each example, in order."""
        return Answers([QueryPrediction(example.id, quoted=self._quoted(example)) for example in examples])

    def _quoted(self, example: QueryExample) -> tuple[Quotation, ...]:
        words = [match.span() for match in re.finditer(r"\S+", example.text)]
        starts = range(0, self.words * self.queries, self.words)
        runs = (words[start : start + self.words] for start in starts)
        return tuple(((run[0][0], run[-1][1]),) for run in runs if run)


@dataclass(frozen=True)
class KeyWords:
    """Asks by the passage's rarest words, dealt out to the queries in turn; a query keeps their order.

    A word is the rarer the fewer passages have it, which is the order of BM25's inverse document frequency;
    of equally rare words the first counts.
    """

    name: str
    words: int  # of a query
    queries: int  # of a passage, at most

    kind: ClassVar[str] = "baseline"

    def __post_init__(self) -> None:
        _check(words=self.words, queries=self.queries)

    def answer(self, data: DataAdapter, examples: Sequence[QueryExample]) -> Answers:
        """Return an answer for each example, in order; all the passages are those of the examples."""
        found = [_places(example.text) for example in examples]
        spread = Counter(word for places in found for word in places)
        return Answers(
            [
                QueryPrediction(example.id, quoted=self._quoted(places, spread))
                for example, places in zip(examples, found, strict=True)
            ]
        )

    def _quoted(self, places: Places, spread: Counter[str]) -> tuple[Quotation, ...]:
        rarest = sorted(places, key=spread.__getitem__)
        return _dealt(rarest[: self.words * self.queries], self.words, places=places)


@dataclass(frozen=True)
class RandomWords:
    """Asks by words of the passage drawn at random, each once; a query keeps their order.

    What is drawn for a passage depends on its id and not on the others.
    """

    name: str
    words: int  # of a query
    queries: int  # of a passage, at most
    seed: int

    kind: ClassVar[str] = "baseline"

    def __post_init__(self) -> None:
        _check(words=self.words, queries=self.queries)

    def answer(self, data: DataAdapter, examples: Sequence[QueryExample]) -> Answers:
        """Return an answer for each example, in order."""
        return Answers([QueryPrediction(example.id, quoted=self._quoted(example)) for example in examples])

    def _quoted(self, example: QueryExample) -> tuple[Quotation, ...]:
        places = _places(example.text)
        most = min(self.words * self.queries, len(places))
        drawn = random.Random(f"{self.seed}-{example.id}").sample(list(places), most)
        return _dealt(drawn, self.words, places=places)


def _places(text: str) -> Places:
    places: Places = {}
    for match in _WORD.finditer(text):
        places.setdefault(match[0].lower(), match.span())
    return places


def _dealt(words: Sequence[str], length: int, *, places: Places) -> tuple[Quotation, ...]:
    """Return the words dealt out in turn to as few queries of at most this length as hold them."""
    num_queries = math.ceil(len(words) / length)
    hands = (words[turn::num_queries] for turn in range(num_queries))
    return tuple(tuple(sorted(places[word] for word in hand)) for hand in hands)


def _check(**counts: int) -> None:
    wrong = [f"baseline.{name}={count}; allowed: 1 and more" for name, count in counts.items() if count < 1]
    if wrong:
        raise ConfigError(wrong)
