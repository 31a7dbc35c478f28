"""Ontologies as files: what the tests of every form need."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rdflib import OWL, RDF, SKOS, BNode, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection

from shared.ontology import Cardinality, Ontology

RS = Namespace("https://rightsize.dev/ns#")
EX = Namespace("https://example.org/desk#")

DESK = """\
name: desk
facets:
  topic: {label: Topic, cardinality: exactly_one}
  tone: {cardinality: ordinal, concepts: [negative, neutral, positive]}
  score: {cardinality: number}
  relation: {cardinality: at_most_one}
concepts:
  topic:
    markets:
      label: Markets
      definition: What is bought and sold,
        and at what price.
      narrower:
        rates: {definition: The price of money.}
        fx:
    banks: {narrower: [lending, bank_deposits]}
    mortgages: {broader: [lending, rates]}
relations:
  Cause-Effect: {label: cause and effect, domain: [event], range: [event]}
disjoint: [[fx, mortgages], [negative, neutral, positive]]
implies: [[fx, neutral]]
"""

TURTLE = """\
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix rs: <https://rightsize.dev/ns#> .
@prefix : <https://example.org/desk#> .
:topic a skos:ConceptScheme ; rs:cardinality "exactly_one" .
"""

OWL_TURTLE = """\
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix : <https://example.org/loans/> .
"""

XML = """\
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:owl="http://www.w3.org/2002/07/owl#"
  xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#">
"""


def written(folder: Path, content: str | bytes, name: str = "desk.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def concepts(ontology: Ontology) -> dict[str, tuple[str, str, str, frozenset[str]]]:
    return {it.id: (it.facet, it.label, it.definition, frozenset(it.broader)) for it in ontology.concepts}


def broader(ontology: Ontology) -> dict[str, tuple[str, ...]]:
    return {it.id: it.broader for it in ontology.concepts}


def random_ontology(seed: int) -> dict[str, Any]:
    """Return the short form of a random ontology: ids of all kinds, several parents, rules that agree."""
    rng = random.Random(seed)
    names = ["markets", "M&A", "no", "2020", "US_rates", "Übersicht", "a/b", "c(1,2)", "forward looking"]
    topics: dict[str, Any] = {}
    for number, name in enumerate(names[: rng.randint(2, 9)]):
        above = rng.sample(list(topics), rng.randint(0, min(2, number)))
        topics[name] = {"label": rng.choice(names), "definition": rng.choice(["", 'Zins & "Geld" <1>'])}
        topics[name] |= {"broader": above} if above else {}
    tones = rng.sample(["negative", "neutral", "positive"], 3)
    return {
        "facets": {
            "topic": {"label": "Topic", "cardinality": rng.choice(["any_number", "exactly_one"])},
            "tone": {"cardinality": "ordinal", "concepts": tones},
            "score": {"cardinality": "number"},
        },
        "concepts": {"topic": topics},
        "disjoint": [tones[:2]],
        "implies": [[rng.choice(list(topics)), tones[0]]],
    }


def skos_graph(ontology: Ontology) -> Graph:
    graph = Graph()
    graph.bind("", EX)
    for facet in ontology.facets:
        scheme = EX[facet.id]
        graph.add((scheme, RDF.type, SKOS.ConceptScheme))
        graph.add((scheme, SKOS.prefLabel, Literal(facet.label, lang="en")))
        graph.add((scheme, RS.cardinality, Literal(facet.cardinality.value)))
        if facet.cardinality is Cardinality.ordinal:
            members = [node(ontology.concepts[place].id) for place in ontology.by_facet[facet.id]]
            graph.add((EX.order, SKOS.memberList, listed(graph, members)))
    for concept in ontology.concepts:
        graph.add((node(concept.id), RDF.type, SKOS.Concept))
        graph.add((node(concept.id), SKOS.inScheme, EX[concept.facet]))
        graph.add((node(concept.id), SKOS.prefLabel, Literal(concept.label, lang="en")))
        graph.add((node(concept.id), SKOS.prefLabel, Literal("anders", lang="de")))
        if concept.definition:
            graph.add((node(concept.id), SKOS.definition, Literal(concept.definition)))
        for number, parent in enumerate(concept.broader):
            statement = (node(concept.id), SKOS.broader, node(parent))
            graph.add(statement if number else (node(parent), SKOS.narrower, node(concept.id)))
    for group in ontology.disjoint:
        disjoint = BNode()
        graph.add((disjoint, RDF.type, OWL.AllDisjointClasses))
        graph.add((disjoint, OWL.members, listed(graph, [node(name) for name in group])))
    for left, right in ontology.implies:
        graph.add((node(left), RS.implies, node(right)))
    return graph


def node(name: str) -> URIRef:
    return EX[quote(name, safe="")]


def listed(graph: Graph, members: Iterable[URIRef]) -> BNode:
    head = BNode()
    Collection(graph, head, list(members))
    return head
