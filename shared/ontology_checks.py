"""What contradicts in an ontology: names, cycles, concepts that can never be chosen."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from shared.errors import few
from shared.ontology import Cardinality, Ontology


def problems(ontology: Ontology) -> Iterator[str]:
    """Yield what contradicts; later checks rest on earlier ones, so each stage must be clean."""
    for stage in (_naming_problems, _cycle_problems, _contradictions):
        found = list(stage(ontology))
        yield from found
        if found:
            return


def _naming_problems(ontology: Ontology) -> Iterator[str]:
    facets = [facet.id for facet in ontology.facets]
    ids = [concept.id for concept in ontology.concepts]
    if repeated := _repeated(facets):
        yield f"facets named twice: {repeated}"
    if repeated := _repeated(ids):
        yield f"concepts named twice: {repeated}"
    facet_of = {concept.id: concept.facet for concept in ontology.concepts}
    for concept in ontology.concepts:
        if concept.facet not in facets:
            yield f"{concept.id} is in the facet {concept.facet!r}; facets: {', '.join(facets)}"
        for parent in concept.broader:
            if facet_of.get(parent) != concept.facet:
                where = f"in {facet_of[parent]}" if parent in facet_of else "nowhere"
                yield f"{concept.id} of {concept.facet} has the broader concept {parent}, which is {where}"
    for facet in ontology.facets:
        empty = facet.id not in facet_of.values()
        if empty and facet.cardinality is not Cardinality.number:
            yield f"facet {facet.id} has no concept"
        if not empty and facet.cardinality is Cardinality.number:
            yield f"facet {facet.id} is a number and has concepts"
    for pair in (*ontology.disjoint, *ontology.implies):
        for concept_id in pair:
            if concept_id not in facet_of:
                yield f"{concept_id}, named with {', '.join(pair)}, is no concept"


def _cycle_problems(ontology: Ontology) -> Iterator[str]:
    edges = {concept.id: concept.broader for concept in ontology.concepts}
    for cycle in _cycles(edges):
        yield f"a cycle of broader concepts: {' < '.join([*cycle, cycle[0]])}"


def _contradictions(ontology: Ontology) -> Iterator[str]:
    excluded = {frozenset(pair) for pair in ontology.disjoint}
    single = {facet.id for facet in ontology.facets if facet.single}
    facet_of = {concept.id: concept.facet for concept in ontology.concepts}
    allowed = {concept: found - {concept} for concept, found in ontology.closure.items()}
    for concept, found in ontology.closure.items():
        for pair in excluded:
            if pair <= found:
                both = " and ".join(sorted(pair))
                yield f"{concept} can never be chosen: it brings {both}, which are disjoint"
        for facet in single:
            tops = ontology.most_specific([item for item in found if facet_of[item] == facet])
            if len(tops) > 1 and not any(
                set(tops) <= allowed[other] for other in allowed if facet_of[other] == facet
            ):
                several = ", ".join(tops)
                yield f"{concept} can never be chosen: it brings {several} of {facet}, which takes one"


def _cycles(edges: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return the cycles found going up from each node, each once."""
    done: set[str] = set()
    cycles = []
    for start in edges:
        trail: list[str] = []
        stack: list[tuple[str, Iterator[str]]] = []
        if start not in done:
            trail, stack = [start], [(start, iter(edges[start]))]
        while stack:
            node, ways = stack[-1]
            step = next(ways, None)
            if step is None:
                done.add(node)
                stack.pop()
                trail.pop()
            elif step in trail:
                cycles.append(trail[trail.index(step) :])
            elif step not in done:
                trail.append(step)
                stack.append((step, iter(edges[step])))
    return cycles


def _repeated(names: Sequence[str]) -> str:
    repeated = [name for name, group in itertools.groupby(sorted(names)) if len(list(group)) > 1]
    return few(repeated)
