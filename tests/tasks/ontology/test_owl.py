from pathlib import Path

from shared.ontology import Cardinality, Concept, Facet, Relation
from tasks.ontology.reader import read_ontology, read_ontology_facts
from tests.tasks.ontology.ontology_files import OWL_TURTLE, broader, written


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
    assert "class" not in found.ontology.trees
