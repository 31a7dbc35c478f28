import re
from pathlib import Path

import pytest

from shared.errors import DataError
from shared.ontology import Cardinality, Concept, Facet, Relation
from tasks.ontology import short_form
from tasks.ontology.short_form import read_short_form
from tests.tasks.ontology.ontology_files import DESK, broader, concepts, written


def test_the_short_form_gives_facets_and_concepts_in_their_order(tmp_path: Path) -> None:
    ontology = read_short_form(written(tmp_path, DESK))
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
    ontology = read_short_form(written(tmp_path, DESK))
    relation = Relation("Cause-Effect", "relation", "cause and effect", "", True, ("event",), ("event",))
    assert ontology.relations == (relation,)
    assert ontology.disjoint == (
        ("fx", "mortgages"),
        ("negative", "neutral"),
        ("negative", "positive"),
        ("neutral", "positive"),
    )
    assert ontology.implies == (("fx", "neutral"),)


def test_the_example_of_the_docstring_can_be_read(tmp_path: Path) -> None:
    example = str(short_form.__doc__).split("broader concepts:\n\n")[1]
    ontology = read_short_form(written(tmp_path, "\n".join(line[4:] for line in example.splitlines())))
    assert ontology.implies == (("mortgages", "Cause-Effect(e1,e2)"),)


def test_a_file_without_a_name_is_named_after_itself(tmp_path: Path) -> None:
    path = written(tmp_path, "facets: {tone: {concepts: [good]}}", "house.yml")
    ontology = read_short_form(path)
    assert (ontology.name, ontology.facets) == ("house", (Facet("tone", "tone", Cardinality.any_number),))


def test_names_are_read_as_they_are_written(tmp_path: Path) -> None:
    """YAML takes no for false, null for nothing, 1.10 for 1.1 and 010 for 8."""
    path = written(tmp_path, "facets: {a: {concepts: [no, null, 1.10, 010]}}")
    assert list(read_short_form(path).index) == ["no", "null", "1.10", "010"]


def test_concepts_may_be_nested_in_their_facet(tmp_path: Path) -> None:
    path = written(tmp_path, "facets: {a: {concepts: {x: {narrower: {y: {narrower: [z]}}}}}}")
    assert broader(read_short_form(path)) == {"x": (), "y": ("x",), "z": ("y",)}


def test_a_relation_without_direction_is_one_concept(tmp_path: Path) -> None:
    path = written(tmp_path, "facets: {link: }\nrelations: {Other: {facet: link, directed: false}}")
    assert concepts(read_short_form(path)) == {"Other": ("link", "other", "", frozenset())}


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
        read_short_form(path)
