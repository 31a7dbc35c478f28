"""A text with concepts of an ontology, facet by facet, and the answers to each facet."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.examples.spans import Span


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
