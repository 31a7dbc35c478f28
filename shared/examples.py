"""The shapes of data: an example with its gold answer, and a prediction; never a tensor.

Character offsets are half-open and count Unicode code points of `text`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from shared.errors import UserError
from shared.passages import QueryExample, QueryPrediction, RankingExample, RankingPrediction


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


@dataclass(frozen=True, slots=True)
class FacetExample:
    """A text with the concepts of an ontology that it has, facet by facet.

    `labels` holds the most specific concepts; a facet that is absent was not labelled, and an empty tuple
    says that the text has none of the facet's concepts (where one is needed: it is out of scope). `values`
    holds the facets that are numbers. `pair` is a second text, such as the answer to a question; `marks` are
    the marked stretches of a relation, the first is e1, the second e2.
    """

    id: str
    text: str
    pair: str = ""
    marks: tuple[Span, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)
    document: str = ""

    def gold(self) -> "FacetPrediction":
        """Return the answer that is wholly right."""
        facets = {name: FacetAnswer(concepts=concepts) for name, concepts in self.labels.items()}
        numbers = {name: FacetAnswer(value=value) for name, value in self.values.items()}
        return FacetPrediction(self.id, {**facets, **numbers})


@dataclass(frozen=True, slots=True)
class FacetAnswer:
    """The answer to one facet; where it is `abstained`, `concepts` holds the guess that was not given."""

    concepts: tuple[str, ...] = ()  # the most specific ones
    value: float | None = None  # of a facet that is a number
    probability: float | None = None  # that the concepts are right, calibrated
    raw_probability: float | None = None  # before calibration
    oddity: float | None = None  # how far out of scope the text is, on the scale of the bundle's detector
    abstained: str = ""  # why no answer is given; '' where one is
    independent: tuple[str, ...] | None = None  # all concepts, when each is decided without the others
    candidates: tuple[str, ...] | None = None  # of `facet_sets.FacetSet`, where sets were asked for
    sure: tuple[str, ...] | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """The concepts that the answer claims: none where it is abstained."""
        return () if self.abstained else self.concepts


@dataclass(frozen=True, slots=True)
class FacetPrediction:
    """The answers to each facet of the example with the same id.

    `nearest` are ids of training examples with their similarity (cosine), filled where they were asked for.
    """

    id: str
    facets: Mapping[str, FacetAnswer] = field(default_factory=dict)
    nearest: tuple[tuple[str, float], ...] = ()

    def confidences(self, unit: str) -> list[float]:
        """Return how sure the answer to each facet is that is given."""
        given = [answer for answer in self.facets.values() if not answer.abstained]
        return [answer.probability for answer in given if answer.probability is not None]

    def held_back(self, unit: str, least: float, reason: str) -> "FacetPrediction":
        """Return the answer with each facet abstained whose probability is below `least`."""
        facets = {
            name: replace(answer, abstained=reason)
            if answer.value is None and not answer.abstained and (answer.probability or 0.0) < least
            else answer
            for name, answer in self.facets.items()
        }
        return replace(self, facets=facets)

    @property
    def abstained(self) -> str:
        """Why the first facet that is not answered is not; '' where all are."""
        return next((answer.abstained for answer in self.facets.values() if answer.abstained), "")

    @property
    def key(self) -> tuple[Any, ...]:
        """What two predictions share that give the same answer; numbers to two decimals."""
        return tuple(
            (name, answer.given, None if answer.value is None else round(answer.value, 2))
            for name, answer in sorted(self.facets.items())
        )

    def shown(self, text: str) -> list[dict[str, Any]]:
        """Return the answer as a person reads it."""
        return [
            {
                "facet": name,
                "answer": ", ".join(answer.given) if answer.value is None else f"{answer.value:.2f}",
            }
            for name, answer in self.facets.items()
        ]


@dataclass(frozen=True, slots=True)
class AnomalyExample:
    """One text, or a window of texts in order, and whether a person would call it off.

    `anomalous` is None where nobody has said. `kind` names the sort of anomaly, '' for a normal text; `group`
    is what no two splits share where new groups are tested, such as the template of a log line.
    """

    id: str
    texts: tuple[str, ...]
    anomalous: bool | None = None
    kind: str = ""
    group: str = ""
    document: str = ""

    @property
    def text(self) -> str:
        """The texts, one a line."""
        return "\n".join(self.texts)

    def gold(self) -> "AnomalyPrediction":
        """Return the answer that is wholly right."""
        return AnomalyPrediction(self.id, score=float(self.anomalous or 0), alarm=bool(self.anomalous))


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch `text[start:end]` of an example's text.

    `rise` is by how much its absence lowers the score more than that of the median part does.
    """

    start: int
    end: int
    rise: float


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a text is odd: its parts that raise the score most, and what was never seen among normal texts.

    `nearest` are the most similar normal texts with their cosine.
    """

    parts: tuple[Part, ...] = ()
    nearest: tuple[tuple[str, float], ...] = ()
    template: str = ""  # the text with its changing parts masked
    template_seen: bool = True
    unseen_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnomalyPrediction:
    """How odd the example with the same id is, the higher the odder, and whether that is an alarm.

    `p_value` is the conformal one: the share of held-out normal texts that are at least as odd.
    """

    id: str
    score: float = 0.0
    p_value: float | None = None
    alarm: bool = False
    reasons: Reasons | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """What two predictions share that give the same answer."""
        return (self.alarm,)

    def shown(self, text: str) -> list[dict[str, Any]]:
        """Return the answer as a person reads it."""
        return [{"facet": "alarm" if self.alarm else "normal", "answer": f"score {self.score:.3f}"}]


@dataclass(frozen=True, slots=True)
class SummaryExample:
    """A document as its sentences, in order, and the summary a person wrote of it, bullet by bullet.

    `chosen` are the sentences to write from, best first, where that is settled; `begun` are bullets that
    stand already, where a summary is to be written once more behind them.
    """

    id: str
    sentences: tuple[str, ...]
    bullets: tuple[str, ...] = ()
    document: str = ""
    chosen: tuple[int, ...] = ()
    begun: tuple[str, ...] | None = None

    @property
    def text(self) -> str:
        """The sentences, one a line."""
        return "\n".join(self.sentences)

    def gold(self) -> "SummaryPrediction":
        """Return the answer that is wholly right."""
        return SummaryPrediction(self.id, tuple(Bullet(text) for text in self.bullets))


@dataclass(frozen=True, slots=True)
class Bullet:
    """One point of a summary; `sources` are indices of the document's sentences it rests on, best first.

    A `quoted` one is the sentence `sources[0]` put into the house's style: what is stored of it has no text.
    `mark` says what a check did to it, `faults` what it still breaks.
    """

    text: str
    sources: tuple[int, ...] = ()
    quoted: bool = False
    mark: str = ""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SummaryPrediction:
    """The summary of the example with the same id; `abstained` says why there is none, '' where there is.

    `read` are the sentences that the writer had before it.
    """

    id: str
    bullets: tuple[Bullet, ...] = ()
    abstained: str = ""
    read: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[Any, ...]:
        """What two predictions share that give the same answer."""
        return (self.abstained, *((b.quoted and b.sources[:1]) or b.text for b in self.bullets))

    def shown(self, text: str) -> list[dict[str, Any]]:
        """Return the answer as a person reads it."""
        sentences = text.split("\n")
        lines = [sentences[b.sources[0]] if b.quoted else b.text for b in self.bullets]
        return [{"facet": "summary", "answer": line} for line in lines or [self.abstained]]


Example = SpanExample | FacetExample | AnomalyExample | SummaryExample | RankingExample | QueryExample
Prediction = (
    SpanPrediction
    | FacetPrediction
    | AnomalyPrediction
    | SummaryPrediction
    | RankingPrediction
    | QueryPrediction
)
E = TypeVar("E", bound=Example)
P = TypeVar("P", bound=Prediction)


def aligned(examples: Sequence[E], predictions: Sequence[P]) -> list[tuple[E, P]]:
    """Return examples with their predictions by id; an id on one side only, or twice, is a `UserError`."""
    found = {prediction.id: prediction for prediction in predictions}
    ids = {example.id for example in examples}
    if len(found) != len(predictions) or len(ids) != len(examples) or ids != set(found):
        odd = sorted(ids ^ set(found))[:3]
        raise UserError(
            f"{len(predictions)} predictions do not answer the {len(examples)} examples one by one; "
            f"ids on one side only, or twice: {', '.join(odd) or 'duplicates'}"
        )
    return [(example, found[example.id]) for example in examples]
