"""A text with labelled stretches, and the stretches found in it."""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch `text[start:end]`; `probability` is None for gold."""

    start: int
    end: int
    label: str
    probability: float | None = None
    raw_probability: float | None = None  # before calibration

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

    def gold(self) -> "SpanPrediction":
        """Return the answer that is wholly right."""
        return SpanPrediction(self.id, self.spans)


@dataclass(frozen=True, slots=True)
class SpanPrediction:
    """The spans found in the example with the same id, sorted by start.

    `probability` is that of the whole answer: no span is wrong, and none was missed.
    """

    id: str
    spans: tuple[Span, ...] = ()
    probability: float | None = None
    raw_probability: float | None = None  # before calibration
    unsure: tuple[Span, ...] = ()  # found, but not given
    abstained: str = ""  # why something is not given

    def confidences(self, unit: str) -> list[float]:
        """Return how sure each answer of the unit is: of each span, or of the text as a whole."""
        found = [self.probability] if unit == "texts" else [span.probability for span in self.spans]
        return [value for value in found if value is not None]

    def held_back(self, unit: str, least: float, reason: str) -> "SpanPrediction":
        """Return the answer without the spans, or as a whole, whose probability is below `least`."""
        if unit == "texts":
            if (self.probability or 0.0) >= least:
                return self
            return replace(self, spans=(), unsure=self.spans, abstained=reason)
        unsure = tuple(span for span in self.spans if (span.probability or 0.0) < least)
        kept = tuple(span for span in self.spans if span not in unsure)
        return replace(self, spans=kept, unsure=unsure, abstained=reason) if unsure else self

    @property
    def key(self) -> tuple[Any, ...]:
        """What two predictions share that give the same answer."""
        return tuple(sorted(span.key for span in self.spans))

    def shown(self, text: str) -> list[dict[str, Any]]:
        """Return the answer as a person reads it."""
        return [
            {"start": span.start, "end": span.end, "label": span.label, "text": text[span.start : span.end]}
            for span in self.spans
        ]
