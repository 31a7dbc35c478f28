"""SKOS in a graph, with annotations of our own: a concept scheme is a facet, a concept is a concept.

A scheme may say `rs:cardinality "exactly_one"`, and a concept `rs:implies <another>`, where rs: is
`https://rightsize.dev/ns#`. A concept without a scheme has that of its broader ones. The order of an ordinal
scheme is that of a skos:OrderedCollection of its concepts.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from shared.errors import suggest
from shared.ontology import Cardinality, Concept, Facet, OntologyError
from tasks.ontology.names import local, short_names
from tasks.ontology.rdf import RDFS, SKOS, Graph

RS = "https://rightsize.dev/ns#"

_OWN = (RS + "cardinality", RS + "implies")
_CONCEPT_ENDS = {"broader": (0, 1), "narrower": (0, 1), "topConceptOf": (0,), "hasTopConcept": (1,)}


@dataclass(frozen=True)
class Skos:
    """The SKOS part of a graph, whose concepts are known by IRI; `ids` gives their ids."""

    graph: Graph

    @cached_property
    def concepts(self) -> set[str]:
        """The concepts."""
        return self.graph.typed(SKOS + "Concept")

    def facets(self) -> list[Facet]:
        """Return the facet of each scheme, by id."""
        return [
            Facet(name, self.graph.label(iri, SKOS + "prefLabel", RDFS + "label"), self._cardinality(iri))
            for iri, name in sorted(self._schemes.items(), key=lambda item: item[1])
        ]

    def read_concepts(self, ids: Mapping[str, str]) -> Iterator[Concept]:
        """Yield the concepts, in no order; `problems` must have found nothing."""
        for iri, (scheme,) in self._schemes_of.items():
            yield Concept(
                id=ids[iri],
                facet=self._schemes[scheme],
                label=self.graph.label(iri, SKOS + "prefLabel", RDFS + "label"),
                definition=self.graph.definition(iri),
                broader=tuple(sorted(ids[parent] for parent in self._broader[iri])),
            )

    def ranks(self, ids: Mapping[str, str]) -> dict[str, int]:
        """Return the place of each concept of the ordinal schemes; one without an order is an error."""
        ordinal = [iri for iri in self._schemes if self._cardinality(iri) is Cardinality.ordinal]
        return {ids[iri]: rank for scheme in ordinal for rank, iri in enumerate(self._order(scheme))}

    def implies(self) -> list[tuple[str, str]]:
        """Return the pairs (this one, that one too)."""
        return self.graph.pairs(RS + "implies")

    def problems(self, ids: Mapping[str, str]) -> Iterator[str]:
        """Yield what is said of things not declared, is left open, or is no annotation of ours.

        `ids` are those of all concepts and classes.
        """
        yield from self._annotation_problems(ids)
        for predicate, ends in _CONCEPT_ENDS.items():
            for statement in self.graph.pairs(SKOS + predicate):
                for iri in {statement[end] for end in ends} - self.concepts:
                    yield f"skos:{predicate} of {local(statement[0])}: {_unknown(iri, ids)}"
        for concept, schemes in self._schemes_of.items():
            if not schemes:
                yield f"{ids[concept]} is in no concept scheme: add skos:inScheme"
            if len(schemes) > 1:
                several = ", ".join(sorted(map(local, schemes)))
                yield f"{ids[concept]} is in several concept schemes, {several}; allowed: one"
            for scheme in schemes - set(self._schemes):
                near = suggest(local(scheme), self._schemes.values())
                yield f"{ids[concept]} is in {local(scheme)}, which is no skos:ConceptScheme{near}"

    def _annotation_problems(self, ids: Mapping[str, str]) -> Iterator[str]:
        for predicate in self.graph.predicates:
            if predicate.startswith(RS) and predicate not in _OWN:
                near = suggest(predicate, _OWN)
                yield f"unknown property {predicate}{near}; allowed: {', '.join(_OWN)}"
        for statement in self.implies():
            for iri in set(statement) - set(ids):
                yield f"rs:implies: {_unknown(iri, ids)}"
        values = [item.value for item in Cardinality]
        for scheme, name in self._schemes.items():
            given = self.graph.text(scheme, RS + "cardinality")
            if given and given not in values:
                near = suggest(given, values)
                yield f"{name}: unknown cardinality {given!r}{near}; allowed: {', '.join(values)}"

    @cached_property
    def _schemes(self) -> dict[str, str]:
        """Scheme -> the id of its facet."""
        return short_names(self.graph.typed(SKOS + "ConceptScheme"), self.graph.prefixes)

    @cached_property
    def _broader(self) -> dict[str, set[str]]:
        """Concept -> its broader ones, said of it or of them."""
        return _gather(self.concepts, self.graph.pairs(SKOS + "broader"), self._turned("narrower"))

    @cached_property
    def _schemes_of(self) -> dict[str, set[str]]:
        """Concept -> its schemes; one that names none has those of its broader concepts."""
        said = [pair for name in ("inScheme", "topConceptOf") for pair in self.graph.pairs(SKOS + name)]
        found = _gather(self.concepts, said, self._turned("hasTopConcept"))
        while True:
            taken = {
                concept: set().union(*(found.get(parent, set()) for parent in self._broader[concept]))
                for concept, schemes in found.items()
                if not schemes
            }
            if not any(taken.values()):
                return found
            found |= taken

    def _turned(self, predicate: str) -> list[tuple[str, str]]:
        return [(target, subject) for subject, target in self.graph.pairs(SKOS + predicate)]

    def _cardinality(self, scheme: str) -> Cardinality:
        return Cardinality(self.graph.text(scheme, RS + "cardinality") or Cardinality.any_number)

    def _order(self, scheme: str) -> list[str]:
        own = {iri for iri, schemes in self._schemes_of.items() if scheme in schemes}
        for _, head in self.graph.pairs(SKOS + "memberList"):
            members = self.graph.members(head)
            if set(members) == own and len(members) == len(own):
                return members
        raise OntologyError(
            f"{self._schemes[scheme]} is ordinal and has no order: add a skos:OrderedCollection whose "
            f"skos:memberList has each of its {len(own)} concepts once"
        )


def _gather(subjects: set[str], *statements: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Return subject -> all that the statements lead to from it, for these subjects alone."""
    found: dict[str, set[str]] = {subject: set() for subject in subjects}
    for subject, target in itertools.chain(*statements):
        if subject in found:
            found[subject].add(target)
    return found


def _unknown(iri: str, ids: Mapping[str, str]) -> str:
    return f"{local(iri)} ({iri}) is no declared concept{suggest(local(iri), ids.values())}"
