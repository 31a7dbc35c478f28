"""Words of a text by their character offsets, and gold spans in words."""

import re
from collections.abc import Sequence

from shared.examples import Span, SpanExample

_WORD = re.compile(r"\w+(?:(?!['’]s\b)[.,’'&-]\w+)*|['’]s\b|[^\w\s]")  # 's is a word of its own


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
