"""The shapes of data: an example with its gold answer, and a prediction; never a tensor.

Character offsets are half-open and count Unicode code points of `text`.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

_WORD = re.compile(r"\w+(?:(?!['’]s\b)[.,’'&-]\w+)*|['’]s\b|[^\w\s]")  # 's is a word of its own


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch `text[start:end]`; `probability` is None for gold."""

    start: int
    end: int
    label: str
    probability: float | None = None

    @property
    def key(self) -> tuple[int, int, str]:
        """What strict matching compares: both ends and the label."""
        return self.start, self.end, self.label


@dataclass(frozen=True, slots=True)
class SpanExample:
    """A text with its gold spans, sorted and without overlap.

    `words` are the half-open character offsets of the words a span may begin and end at; `document` is the
    unit that intervals are resampled by; `id` is unique within a split.
    """

    id: str
    text: str
    spans: tuple[Span, ...] = ()
    words: tuple[tuple[int, int], ...] = ()
    document: str = ""


@dataclass(frozen=True, slots=True)
class SpanPrediction:
    """The spans found in the example with the same id, sorted by start."""

    id: str
    spans: tuple[Span, ...] = ()


def find_words(text: str) -> tuple[tuple[int, int], ...]:
    """Return the offsets of words in raw text: letters and digits with inner marks, else single marks."""
    return tuple(match.span() for match in _WORD.finditer(text))


def join_words(words: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Return the words joined by single spaces, and where each stands in that text."""
    offsets, start = [], 0
    for word in words:
        offsets.append((start, start + len(word)))
        start += len(word) + 1
    return " ".join(words), tuple(offsets)


def span_words(example: SpanExample) -> tuple[list[tuple[int, int, str]], list[Span]]:
    """Return the gold spans as half-open word ranges, and those lost because no word boundary fits."""
    first = {start: index for index, (start, _) in enumerate(example.words)}
    last = {end: index + 1 for index, (_, end) in enumerate(example.words)}
    ranges, lost = [], []
    for span in example.spans:
        if span.start in first and span.end in last:
            ranges.append((first[span.start], last[span.end], span.label))
        else:
            lost.append(span)
    return ranges, lost


def prediction_row(prediction: SpanPrediction) -> dict[str, Any]:
    """Return the prediction as a JSON object that holds ids and answers, never text."""
    return asdict(prediction)


def read_prediction(row: dict[str, Any]) -> SpanPrediction:
    """Return the prediction that `prediction_row` wrote."""
    return SpanPrediction(id=row["id"], spans=tuple(Span(**span) for span in row["spans"]))


def example_row(example: SpanExample) -> dict[str, Any]:
    """Return the example as a JSON object."""
    return asdict(example)


def read_example(row: dict[str, Any]) -> SpanExample:
    """Return the example that `example_row` wrote."""
    return SpanExample(
        id=row["id"],
        text=row["text"],
        spans=tuple(Span(**span) for span in row["spans"]),
        words=tuple((start, end) for start, end in row["words"]),
        document=row["document"],
    )
