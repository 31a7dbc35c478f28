"""Texts that the tests of several heads read."""

from shared.examples import Span, SpanExample, join_words


def long_example(num_names: int) -> SpanExample:
    """A text of many windows: `Ann Lee joined Orla Bank .` over and over, each with its two entities."""
    text, words = join_words(["Ann", "Lee", "joined", "Orla", "Bank", "."] * num_names)
    spans = []
    for start in range(0, 6 * num_names, 6):
        spans.append(Span(words[start][0], words[start + 1][1], "PER"))
        spans.append(Span(words[start + 3][0], words[start + 4][1], "ORG"))
    return SpanExample(id="long", text=text, spans=tuple(spans), words=words)
