"""An ontology: facets of a text, the concepts of each, and what may be said of one text together.

A *facet* is one question about a text (its topic, its tone), answered by concepts; a concept has broader ones
within its facet (a graph: several are allowed). To choose a concept is to choose all that are broader and all
that it implies. `Ontology.row` and `read_ontology_row` are its plain form, which bundles keep.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from shared.errors import UserError


class Cardinality(Enum):
    """How many most specific concepts of a facet a text has; `number` is a value and has no concepts."""

    exactly_one = "exactly_one"
    at_most_one = "at_most_one"
    any_number = "any_number"
    ordinal = "ordinal"  # exactly one, and the concepts stand in their order
    number = "number"


class OntologyError(UserError):
    """An ontology that contradicts itself or cannot be read; the message names the concepts."""


@dataclass(frozen=True)
class Concept:
    """One thing a text may be about; `broader` are ids of the same facet."""

    id: str
    facet: str
    label: str
    definition: str = ""
    broader: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What a model reads of it: the label, and the definition where there is one."""
        return f"{self.label}: {self.definition}" if self.definition else self.label


@dataclass(frozen=True)
class Facet:
    """A question about a text (in SKOS, a concept scheme)."""

    id: str
    label: str
    cardinality: Cardinality

    @property
    def single(self) -> bool:
        """Whether a text has at most one most specific concept of it."""
        return self.cardinality in (Cardinality.exactly_one, Cardinality.at_most_one, Cardinality.ordinal)


@dataclass(frozen=True)
class Relation:
    """A relation between the two marked spans of a text; a directed one is two concepts, one a direction.

    The first marked span is e1. `domain` and `range` are the types that the source and the target may have,
    empty for any.
    """

    id: str
    facet: str
    label: str
    definition: str = ""
    directed: bool = True
    domain: tuple[str, ...] = ()
    range: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ontology:
    """Facets and concepts in their order, which the outputs of a model follow; checked when made.

    `disjoint` are pairs of concepts that exclude each other, `implies` pairs (this one, that one too).
    Raises `OntologyError` naming the concepts of a contradiction.
    """

    name: str
    facets: tuple[Facet, ...]
    concepts: tuple[Concept, ...]
    relations: tuple[Relation, ...] = ()
    disjoint: tuple[tuple[str, str], ...] = ()
    implies: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        from shared.ontology_checks import problems as find_problems

        problems = list(find_problems(self))
        if problems:
            raise OntologyError("\n".join(f"ontology {self.name}: {problem}" for problem in problems))

    @cached_property
    def index(self) -> dict[str, int]:
        """Concept id -> its place in `concepts`."""
        return {concept.id: place for place, concept in enumerate(self.concepts)}

    @cached_property
    def by_facet(self) -> dict[str, list[int]]:
        """Facet id -> the places of its concepts."""
        found: dict[str, list[int]] = {facet.id: [] for facet in self.facets}
        for place, concept in enumerate(self.concepts):
            found[concept.facet].append(place)
        return found

    @cached_property
    def ancestors(self) -> dict[str, frozenset[str]]:
        """Concept id -> all broader ones, itself not among them."""
        broader = {concept.id: concept.broader for concept in self.concepts}
        return _reachable(broader)

    @cached_property
    def answers(self) -> dict[str, Any]:
        """Facet id -> (A, C) of 0 and 1: the concepts of each answer of a single facet, a sparse matrix.

        An answer is one of the facet's concepts, in order, with all that are broader; none comes first where
        a text may have none.
        """
        from scipy.sparse import csr_array

        found = {}
        for facet in self.facets:
            if facet.single:
                rows = [list[int]()] if facet.cardinality is Cardinality.at_most_one else []
                for place in self.by_facet[facet.id]:
                    broader = self.ancestors[self.concepts[place].id]
                    rows.append(sorted([place, *(self.index[name] for name in broader)]))
                columns = [place for row in rows for place in row]
                ends = list(itertools.accumulate(map(len, rows), initial=0))
                shape = (len(rows), len(self.concepts))
                found[facet.id] = csr_array(([1.0] * len(columns), columns, ends), shape=shape)
        return found

    @cached_property
    def closure(self) -> dict[str, frozenset[str]]:
        """Concept id -> all that is chosen with it: itself, what is broader and what is implied."""
        edges = {concept.id: list(concept.broader) for concept in self.concepts}
        for source, target in self.implies:
            edges[source].append(target)
        return {concept: found | {concept} for concept, found in _reachable(edges).items()}

    @cached_property
    def depth(self) -> dict[str, int]:
        """Concept id -> the length of the longest way up, 0 for a top concept."""
        found: dict[str, int] = {}
        for concept in sorted(self.concepts, key=lambda item: len(self.ancestors[item.id])):
            found[concept.id] = max((found[parent] + 1 for parent in concept.broader), default=0)
        return found

    @cached_property
    def levels(self) -> dict[str, dict[int, list[int]]]:
        """Facet id -> depth -> the places of the facet's concepts of that depth, in order."""
        found: dict[str, dict[int, list[int]]] = {facet.id: {} for facet in self.facets}
        for place, concept in enumerate(self.concepts):
            found[concept.facet].setdefault(self.depth[concept.id], []).append(place)
        return found

    @cached_property
    def heights(self) -> dict[str, list[int]]:
        """Facet id -> of each of its concepts the number of those chosen with it, itself and all broader."""
        return {
            facet: [1 + len(self.ancestors[self.concepts[place].id]) for place in places]
            for facet, places in self.by_facet.items()
        }

    @cached_property
    def trees(self) -> frozenset[str]:
        """The facets none of whose concepts has two broader ones."""
        crossing = {concept.facet for concept in self.concepts if len(concept.broader) > 1}
        return frozenset(facet.id for facet in self.facets if facet.id not in crossing)

    def most_specific(self, chosen: Sequence[str]) -> tuple[str, ...]:
        """Return the chosen concepts that are broader than no other chosen one, in the ontology's order."""
        above = frozenset().union(*(self.ancestors[concept] for concept in chosen))
        return tuple(sorted((item for item in set(chosen) if item not in above), key=self.index.__getitem__))

    def path(self, concept: str) -> str:
        """Return the labels from a top concept down to this one, by its first broader ones."""
        found = self.concepts[self.index[concept]]
        above = f"{self.path(found.broader[0])} > " if found.broader else ""
        return above + found.label

    @property
    def row(self) -> dict[str, Any]:
        """The ontology as plain JSON."""
        return {
            "name": self.name,
            "facets": [
                {"id": item.id, "label": item.label, "cardinality": item.cardinality.value}
                for item in self.facets
            ],
            "concepts": [_plain(item) for item in self.concepts],
            "relations": [_plain(item) for item in self.relations],
            "disjoint": [list(pair) for pair in self.disjoint],
            "implies": [list(pair) for pair in self.implies],
        }

    @property
    def digest(self) -> str:
        """The sha256 of the plain form."""
        return hashlib.sha256(json.dumps(self.row, sort_keys=True).encode()).hexdigest()


def _plain(item: Concept | Relation) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in vars(item).items()}


def read_ontology_row(row: Mapping[str, Any]) -> Ontology:
    """Return the ontology of its plain form."""

    def item(kind: Any, given: Mapping[str, Any]) -> Any:
        return kind(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
        )

    return Ontology(
        name=row["name"],
        facets=tuple(Facet(it["id"], it["label"], Cardinality(it["cardinality"])) for it in row["facets"]),
        concepts=tuple(item(Concept, given) for given in row["concepts"]),
        relations=tuple(item(Relation, given) for given in row["relations"]),
        disjoint=tuple((left, right) for left, right in row["disjoint"]),
        implies=tuple((left, right) for left, right in row["implies"]),
    )


def directed(relation: str, source: str, target: str) -> str:
    """Return the id of a relation in one direction, such as Cause-Effect(e2,e1)."""
    return f"{relation}({source},{target})"


def relation_concepts(relation: Relation) -> list[Concept]:
    """Return the concepts of a relation: itself, and below it one for each direction if it is directed."""
    whole = Concept(relation.id, relation.facet, relation.label, relation.definition)
    if not relation.directed:
        return [whole]
    ways = (("e1", "e2"), ("e2", "e1"))
    return [
        whole,
        *(
            Concept(
                directed(relation.id, *way),
                relation.facet,
                f"{relation.label} ({way[0]} to {way[1]})",
                "",
                (relation.id,),
            )
            for way in ways
        ),
    ]


def violations(ontology: Ontology, chosen: Sequence[str]) -> list[str]:
    """Return each rule that a set of concepts breaks, as a sentence; `chosen` has ancestors named too."""
    broken, named = [], set(chosen)
    for concept in chosen:
        missing = sorted(ontology.closure[concept] - named)
        if missing:
            broken.append(f"{concept} without {', '.join(missing)}")
    broken += [f"{left} with {right}" for left, right in ontology.disjoint if {left, right} <= named]
    for facet in ontology.facets:
        own = [item for item in chosen if ontology.concepts[ontology.index[item]].facet == facet.id]
        number = len(ontology.most_specific(own)) if own else 0
        if facet.single and number > 1:
            broken.append(f"{facet.id} has {number} concepts, at most one is allowed")
        if facet.single and facet.cardinality is not Cardinality.at_most_one and number == 0:
            broken.append(f"{facet.id} has no concept, exactly one is needed")
    return broken


def _reachable(edges: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    """Return node -> all nodes on the ways from it; the node itself only if it is on a cycle."""
    found: dict[str, frozenset[str]] = {}
    for start in edges:
        seen: set[str] = set()
        ahead = list(edges[start])
        while ahead:
            node = ahead.pop()
            if node not in seen:
                seen.add(node)
                ahead.extend(found[node] if node in found else edges[node])
        found[start] = frozenset(seen)
    return found
