"""Gold beside answer, facet by facet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.examples import FacetAnswer, FacetExample, FacetPrediction
from shared.ontology import Cardinality, Facet

UNASKED = FacetAnswer(abstained="not asked")  # stands for a facet that a prediction lacks

Pairs = Sequence[tuple[FacetExample, FacetPrediction]]


@dataclass(frozen=True, slots=True)
class Judged:
    """One labelled facet of one example, with its answer; `row` is the place of the document."""

    row: int
    facet: Facet
    gold: tuple[str, ...]
    value: float | None  # gold of a facet that is a number
    answer: FacetAnswer

    @property
    def in_scope(self) -> bool:
        """Whether the text has a concept, where the facet needs one."""
        return bool(self.gold) or not needs_one(self.facet)

    @property
    def answered(self) -> bool:
        """Whether an answer is given: it is not abstained, nor empty where the facet needs a concept."""
        return is_answered(self.facet, self.answer)

    @property
    def guess_right(self) -> bool:
        """Whether the concepts are right, given or not."""
        return set(self.answer.concepts) == set(self.gold)

    @property
    def right(self) -> bool:
        """Whether the answer is given and right; out of scope, no answer is right."""
        return (self.answered and self.guess_right) if self.in_scope else not self.answered


def documents(examples: Sequence[FacetExample]) -> dict[str, int]:
    """Return document -> its row, sorted as leaderboards sort them: the same draws, the same interval."""
    return {name: row for row, name in enumerate(sorted({example.document for example in examples}))}


def judged(facets: Sequence[Facet], pairs: Pairs, *, rows: Mapping[str, int]) -> list[list[Judged]]:
    """Return each example's labelled ones of the facets; `rows` are those of `documents`."""
    return [
        [
            Judged(
                row=rows[example.document],
                facet=facet,
                gold=example.labels.get(facet.id, ()),
                value=example.values.get(facet.id),
                answer=prediction.facets.get(facet.id, UNASKED),
            )
            for facet in facets
            if facet.id in example.labels or facet.id in example.values
        ]
        for example, prediction in pairs
    ]


def of_facet(facet: Facet, items: Sequence[Sequence[Judged]]) -> list[Judged]:
    """Return the items of one facet, in the order of the examples."""
    return [item for own in items for item in own if item.facet == facet]


def is_answered(facet: Facet, answer: FacetAnswer) -> bool:
    """Whether the answer says something: see `Judged.answered`."""
    if facet.cardinality is Cardinality.number:
        return not answer.abstained and answer.value is not None
    return not answer.abstained and (bool(answer.concepts) or not needs_one(facet))


def needs_one(facet: Facet) -> bool:
    """Whether a text without a concept of the facet is out of scope."""
    return facet.single and facet.cardinality is not Cardinality.at_most_one
