import json
import random
from collections.abc import Sequence

import pytest

from shared.ontology import (
    Cardinality,
    Concept,
    Facet,
    Ontology,
    OntologyError,
    Relation,
    directed,
    read_ontology_row,
    relation_concepts,
    violations,
)

TOPIC = Facet("topic", "Topic", Cardinality.any_number)
TONE = Facet("tone", "tone", Cardinality.exactly_one)


def concept(id: str, *broader: str, facet: str = "topic") -> Concept:
    return Concept(id, facet, id.upper(), "", broader)


def ontology(
    *concepts: Concept,
    facets: Sequence[Facet] = (TOPIC,),
    disjoint: Sequence[tuple[str, str]] = (),
    implies: Sequence[tuple[str, str]] = (),
) -> Ontology:
    return Ontology("desk", tuple(facets), concepts, (), tuple(disjoint), tuple(implies))


def desk(tone: Cardinality = Cardinality.exactly_one) -> Ontology:
    """Return markets over rates and fx; mortgages below lending and rates; fx implies bad."""
    return ontology(
        concept("markets"),
        concept("rates", "markets"),
        concept("fx", "markets"),
        concept("lending"),
        concept("mortgages", "lending", "rates"),
        concept("good", facet="tone"),
        concept("bad", facet="tone"),
        facets=(TOPIC, Facet("tone", "tone", tone)),
        disjoint=(("fx", "lending"),),
        implies=(("fx", "bad"),),
    )


def test_what_a_model_reads_is_the_label_and_the_definition() -> None:
    assert Concept("a", "f", "rates", "the price of money").text == "rates: the price of money"
    assert Concept("a", "f", "rates").text == "rates"


@pytest.mark.parametrize(
    ("cardinality", "single"),
    [
        (Cardinality.exactly_one, True),
        (Cardinality.at_most_one, True),
        (Cardinality.ordinal, True),
        (Cardinality.any_number, False),
        (Cardinality.number, False),
    ],
)
def test_a_single_facet_has_one_concept_at_most(cardinality: Cardinality, single: bool) -> None:
    assert Facet("f", "f", cardinality).single is single


def test_concepts_are_found_by_id_and_by_facet() -> None:
    assert desk().index["fx"] == 2
    assert desk().by_facet == {"topic": [0, 1, 2, 3, 4], "tone": [5, 6]}


def test_ancestors_are_all_broader_concepts_but_not_those_implied() -> None:
    assert desk().ancestors["mortgages"] == {"lending", "rates", "markets"}
    assert desk().ancestors["fx"] == {"markets"}
    assert desk().ancestors["good"] == frozenset()


def test_the_closure_is_all_that_is_chosen_with_a_concept() -> None:
    assert desk().closure["mortgages"] == {"mortgages", "lending", "rates", "markets"}
    assert desk().closure["fx"] == {"fx", "markets", "bad"}
    assert desk().closure["good"] == {"good"}


def test_the_closure_takes_what_is_implied_by_broader_concepts_and_what_is_broader_than_implied() -> None:
    found = ontology(
        concept("a"), concept("b", "a"), concept("c"), concept("d", "c"), implies=[("a", "d")]
    ).closure
    assert found["b"] == {"b", "a", "d", "c"}


def test_concepts_that_imply_each_other_are_allowed() -> None:
    found = ontology(concept("a"), concept("b"), implies=[("a", "b"), ("b", "a")]).closure
    assert found == {"a": {"a", "b"}, "b": {"a", "b"}}


def test_depth_is_the_longest_way_up() -> None:
    depth = ontology(concept("d", "a", "c"), concept("c", "b"), concept("b", "a"), concept("a")).depth
    assert depth == {"a": 0, "b": 1, "c": 2, "d": 3}


def test_a_facet_is_a_tree_where_no_concept_has_two_parents() -> None:
    assert "topic" not in desk().trees
    assert "tone" in desk().trees


@pytest.mark.parametrize(
    ("chosen", "specific"),
    [
        ([], ()),
        (["markets"], ("markets",)),
        (["mortgages", "rates", "markets", "lending"], ("mortgages",)),
        (["lending", "fx", "markets"], ("fx", "lending")),
        (["fx", "fx", "bad"], ("fx", "bad")),
        (["mortgages", "markets"], ("mortgages",)),
    ],
)
def test_the_most_specific_concepts_stand_in_the_order_of_the_ontology(
    chosen: list[str], specific: tuple[str, ...]
) -> None:
    assert desk().most_specific(chosen) == specific


def test_a_path_goes_down_from_a_top_concept_by_the_first_parents() -> None:
    assert desk().path("mortgages") == "LENDING > MORTGAGES"
    assert desk().path("rates") == "MARKETS > RATES"
    assert desk().path("good") == "GOOD"


@pytest.mark.parametrize(
    ("concepts", "facets", "rules", "problems"),
    [
        ([concept("a", "a")], [TOPIC], {}, ["a cycle of broader concepts: a < a"]),
        (
            [concept("a", "b"), concept("b", "c"), concept("c", "a"), concept("d", "c")],
            [TOPIC],
            {},
            ["a cycle of broader concepts: a < b < c < a"],
        ),
        (
            [concept("a", "b"), concept("b", "a"), concept("c", "d"), concept("d", "c")],
            [TOPIC],
            {},
            ["a cycle of broader concepts: a < b < a", "a cycle of broader concepts: c < d < c"],
        ),
        ([concept("a"), concept("a")], [TOPIC], {}, ["concepts named twice: a"]),
        ([concept("a")], [TOPIC, TOPIC], {}, ["facets named twice: topic"]),
        (
            [concept("a"), concept("b", facet="tone")],
            [TOPIC],
            {},
            ["b is in the facet 'tone'; facets: topic"],
        ),
        ([concept("a", "b")], [TOPIC], {}, ["a of topic has the broader concept b, which is nowhere"]),
        (
            [concept("a"), concept("b", "a", facet="tone")],
            [TOPIC, TONE],
            {},
            ["b of tone has the broader concept a, which is in topic"],
        ),
        ([concept("a")], [TOPIC, TONE], {}, ["facet tone has no concept"]),
        (
            [concept("a")],
            [Facet("topic", "", Cardinality.number)],
            {},
            ["facet topic is a number and has concepts"],
        ),
        ([concept("a")], [TOPIC], {"disjoint": [("a", "b")]}, ["b, named with a, b, is no concept"]),
        ([concept("a")], [TOPIC], {"implies": [("b", "a")]}, ["b, named with b, a, is no concept"]),
        (
            [concept("a"), concept("b"), concept("c", "a", "b"), concept("d", "c")],
            [TOPIC],
            {"disjoint": [("b", "a")]},
            [
                "c can never be chosen: it brings a and b, which are disjoint",
                "d can never be chosen: it brings a and b, which are disjoint",
            ],
        ),
        (
            [concept("a"), concept("b", "a")],
            [TOPIC],
            {"disjoint": [("b", "a")]},
            ["b can never be chosen: it brings a and b, which are disjoint"],
        ),
        (
            [concept("a"), concept("b"), concept("c")],
            [TOPIC],
            {"disjoint": [("b", "c")], "implies": [("a", "b"), ("a", "c")]},
            ["a can never be chosen: it brings b and c, which are disjoint"],
        ),
        (
            [concept("a"), concept("x", facet="tone"), concept("y", facet="tone")],
            [TOPIC, TONE],
            {"implies": [("a", "x"), ("a", "y")]},
            ["a can never be chosen: it brings x, y of tone, which takes one"],
        ),
        (
            [concept("x", facet="tone"), concept("y", facet="tone")],
            [TONE],
            {"implies": [("x", "y")]},
            ["x can never be chosen: it brings x, y of tone, which takes one"],
        ),
    ],
)
def test_a_contradiction_is_refused_by_name(
    concepts: list[Concept],
    facets: list[Facet],
    rules: dict[str, list[tuple[str, str]]],
    problems: list[str],
) -> None:
    with pytest.raises(OntologyError) as error:
        ontology(*concepts, facets=facets, **rules)
    assert str(error.value).splitlines() == [f"ontology desk: {problem}" for problem in problems]


def test_of_many_repeated_names_eight_are_shown() -> None:
    twice = [concept(f"c{number}") for number in (*range(10), *range(10))]
    with pytest.raises(OntologyError, match="twice: c0, c1, c2, c3, c4, c5, c6, c7 and 2 more"):
        ontology(*twice)


def test_two_concepts_of_a_single_facet_are_allowed_where_one_is_below_both() -> None:
    found = ontology(
        concept("a"),
        concept("x", facet="tone"),
        concept("y", facet="tone"),
        concept("z", "x", "y", facet="tone"),
        facets=[TOPIC, TONE],
        implies=[("a", "x"), ("a", "y")],
    )
    assert found.closure["a"] == {"a", "x", "y"}


@pytest.mark.parametrize(
    ("chosen", "broken"),
    [
        (["rates", "markets", "good"], []),
        (["mortgages", "lending", "rates", "markets", "bad"], []),
        (["good"], []),
        (["mortgages", "lending", "good"], ["mortgages without markets, rates"]),
        (
            ["fx", "good"],
            ["fx without bad, markets"],
        ),
        (["fx", "markets", "lending", "bad"], ["fx with lending"]),
        (["good", "bad"], ["tone has 2 concepts, at most one is allowed"]),
        (["lending"], ["tone has no concept, exactly one is needed"]),
        ([], ["tone has no concept, exactly one is needed"]),
    ],
)
def test_each_broken_rule_is_a_sentence(chosen: list[str], broken: list[str]) -> None:
    assert violations(desk(), chosen) == broken


@pytest.mark.parametrize(
    ("cardinality", "broken"),
    [
        (Cardinality.exactly_one, ["tone has no concept, exactly one is needed"]),
        (Cardinality.ordinal, ["tone has no concept, exactly one is needed"]),
        (Cardinality.at_most_one, []),
        (Cardinality.any_number, []),
    ],
)
def test_a_facet_may_be_empty_by_its_cardinality(cardinality: Cardinality, broken: list[str]) -> None:
    assert violations(desk(cardinality), ["lending"]) == broken


def test_a_chain_of_one_single_facet_counts_as_one_concept() -> None:
    found = ontology(concept("x", facet="tone"), concept("y", "x", facet="tone"), facets=[TONE])
    assert violations(found, ["x", "y"]) == []


def test_a_directed_relation_is_a_concept_with_one_below_for_each_direction() -> None:
    assert relation_concepts(Relation("Cause-Effect", "relation", "causes", "brings about")) == [
        Concept("Cause-Effect", "relation", "causes", "brings about"),
        Concept("Cause-Effect(e1,e2)", "relation", "causes (e1 to e2)", "", ("Cause-Effect",)),
        Concept("Cause-Effect(e2,e1)", "relation", "causes (e2 to e1)", "", ("Cause-Effect",)),
    ]
    assert directed("Cause-Effect", "e2", "e1") == "Cause-Effect(e2,e1)"


def test_a_relation_without_direction_is_one_concept() -> None:
    other = Relation("Other", "relation", "other", directed=False)
    assert relation_concepts(other) == [Concept("Other", "relation", "other")]


def related() -> Ontology:
    relation = Relation("near", "link", "near", "close to", True, ("place",), ("place", "person"))
    return Ontology(
        "desk",
        (TOPIC, Facet("link", "link", Cardinality.at_most_one), Facet("score", "s", Cardinality.number)),
        (concept("a"), concept("b", "a"), *relation_concepts(relation)),
        (relation,),
        (("b", "near(e1,e2)"),),
        (("near(e2,e1)", "b"),),
    )


def test_the_plain_form_goes_through_json_and_back() -> None:
    for made in (desk(), related()):
        assert json.loads(json.dumps(made.row)) == made.row
        again = read_ontology_row(made.row)
        assert (again, again.digest) == (made, made.digest)


def test_the_digest_follows_the_order_of_concepts_and_every_field() -> None:
    made = [
        ontology(concept("a"), concept("b")),
        ontology(concept("b"), concept("a")),
        ontology(concept("a"), concept("b", "a")),
        ontology(concept("a"), concept("b"), disjoint=[("a", "b")]),
        ontology(concept("a"), concept("b"), implies=[("a", "b")]),
        ontology(concept("a"), concept("b"), facets=[Facet("topic", "Topic", Cardinality.at_most_one)]),
    ]
    assert len({item.digest for item in made}) == 6


@pytest.mark.parametrize("seed", range(20))
def test_a_choice_closed_upwards_breaks_no_rule_and_its_most_specific_concepts_give_it_back(
    seed: int,
) -> None:
    rng = random.Random(seed)
    ids = [f"c{number}" for number in range(12)]
    made = ontology(
        *(
            concept(id, *rng.sample(ids[:place], min(place, rng.randint(0, 2))))
            for place, id in enumerate(ids)
        )
    )
    chosen = sorted(frozenset().union(*(made.closure[id] for id in rng.sample(ids, 3))))
    assert violations(made, chosen) == []
    specific = made.most_specific(chosen)
    assert sorted(frozenset().union(*(made.closure[id] for id in specific))) == chosen
    assert not any(left in made.ancestors[right] for left in specific for right in specific)
