"""Systems without weights: the document's first sentences, and the best that quoting sentences can reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from shared.contracts import Answers, DataAdapter
from shared.errors import ConfigError
from shared.examples import Bullet, SummaryExample, SummaryPrediction
from shared.ngrams import ngrams, words

Grams = Counter[tuple[str, ...]]


@dataclass(frozen=True)
class Lead:
    """Quotes the first sentences of a document."""

    name: str
    sentences: int

    kind: ClassVar[str] = "baseline"

    def __post_init__(self) -> None:
        _check_positive("sentences", self.sentences)

    def answer(self, data: DataAdapter, examples: Sequence[SummaryExample]) -> Answers:
        """Return an answer for each example, in order."""
        return Answers(
            [_quoted(example, range(min(self.sentences, len(example.sentences)))) for example in examples]
        )


@dataclass(frozen=True)
class Oracle:
    """Quotes the sentences that are most like the gold summary, in the document's order.

    They are picked one by one: always the one that raises the sum of the F measures of ROUGE-1 and ROUGE-2
    (without stemming) most, of equals the first, until none does (Nallapati et al. 2017, section 4).
    """

    name: str
    max_sentences: int

    kind: ClassVar[str] = "baseline"

    def __post_init__(self) -> None:
        _check_positive("max_sentences", self.max_sentences)

    def answer(self, data: DataAdapter, examples: Sequence[SummaryExample]) -> Answers:
        """Return an answer for each example, in order; it looks at the gold bullets."""
        return Answers([_quoted(example, _best(example, self.max_sentences)) for example in examples])


@dataclass(frozen=True)
class _Overlap:
    """What a choice of sentences has of the gold n-grams of one length, and how many it has in all."""

    found: Grams
    total: int

    def __add__(self, other: _Overlap) -> _Overlap:
        return _Overlap(self.found + other.found, self.total + other.total)

    def f_measure(self, gold: Grams) -> float:
        """Return ROUGE's F, each n-gram counted as often as both have it."""
        both = (self.found & gold).total()
        return 2 * both / (self.total + gold.total()) if both else 0.0


def _quoted(example: SummaryExample, indices: Sequence[int]) -> SummaryPrediction:
    if not indices:
        reason = "no sentence is like the summary" if example.sentences else "the document is empty"
        return SummaryPrediction(example.id, abstained=reason)
    return SummaryPrediction(example.id, tuple(Bullet("", (index,), quoted=True) for index in indices))


def _best(example: SummaryExample, most: int) -> list[int]:
    """Return the indices of at most so many sentences, sorted."""
    golds = [_grams(example.bullets, length) for length in (1, 2)]
    overlaps = {
        index: [_overlap(sentence, gold, length) for length, gold in enumerate(golds, start=1)]
        for index, sentence in enumerate(example.sentences)
    }
    left = {index: found for index, found in overlaps.items() if found[0].found}
    chosen, score = [_Overlap(Counter(), 0)] * 2, 0.0
    picked: list[int] = []
    while left and len(picked) < most:
        sums = {index: [a + b for a, b in zip(chosen, found, strict=True)] for index, found in left.items()}
        scores = {
            index: sum(overlap.f_measure(gold) for overlap, gold in zip(found, golds, strict=True))
            for index, found in sums.items()
        }
        best = max(scores, key=lambda index: (scores[index], -index))
        if scores[best] <= score:
            break
        chosen, score = sums[best], scores[best]
        picked.append(best)
        del left[best]
    return sorted(picked)


def _grams(texts: Sequence[str], length: int) -> Grams:
    return Counter(gram for text in texts for gram in ngrams(words(text), length))


def _overlap(sentence: str, gold: Grams, length: int) -> _Overlap:
    grams = ngrams(words(sentence), length)
    return _Overlap(Counter(gram for gram in grams if gram in gold), len(grams))


def _check_positive(field: str, value: int) -> None:
    if value < 1:
        raise ConfigError([f"baseline.{field}={value}; allowed: 1 and more"])
