"""The trivial system: a dictionary of the entities that stand in train, looked up word for word."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from shared.contracts import Answers, DataAdapter
from shared.examples import Span, SpanExample, SpanPrediction
from shared.words import span_words

Form = tuple[str, ...]  # the words of an entity, as written


@dataclass(frozen=True)
class Dictionary:
    """Marks what train marks: the longest known entity at each word, left to right, by its commonest label.

    An entity is known if it was marked in at least `minimum_share` of its occurrences in train.
    """

    name: str
    minimum_share: float  # 0 to 1

    kind: ClassVar[str] = "baseline"

    def answer(self, data: DataAdapter, examples: Sequence[SpanExample]) -> Answers:
        """Return the known entities found in the examples; nothing is ever unread."""
        labels = learn_labels(data.load("train"), minimum_share=self.minimum_share)
        lengths = _lengths(labels)
        return Answers([_look_up(example, labels, lengths) for example in examples])


def learn_labels(examples: Sequence[SpanExample], *, minimum_share: float) -> dict[Form, str]:
    """Return form -> label of the entities marked often enough; a tie goes to the first by name."""
    marked: defaultdict[Form, Counter[str]] = defaultdict(Counter)
    for example in examples:
        words = _words(example)
        for start, end, label in span_words(example)[0]:
            marked[words[start:end]][label] += 1
    lengths = _lengths(marked)
    occurrences = Counter(
        words[start:end]
        for words in map(_words, examples)
        for start in range(len(words))
        for end in _ends(words, start, marked, lengths)
    )
    return {
        form: min(labels, key=lambda label, labels=labels: (-labels[label], label))  # type: ignore[misc]
        for form, labels in marked.items()
        if labels.total() >= minimum_share * occurrences[form]
    }


def _look_up(
    example: SpanExample, labels: Mapping[Form, str], lengths: Mapping[str, list[int]]
) -> SpanPrediction:
    words, spans, start = _words(example), [], 0
    while start < len(words):
        end = next(_ends(words, start, labels, lengths), None)
        if end is not None:
            label = labels[words[start:end]]
            spans.append(Span(example.words[start][0], example.words[end - 1][1], label))
        start = end or start + 1
    return SpanPrediction(example.id, tuple(spans))


def _ends(
    words: Form, start: int, forms: Mapping[Form, object], lengths: Mapping[str, list[int]]
) -> Iterator[int]:
    """Yield the ends of the forms that stand at `start`, the longest first."""
    for length in lengths.get(words[start], ()):
        if start + length <= len(words) and words[start : start + length] in forms:
            yield start + length


def _lengths(forms: Iterable[Form]) -> dict[str, list[int]]:
    """Return first word -> the lengths of the forms it begins, the longest first."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for form in forms:
        found[form[0]].add(len(form))
    return {word: sorted(lengths, reverse=True) for word, lengths in found.items()}


def _words(example: SpanExample) -> Form:
    return tuple(example.text[start:end] for start, end in example.words)
