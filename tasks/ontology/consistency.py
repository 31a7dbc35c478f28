"""How often the answers to one example contradict each other, by the rules of the ontology."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from shared.examples import FacetAnswer
from shared.ontology import Cardinality, Ontology, violations
from tasks.ontology.counting import Part, Table, gather, present, with_broader
from tasks.ontology.judged import Pairs, is_answered

COLUMNS = ["broken", "total"]


def violation_counts(pairs: Pairs, *, ontology: Ontology, rows: Mapping[str, int]) -> Table:
    """Return how many examples break a rule of the ontology with the answers given, and how many there are.

    An answer has its broader concepts with it; only facets that are answered count,
    so that an abstained one is not missing.
    """

    def chosen(answer: FacetAnswer) -> Iterable[str]:
        return with_broader(answer.given, ontology)

    return _violations(pairs, chosen, ontology=ontology, rows=rows)


def independent_counts(pairs: Pairs, *, ontology: Ontology, rows: Mapping[str, int]) -> Table:
    """Return `violation_counts` of the concepts that were each decided without the others, as they stand."""
    return _violations(pairs, lambda answer: answer.independent, ontology=ontology, rows=rows)


def _violations(
    pairs: Pairs,
    chosen: Callable[[FacetAnswer], Iterable[str] | None],
    *,
    ontology: Ontology,
    rows: Mapping[str, int],
) -> Table:
    """Return columns broken, total over the examples with a facet that is answered and has a choice."""
    parts: list[Part] = []
    broken: dict[tuple[frozenset[str], frozenset[str]], bool] = {}  # many examples have the same answers
    parts_of: dict[frozenset[str], Ontology] = {}
    for example, prediction in pairs:
        found = {
            facet.id: concepts
            for facet in ontology.facets
            if facet.id in prediction.facets and is_answered(facet, prediction.facets[facet.id])
            if facet.cardinality is not Cardinality.number
            if (concepts := chosen(prediction.facets[facet.id])) is not None
        }
        facets, concepts = frozenset(found), frozenset().union(*found.values())
        if facets not in parts_of:
            parts_of[facets] = restricted(ontology, facets)
        if (facets, concepts) not in broken:
            broken[facets, concepts] = bool(violations(parts_of[facets], sorted(concepts)))
        if facets:
            parts.append((rows[example.document], "all", (broken[facets, concepts], 1)))
    return gather(parts, groups=present(parts), columns=COLUMNS, num_rows=len(rows))


def restricted(ontology: Ontology, facets: frozenset[str]) -> Ontology:
    """Return the part of the ontology that is about these facets, with the rules that stay within them."""
    concepts = tuple(concept for concept in ontology.concepts if concept.facet in facets)
    kept = {concept.id for concept in concepts}
    brought = [(one, other) for one in kept for other in ontology.closure[one] & kept if other != one]
    return Ontology(
        name=ontology.name,
        facets=tuple(facet for facet in ontology.facets if facet.id in facets),
        concepts=concepts,
        disjoint=tuple(pair for pair in ontology.disjoint if kept.issuperset(pair)),
        implies=tuple(sorted(brought)),
    )
