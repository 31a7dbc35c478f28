import re
from pathlib import Path

import pytest

from shared.ontology import Cardinality, Concept, Facet, OntologyError
from tasks.ontology.reader import read_ontology
from tests.tasks.ontology.ontology_files import TURTLE, broader, written


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
