import contextlib
import random
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from rdflib import OWL, RDF, SKOS, BNode, Graph, Literal, Namespace, URIRef
from rdflib.collection import Collection

from shared.errors import DataError, UserError
from shared.ontology import Cardinality, Concept, Facet, Ontology, OntologyError, Relation
from tasks.ontology.reader import FORMATS, read_ontology, read_ontology_facts

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


# The short form


def test_the_short_form_gives_facets_and_concepts_in_their_order(tmp_path: Path) -> None:
    ontology = read_ontology(written(tmp_path, DESK))
    assert ontology.name == "desk"
    assert ontology.facets == (
        Facet("topic", "Topic", Cardinality.exactly_one),
        Facet("tone", "tone", Cardinality.ordinal),
        Facet("score", "score", Cardinality.number),
        Facet("relation", "relation", Cardinality.at_most_one),
    )
    assert ontology.concepts == (
        Concept("negative", "tone", "negative"),
        Concept("neutral", "tone", "neutral"),
        Concept("positive", "tone", "positive"),
        Concept("markets", "topic", "Markets", "What is bought and sold, and at what price."),
        Concept("rates", "topic", "rates", "The price of money.", ("markets",)),
        Concept("fx", "topic", "fx", "", ("markets",)),
        Concept("banks", "topic", "banks"),
        Concept("lending", "topic", "lending", "", ("banks",)),
        Concept("bank_deposits", "topic", "bank deposits", "", ("banks",)),
        Concept("mortgages", "topic", "mortgages", "", ("lending", "rates")),
        Concept("Cause-Effect", "relation", "cause and effect"),
        Concept("Cause-Effect(e1,e2)", "relation", "cause and effect (e1 to e2)", "", ("Cause-Effect",)),
        Concept("Cause-Effect(e2,e1)", "relation", "cause and effect (e2 to e1)", "", ("Cause-Effect",)),
    )


def test_the_short_form_gives_relations_and_rules(tmp_path: Path) -> None:
    ontology = read_ontology(written(tmp_path, DESK))
    relation = Relation("Cause-Effect", "relation", "cause and effect", "", True, ("event",), ("event",))
    assert ontology.relations == (relation,)
    assert ontology.disjoint == (
        ("fx", "mortgages"),
        ("negative", "neutral"),
        ("negative", "positive"),
        ("neutral", "positive"),
    )
    assert ontology.implies == (("fx", "neutral"),)


def test_the_short_form_counts_relations_not_as_declared_concepts(tmp_path: Path) -> None:
    assert read_ontology_facts(written(tmp_path, DESK)).declared == 10


def test_the_example_of_the_docstring_can_be_read(tmp_path: Path) -> None:
    import tasks.ontology.reader as reader

    example = str(reader.__doc__).split("broader concepts:\n\n")[1]
    ontology = read_ontology(written(tmp_path, "\n".join(line[4:] for line in example.splitlines())))
    assert ontology.implies == (("mortgages", "Cause-Effect(e1,e2)"),)


def test_a_file_without_a_name_is_named_after_itself(tmp_path: Path) -> None:
    path = written(tmp_path, "facets: {tone: {concepts: [good]}}", "house.yml")
    ontology = read_ontology(path)
    assert (ontology.name, ontology.facets) == ("house", (Facet("tone", "tone", Cardinality.any_number),))


def test_names_are_read_as_they_are_written(tmp_path: Path) -> None:
    """YAML takes no for false, null for nothing, 1.10 for 1.1 and 010 for 8."""
    path = written(tmp_path, "facets: {a: {concepts: [no, null, 1.10, 010]}}")
    assert list(read_ontology(path).index) == ["no", "null", "1.10", "010"]


def test_concepts_may_be_nested_in_their_facet(tmp_path: Path) -> None:
    path = written(tmp_path, "facets: {a: {concepts: {x: {narrower: {y: {narrower: [z]}}}}}}")
    assert broader(read_ontology(path)) == {"x": (), "y": ("x",), "z": ("y",)}


def test_a_relation_without_direction_is_one_concept(tmp_path: Path) -> None:
    path = written(tmp_path, "facets: {link: }\nrelations: {Other: {facet: link, directed: false}}")
    assert concepts(read_ontology(path)) == {"Other": ("link", "other", "", frozenset())}


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("", None, "the file is empty"),
        ("facets: [a", 1, "not YAML: while parsing a flow sequence, expected ',' or ']'"),
        ("facets:\n\ta:", 2, "not YAML: while scanning for the next token, found character '\\t'"),
        ("a: 1\n---\nb: 1", 2, "not YAML: expected a single document in the stream"),
        ("a: *b", 1, "not YAML: found undefined alias"),
        ("name: a\nfacets: {a\x07: }", 2, "not YAML: the character 0x7, special characters"),
        ("- a", 1, "expected a mapping, found a list"),
        ("fasets: {}", 1, "unknown field 'fasets' of an ontology (did you mean 'facets'?); allowed: name, f"),
        ("name: [a]\nfacets: {a: {concepts: [b]}}", 1, "expected a text, found a list"),
        ("facets:\n  a: {kardinality: number}", 2, "unknown field 'kardinality' of a facet (did you mean 'c"),
        (
            "facets:\n  a: {cardinality: exactly-one}",
            2,
            "unknown cardinality 'exactly-one' (did you mean 'exactly_one'?); allowed: exactly_one, at_most",
        ),
        ("facets:\n  a: ordinal", 2, "expected a mapping, found 'ordinal'"),
        ("facets:\n  a:\n  b:\n  a:", 4, "'a' stands on line 2 too"),
        ("facets: {a: {concepts: [b, c,\n b]}}", 2, "'b' stands on line 1 too"),
        ("facets: {a: {concepts: [b, [c]]}}", 1, "expected a name, found a list"),
        ("facets: {a: {concepts: [b, '']}}", 1, "expected a name, found ''"),
        ("facets: {a: {concepts: [b, ~]}}", 1, "expected a name, found nothing"),
        ("facets: {a: {concepts: b}}", 1, "expected a mapping, found 'b'"),
        ("facets: {topic: }\nconcepts:\n  topics: [b]", 3, "unknown facet 'topics' (did you mean 'topic'?)"),
        ("facets: {a: , b: }\nconcepts:\n  c: [d]", 3, "unknown facet 'c'; facets: a, b"),
        ("facets: {a: }\nconcepts:\n  a:\n    x: {labl: X}", 4, "unknown field 'labl' of a concept (did you"),
        ("facets: {a: }\nconcepts:\n  a:\n    x: Label", 4, "expected a mapping, found 'Label'"),
        ("facets: {a: }\nconcepts:\n  a:\n    x: {broader: y}", 4, "expected a list, found 'y'"),
        (
            "facets: {a: }\nconcepts:\n  a:\n    rates:\n    fx: {broader: [rate]}",
            5,
            "unknown concept 'rate' (did you mean 'rates'?); concepts: rates, fx",
        ),
        (
            "facets: {a: {concepts: [x]}, b: {concepts: {y:\n {broader: [x]}}}}",
            2,
            "'y' of b has the broader concept 'x' of a",
        ),
        (
            "facets: {a: {concepts: &c {x: {narrower: *c}}}}",
            1,
            "'x' stands on line 1 too",
        ),
        ("facets: {a: {concepts: [b]}}\ndisjoint: [[b, c]]", 2, "unknown concept 'c'; concepts: b"),
        ("facets: {a: {concepts: [b]}}\ndisjoint: [b]", 2, "expected a list, found 'b'"),
        (
            "facets: {a: {concepts: [b]}}\ndisjoint: [[b]]",
            2,
            "1 concepts; expected two or more, as in [a, b]",
        ),
        (
            "facets: {a: {concepts: [b, c, d]}}\nimplies:\n - [b, c]\n - [b, c, d]",
            4,
            "3 concepts; expected 2, as in [a, b]",
        ),
        (
            "facets: {relations: }\nrelations:\n  R: ",
            3,
            "'R' is of the unknown facet 'relation'; facets: rel",
        ),
        ("facets: {a: }\nrelations:\n  R: {facet: a, directed: 1}", 3, "expected true or false, found '1'"),
        (
            "facets: {a: }\nrelations:\n  R: {facet: a}\n  R(e1,e2): {facet: a}",
            4,
            "'R(e1,e2)' stands on line 3 too",
        ),
    ],
)
def test_a_mistake_in_the_short_form_names_its_line_what_was_found_and_what_is_allowed(
    tmp_path: Path, content: str, line: int | None, problem: str
) -> None:
    path = written(tmp_path, content)
    place = f"{path}:{line}" if line else str(path)
    with pytest.raises(DataError, match=re.escape(f"{place}: {problem}")):
        read_ontology(path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("facets: {a: }", "facet a has no concept"),
        ("facets: {a: {cardinality: number, concepts: [b]}}", "facet a is a number and has concepts"),
        (
            "facets: {a: {concepts: {b: {broader: [c]}, c: {broader: [b]}}}}",
            "a cycle of broader concepts: b < c < b",
        ),
        (
            "facets: {a: {concepts: {b: , c: , d: {broader: [b, c]}}}}\ndisjoint: [[b, c]]",
            "d can never be chosen: it brings b and c, which are disjoint",
        ),
    ],
)
def test_a_contradiction_names_the_file_and_the_concepts(tmp_path: Path, content: str, problem: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(OntologyError, match=re.escape(f"{path}: ontology desk: {problem}")):
        read_ontology(path)


@pytest.mark.parametrize("name", ["a.yaml", "a.ttl", "a.jsonld"])
def test_what_is_not_utf8_names_the_byte_and_the_line(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, b"\xef\xbb\xbfa\nb\xe9: \n", name)
    with pytest.raises(DataError, match=re.escape(f"{path}:2: not UTF-8: byte 0xe9 at column 2")):
        read_ontology(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.yaml", "[" * 5000),
        ("a.ttl", "<#a> <#b> " + "[" * 5000),
        ("a.jsonld", "[" * 100_000),
    ],
)
def test_what_is_nested_too_deeply_is_refused(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(DataError, match="nested too deeply"):
        read_ontology(written(tmp_path, content, name))


def test_a_missing_file_is_a_data_error_with_its_path(tmp_path: Path) -> None:
    for name in ("none.yaml", "none.ttl"):
        with pytest.raises(DataError, match=rf"{name}: cannot be read: No such file"):
            read_ontology(tmp_path / name)


def test_another_suffix_is_refused_with_the_allowed_ones(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=re.escape("'.yamll' is no format of ontologies (did you mean '.yaml'?")
    ):
        read_ontology(written(tmp_path, "", "a.yamll"))
    with pytest.raises(DataError, match=r"no suffix says what format it has; allowed: \.ttl, \.rdf"):
        read_ontology(written(tmp_path, "", "a"))


# SKOS


def test_skos_schemes_are_facets_and_concepts_have_broader_ones(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        TURTLE
        + """\
        :topic skos:prefLabel "Thema"@de, "Topic"@en ; skos:hasTopConcept :markets .
        :tone a skos:ConceptScheme .
        :markets a skos:Concept ; skos:narrower :rates .
        :rates a skos:Concept .
        :USMortgages a skos:Concept ; skos:broader :rates ; rs:implies :bad ; skos:inScheme :topic .
        :good a skos:Concept ; skos:topConceptOf :tone .
        :bad a skos:Concept ; skos:inScheme :tone ;
          <http://www.w3.org/2002/07/owl#disjointWith> :good .
        """,
        "desk.ttl",
    )
    ontology = read_ontology(path)
    assert (ontology.name, ontology.implies) == ("desk", (("USMortgages", "bad"),))
    assert ontology.disjoint == (("bad", "good"),)
    assert broader(ontology) == {
        "bad": (),
        "good": (),
        "USMortgages": ("rates",),
        "markets": (),
        "rates": ("markets",),
    }
    assert [ontology.concepts[place].id for place in ontology.by_facet["tone"]] == ["bad", "good"]
    assert ontology.facets == (
        Facet("tone", "tone", Cardinality.any_number),
        Facet("topic", "Topic", Cardinality.exactly_one),
    )


def test_skos_labels_are_english_where_there_are_any(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        TURTLE
        + """\
        :a a skos:Concept ; skos:inScheme :topic ;
          skos:prefLabel "x"@en-US, "interest rates"@en, "Zinsen"@de ;
          skos:definition "the price\\n  of money"@en .
        :b a skos:Concept ; skos:broader :a ; skos:prefLabel "Märkte"@de, "Markets" .
        :USMortgage_loans a skos:Concept ; skos:broader :a, :b .
        """,
        "desk.ttl",
    )
    assert read_ontology(path).concepts == (
        Concept("USMortgage_loans", "topic", "US mortgage loans", "", ("a", "b")),
        Concept("a", "topic", "interest rates", "the price of money"),
        Concept("b", "topic", "Markets", "", ("a",)),
    )


def test_local_names_that_clash_become_prefixed_ones(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        TURTLE
        + """\
        @prefix loans: <https://example.org/loans/> .
        loans:Party a skos:Concept ; skos:inScheme :topic .
        <https://example.org/deals/Party> a skos:Concept ; skos:inScheme :topic .
        <https://example.org/a/x/Person> a skos:Concept ; skos:inScheme :topic .
        <https://example.org/b/x/Person> a skos:Concept ; skos:inScheme :topic .
        """,
        "desk.ttl",
    )
    assert list(read_ontology(path).index) == [
        "deals:Party",
        "https://example.org/a/x/Person",
        "https://example.org/b/x/Person",
        "loans:Party",
    ]


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        ("", "no skos:Concept, owl:Class or rdfs:Class is declared"),
        (":a a skos:Concept .", "a is in no concept scheme: add skos:inScheme"),
        (
            ":a a skos:Concept ; skos:inScheme :topics .",
            "a is in topics, which is no skos:ConceptScheme (did you mean 'topic'?)",
        ),
        (
            ":tone a skos:ConceptScheme . :a a skos:Concept ; skos:inScheme :topic, :tone .",
            "a is in several concept schemes, tone, topic; allowed: one",
        ),
        (
            ":rates a skos:Concept ; skos:inScheme :topic . :b a skos:Concept ; skos:broader :rate, :rates .",
            "skos:broader of b: rate (https://example.org/desk#rate) is no declared concept (did you mean ",
        ),
        (
            ":a a skos:Concept ; skos:inScheme :topic ; skos:narrower :x .",
            "skos:narrower of a: x (https://example.org/desk#x) is no declared concept",
        ),
        (
            ":tone a skos:ConceptScheme . :a a skos:Concept ; skos:inScheme :topic ."
            ":b a skos:Concept ; skos:inScheme :tone ; skos:broader :a .",
            "b of tone has the broader concept a, which is in topic",
        ),
        (
            ":tone a skos:ConceptScheme ; rs:cardinality 'ordinals' .",
            "tone: unknown cardinality 'ordinals' (did you mean 'ordinal'?); allowed: exactly_one, at",
        ),
        (
            ":a a skos:Concept ; skos:inScheme :topic ; rs:implys :a .",
            "unknown property https://rightsize.dev/ns#implys (did you mean 'https://rightsize.dev/ns#implies'?)",
        ),
        (
            ":a a skos:Concept ; skos:inScheme :topic ; rs:implies :b .",
            "rs:implies: b (https://example.org/desk#b) is no declared concept",
        ),
        (
            ":tone a skos:ConceptScheme ; rs:cardinality 'ordinal' ."
            ":a a skos:Concept ; skos:inScheme :tone ."
            ":c a skos:OrderedCollection ; skos:memberList (:a :b) .",
            "tone is ordinal and has no order: add a skos:OrderedCollection whose skos:memberList has each",
        ),
    ],
)
def test_a_mistake_in_skos_names_the_concept_and_what_is_allowed(
    tmp_path: Path, statements: str, problem: str
) -> None:
    path = written(tmp_path, TURTLE + statements, "desk.ttl")
    with pytest.raises(OntologyError, match=re.escape(f"{path}: ")) as error:
        read_ontology(path)
    assert problem in str(error.value)


def test_all_mistakes_are_named_up_to_eight(tmp_path: Path) -> None:
    statements = " ".join(f":c{number} a skos:Concept ." for number in range(10))
    with pytest.raises(OntologyError, match=r"c0 is in no concept(?s:.*)c7 is in no concept.*\nand 2 more$"):
        read_ontology(written(tmp_path, TURTLE + statements, "desk.ttl"))


# SKOS in every form says what the short form says


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


@pytest.mark.parametrize("seed", range(12))
def test_skos_in_every_form_is_the_ontology_of_the_short_form(tmp_path: Path, seed: int) -> None:
    path = written(tmp_path, yaml.safe_dump(random_ontology(seed), sort_keys=False, allow_unicode=True))
    expected = read_ontology(path)
    graph = skos_graph(expected)
    rdf = []
    for name in ("desk.ttl", "desk.rdf", "desk.owl", "desk.xml", "desk.jsonld", "desk.json"):
        content = graph.serialize(format=FORMATS[Path(name).suffix])
        rdf.append(read_ontology(written(tmp_path, content, name)))
    assert len({ontology.digest for ontology in rdf}) == 1
    assert concepts(rdf[0]) == concepts(expected)
    assert set(rdf[0].facets) == set(expected.facets)
    assert {frozenset(pair) for pair in rdf[0].disjoint} == {frozenset(pair) for pair in expected.disjoint}
    assert rdf[0].implies == expected.implies
    tones = [[it.id for it in ontology.concepts if it.facet == "tone"] for ontology in (rdf[0], expected)]
    assert tones[0] == tones[1]


# OWL


def test_owl_classes_are_the_concepts_of_one_facet_with_all_named_parents(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        OWL_TURTLE
        + """\
        <https://example.org/loans/> a owl:Ontology ; rdfs:label "Loans Ontology" ;
          owl:imports <https://example.org/loans/>, <https://example.org/deals/> .
        :Loan a owl:Class ; rdfs:subClassOf owl:Thing, :CreditAgreement ; rdfs:comment "not this" ;
          skos:definition "money lent" .
        :Secured a rdfs:Class ; rdfs:label "besichert"@de, "secured"@en ; rdfs:comment "has collateral" .
        :Mortgage a owl:Class ; rdfs:subClassOf :Loan, :Secured,
          [ a owl:Restriction ; owl:onProperty :has ; owl:someValuesFrom :Loan ] .
        :lender a owl:ObjectProperty ; rdfs:label "has lender" ; rdfs:domain :Loan ; rdfs:range :Party ;
          rdfs:domain [ a owl:Class ; owl:unionOf (:Mortgage :Bond) ] .
        :near a owl:ObjectProperty, owl:SymmetricProperty ; rdfs:subPropertyOf :lender ;
          rdfs:domain [ a owl:Restriction ] .
        """,
        "loans.ttl",
    )
    found = read_ontology_facts(path, cardinality=Cardinality.at_most_one)
    assert found.ontology.facets == (
        Facet("class", "Loans Ontology", Cardinality.at_most_one),
        Facet("relation", "relation", Cardinality.any_number),
    )
    assert found.ontology.concepts[:4] == (
        Concept("CreditAgreement", "class", "credit agreement"),
        Concept("Loan", "class", "loan", "money lent", ("CreditAgreement",)),
        Concept("Mortgage", "class", "mortgage", "", ("Loan", "Secured")),
        Concept("Secured", "class", "secured", "has collateral"),
    )
    assert [concept.id for concept in found.ontology.concepts[4:]] == [
        "lender",
        "lender(e1,e2)",
        "lender(e2,e1)",
        "near",
    ]
    assert found.ontology.relations == (
        Relation("lender", "relation", "has lender", "", True, ("Bond", "Loan", "Mortgage"), ("Party",)),
        Relation("near", "relation", "near", "", False),
    )
    assert (found.declared, found.declarations, found.dangling) == (3, 3, ("CreditAgreement",))
    assert found.unread_imports == ("https://example.org/deals/",)
    assert found.skipped == {
        "superclasses": 1,
        "domains and ranges": 1,
        "disjoint pairs": 0,
        "equivalent classes": 0,
        "subproperties": 1,
    }


def test_owl_disjoint_classes_are_read_in_all_three_forms(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        OWL_TURTLE
        + """\
        :A a owl:Class ; owl:disjointWith :B, :Elsewhere, [ a owl:Restriction ] .
        :B a owl:Class ; owl:disjointWith :A .
        :C a owl:Class . :D a owl:Class . :E a owl:Class . :F a owl:Class .
        [] a owl:AllDisjointClasses ; owl:members (:D :B :C) .
        :A owl:disjointUnionOf (:E :F) .
        """,
        "loans.ttl",
    )
    found = read_ontology_facts(path)
    assert found.ontology.disjoint == (("A", "B"), ("B", "C"), ("B", "D"), ("C", "D"), ("E", "F"))
    assert broader(found.ontology) == {"A": (), "B": (), "C": (), "D": (), "E": ("A",), "F": ("A",)}
    assert found.skipped["disjoint pairs"] == 2


def test_a_list_that_runs_in_a_circle_ends(tmp_path: Path) -> None:
    circle = "_:l <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> _:l . :A owl:disjointUnionOf _:l ."
    path = written(tmp_path, OWL_TURTLE + ":A a owl:Class . " + circle, "a.ttl")
    assert read_ontology(path).disjoint == ()


def test_a_folder_is_read_into_one_graph(tmp_path: Path) -> None:
    loans = OWL_TURTLE + "<https://example.org/loans/> a owl:Ontology . _:x a owl:Class . :Loan a owl:Class ."
    deals = f"""{XML}
      <owl:Ontology rdf:about="https://example.org/deals/">
        <owl:imports rdf:resource="https://example.org/loans/"/>
      </owl:Ontology>
      <owl:Class rdf:about="https://example.org/loans/Loan"/>
      <owl:Class rdf:about="https://example.org/deals/Deal">
        <rdfs:subClassOf rdf:resource="https://example.org/loans/Loan"/>
      </owl:Class>
    </rdf:RDF>"""
    written(tmp_path, deals, "b/deals.rdf")
    written(tmp_path, loans, "a/loans.ttl")
    written(tmp_path, "<catalog/>", "a/catalog.xml")
    found = read_ontology_facts(tmp_path)
    assert broader(found.ontology) == {"Deal": ("Loan",), "Loan": ()}
    assert (found.ontology.name, found.declared, found.declarations) == (tmp_path.name, 2, 3)
    assert (found.dangling, found.unread_imports) == ((), ())


def test_a_folder_without_rdf_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no ontology below this folder; read: \.ttl, \.rdf, "):
        read_ontology(tmp_path)


def test_fibo_is_read_whole_without_its_imports(public_data_dir: Path) -> None:
    """Its files hold 309 declarations, of 305 classes: four are declared in two files each."""
    found = read_ontology_facts(public_data_dir / "fibo")
    assert (found.declarations, found.declared) == (309, 305)
    assert len(found.dangling) == 97 and "CreditAgreement" in found.dangling
    assert len(found.unread_imports) == 78
    assert found.skipped["superclasses"] == 359
    assert len(found.ontology.by_facet["class"]) == 305 + 97
    assert len(found.ontology.relations) == 63
    assert len(found.ontology.disjoint) == 14
    closed = found.ontology.concepts[found.ontology.index["ClosedEndCredit"]]
    assert (closed.label, closed.broader) == ("closed-end credit", ("CreditAgreement",))
    assert not found.ontology.is_tree("class")


# Damaged and hostile files


@pytest.mark.parametrize(
    ("name", "content", "line", "problem"),
    [
        ("a.ttl", "@prefix : <#> .\n:a :b\n  :c :d .", 3, "not turtle: expected '.' or '}' or ']' at end of"),
        ("a.ttl", "\nx:a x:b x:c .", 2, 'not turtle: Prefix "x:" not bound'),
        ("a.rdf", XML + "<owl:Class>\n</rdf:RDF>", 4, "not XML: mismatched tag"),
        ("a.owl", "", 1, "not XML: no element found"),
        ("a.xml", "<?xml version='1.0' encoding='nope'?><a/>", 1, "not XML: unknown encoding"),
        ("a.rdf", f"{XML}<owl:Class rdf:about='&here;'/></rdf:RDF>", 3, "not XML: undefined entity"),
        ("a.rdf", f"{XML}\n<rdf:li/></rdf:RDF>", 4, "not xml: Invalid node element URI"),
        ("a.jsonld", '{"@id":\n}', 2, "not JSON: Expecting value"),
        ("a.json", "", 1, "not JSON: Expecting value"),
        ("a.json", "3", None, "an object or a list is expected, found 3"),
        ("a.json", '{"@reverse": 4}', None, "not json-ld: "),
        ("a.json", '{"@context": {"a": {"@id": "http://a#", "@type": 5}}, "a": 1}', None, "not json-ld: "),
    ],
)
def test_a_damaged_file_is_a_data_error_with_its_line(
    tmp_path: Path, name: str, content: str, line: int | None, problem: str
) -> None:
    path = written(tmp_path, content, name)
    place = f"{path}:{line}" if line else str(path)
    with pytest.raises(DataError, match=re.escape(f"{place}: {problem}")):
        read_ontology(path)


@pytest.mark.parametrize("name", ["a.yaml", "a.ttl", "a.rdf", "a.jsonld"])
def test_a_file_damaged_anywhere_is_read_or_refused(tmp_path: Path, name: str) -> None:
    rng = random.Random(name)
    path = written(tmp_path, yaml.safe_dump(random_ontology(3)), "a.yaml")
    whole = path.read_bytes()
    if name != "a.yaml":
        whole = skos_graph(read_ontology(path)).serialize(format=FORMATS[Path(name).suffix]).encode()
    for _ in range(50):
        content = bytearray(whole)
        for place in rng.sample(range(len(content) - 20), 3):
            content[place : place + rng.randint(0, 20)] = rng.choice(
                [b"", b"<", b"]", b":", b'"', b"&", b"\xff"]
            )
        with contextlib.suppress(UserError):
            read_ontology(written(tmp_path, bytes(content), name))


def test_internal_entities_are_expanded(tmp_path: Path) -> None:
    entities = '<!DOCTYPE rdf:RDF [\n<!ENTITY ex "https://example.org/">\n<!ENTITY deals "&ex;deals/">\n]>\n'
    content = f'{entities}{XML}<owl:Class rdf:about="&deals;Deal"/></rdf:RDF>'
    assert list(read_ontology(written(tmp_path, content, "a.rdf")).index) == ["Deal"]


def nested_entities() -> str:
    """Return ten entities of ten each: ten thousand million characters when expanded."""
    return '<!ENTITY l0 "0123456789">\n' + "\n".join(
        f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 10)
    )


@pytest.mark.parametrize(
    ("doctype", "line", "problem"),
    [
        (
            f"<!DOCTYPE a [\n{nested_entities()}]>",
            5,
            "the entity 'l3' is too long when expanded; allowed: 1000",
        ),
        (f'<!DOCTYPE a [\n<!ENTITY x "{"a" * 1001}">]>', 2, "the entity 'x' is too long when expanded"),
        (
            '<!DOCTYPE a [\n<!ENTITY x "&y;">\n<!ENTITY y "a">]>',
            2,
            "the entity 'x' is too long when expanded",
        ),
        (
            '<!DOCTYPE a [\n<!ENTITY x SYSTEM "secret.txt">]>',
            2,
            "the entity 'x' stands for the file 'secret.txt', which is not read",
        ),
        (
            '<!DOCTYPE a [\n<!ENTITY % x SYSTEM "secret.txt">\n%x;]>',
            2,
            "the entity 'x' stands for the file 'secret.txt', which is not read",
        ),
        ('<!DOCTYPE a SYSTEM "secret.dtd">', 1, "the DOCTYPE names the file 'secret.dtd', which is not read"),
    ],
    ids=["nested", "long", "forward", "external", "external parameter", "external DTD"],
)
def test_entities_that_blow_up_or_name_files_are_refused(
    tmp_path: Path, doctype: str, line: int, problem: str
) -> None:
    path = written(tmp_path, f"{doctype}<a>&l9;&x;</a>", "a.rdf")
    with pytest.raises(DataError, match=re.escape(f"{path}:{line}: {problem}")):
        read_ontology(path)


@pytest.mark.parametrize("content", ["<a>{}</a>", "<a b='{}'/>"], ids=["text", "attribute"])
def test_one_entity_repeated_many_times_is_refused(tmp_path: Path, content: str) -> None:
    """Expat itself allows a hundred times the file's size, which rdflib takes minutes to gather."""
    doctype = f'<!DOCTYPE a [<!ENTITY x "{"a" * 1000}">]>'
    with pytest.raises(DataError, match="its entities make it more than 20 times as long"):
        read_ontology(written(tmp_path, doctype + content.format("&x;" * 5_000), "a.rdf"))


@pytest.mark.parametrize(
    "content",
    [
        '{"@context": "http://127.0.0.1:9/context.jsonld"}',
        '[{"@context": [{}, "context.jsonld"]}]',
        '{"@context": {"a": {"@id": "http://a#", "@context": "context.jsonld"}}}',
        '{"@context": {"@version": 1.1, "@import": "context.jsonld"}}',
    ],
)
def test_a_context_elsewhere_is_not_fetched(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match=r"names '.*context\.jsonld', which is not fetched: write the con"):
        read_ontology(written(tmp_path, content, "a.jsonld"))
