"""OWL in a graph: classes are concepts below their named superclasses, object properties are relations.

What is both class and SKOS concept is a SKOS concept. Equivalent classes, subproperties and classes without
a name are not read, and counted.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from shared.ontology import Cardinality, Concept, Facet, Relation
from tasks.ontology.rdf import OWL, RDF, RDFS, SKOS, Graph, is_named, is_own

CLASS, RELATION = "class", "relation"  # the facets


@dataclass(frozen=True)
class Owl:
    """The OWL part of a graph, whose classes and properties are known by IRI; `ids` gives their ids."""

    graph: Graph

    @cached_property
    def classes(self) -> set[str]:
        """The classes that are declared."""
        return self.graph.typed(OWL + "Class", RDFS + "Class") - self.graph.typed(SKOS + "Concept")

    @cached_property
    def dangling(self) -> set[str]:
        """The superclasses that are not."""
        named = set().union(*self._superclasses.values())
        return named - self.classes - self.graph.typed(SKOS + "Concept")

    @cached_property
    def properties(self) -> set[str]:
        """The object properties."""
        return self.graph.typed(OWL + "ObjectProperty")

    @property
    def ends(self) -> set[str]:
        """What is named in the domain or range of a property, declared or not."""
        return set().union(*(self._named_ends(*key) for key in self._ends))

    def facets(self, *, name: str, cardinality: Cardinality) -> Iterator[Facet]:
        """Yield the facets that there are; that of classes is called as the ontology is, else `name`."""
        if self.classes:
            titles = {self.graph.text(iri, RDFS + "label") for iri in self.graph.typed(OWL + "Ontology")}
            title = titles.pop() if len(titles) == 1 else ""
            yield Facet(CLASS, title or name, cardinality)
        if self.properties:
            yield Facet(RELATION, RELATION, Cardinality.any_number)

    def read_concepts(self, ids: Mapping[str, str]) -> Iterator[Concept]:
        """Yield the classes and what is dangling, in no order."""
        for iri in self.classes | self.dangling:
            yield Concept(
                id=ids[iri],
                facet=CLASS,
                label=self.graph.label(iri, RDFS + "label", SKOS + "prefLabel"),
                definition=self.graph.definition(iri),
                broader=tuple(sorted(ids[parent] for parent in self._superclasses.get(iri, ()))),
            )

    def read_relations(self, ids: Mapping[str, str]) -> list[Relation]:
        """Return the object properties by id."""
        return [
            Relation(
                id=ids[iri],
                facet=RELATION,
                label=self.graph.label(iri, RDFS + "label", SKOS + "prefLabel"),
                definition=self.graph.definition(iri),
                directed=OWL + "SymmetricProperty" not in self.graph.linked(iri, RDF + "type"),
                domain=tuple(sorted(ids[end] for end in self._named_ends(iri, "domain"))),
                range=tuple(sorted(ids[end] for end in self._named_ends(iri, "range"))),
            )
            for iri in sorted(self.properties, key=ids.__getitem__)
        ]

    def read_disjoint(self, known: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return the disjoint pairs by id, each sorted; of SKOS concepts too, but of `known` ones alone."""
        pairs = [sorted(known[iri] for iri in pair) for pair in self._disjoint if known.keys() >= pair]
        return sorted((pair[0], pair[-1]) for pair in pairs)

    def unread_imports(self) -> list[str]:
        """Return the IRIs of imports that no file here has, sorted."""
        here = self.graph.typed(OWL + "Ontology")
        here |= {version for _, version in self.graph.pairs(OWL + "versionIRI")}
        return sorted({iri for _, iri in self.graph.pairs(OWL + "imports")} - here)

    def skipped(self, known: Mapping[str, str]) -> dict[str, int]:
        """Return how many statements of each kind are not read; `known` is that of `read_disjoint`."""
        above = self.graph.pairs(RDFS + "subClassOf")
        return {
            "superclasses": sum(part in self.classes and not is_named(whole) for part, whole in above),
            "domains and ranges": sum(not is_named(item) for items in self._ends.values() for item in items),
            "disjoint pairs": sum(not known.keys() >= pair for pair in self._disjoint),
            "equivalent classes": len(self.graph.pairs(OWL + "equivalentClass")),
            "subproperties": len(self.graph.pairs(RDFS + "subPropertyOf")),
        }

    @cached_property
    def _superclasses(self) -> dict[str, set[str]]:
        """Class -> its named superclasses."""
        found: dict[str, set[str]] = {iri: set() for iri in self.classes}
        unions = self.graph.pairs(OWL + "disjointUnionOf")
        said = [(part, whole) for whole, head in unions for part in self.graph.members(head)]
        for part, whole in [*self.graph.pairs(RDFS + "subClassOf"), *said]:
            if part in found and is_own(whole):
                found[part].add(whole)
        return found

    @cached_property
    def _ends(self) -> dict[tuple[str, str], list[str]]:
        """(property, "domain" or "range") -> the classes there, named or not, those of a union one by one."""
        found: dict[tuple[str, str], list[str]] = {}
        for key in itertools.product(self.properties, ("domain", "range")):
            found[key] = []
            for item in self.graph.linked(key[0], RDFS + key[1]):
                unions = self.graph.linked(item, OWL + "unionOf")
                found[key] += [part for head in unions for part in self.graph.members(head)]
                found[key] += [item] if is_named(item) or not unions else []
        return found

    @cached_property
    def _disjoint(self) -> set[frozenset[str]]:
        groups = [list(pair) for pair in self.graph.pairs(OWL + "disjointWith")]
        for predicate in ("disjointUnionOf", "members"):
            groups += [self.graph.members(head) for _, head in self.graph.pairs(OWL + predicate)]
        return {frozenset(pair) for group in groups for pair in itertools.combinations(group, 2)}

    def _named_ends(self, iri: str, end: str) -> set[str]:
        return set(filter(is_own, self._ends[iri, end]))
