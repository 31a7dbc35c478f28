import numpy as np
import pytest

from shared.facet_scores import assignment_log_probabilities, independent
from shared.ontology import Cardinality, Concept, Facet, Ontology

TREE = (
    Concept("a", "t", "a"),
    Concept("a1", "t", "a1", broader=("a",)),
    Concept("a2", "t", "a2", broader=("a",)),
    Concept("b", "t", "b"),
)


def ontology_of(cardinality: Cardinality, *more: Concept) -> Ontology:
    return Ontology("small", (Facet("t", "t", cardinality),), (*TREE, *more))


def test_each_depth_of_a_single_tree_takes_its_best_concept_or_none() -> None:
    ontology = ontology_of(Cardinality.at_most_one)
    scores = np.array([[1.0, -1.0, 2.0, 3.0], [-1.0, -1.0, -2.0, -3.0], [-1.0, 0.5, 0.7, -2.0]])
    assert independent(ontology, scores).tolist() == [
        [False, False, True, True],
        [False, False, False, False],
        [False, False, True, False],
    ]


@pytest.mark.parametrize("cardinality", [Cardinality.exactly_one, Cardinality.ordinal])
def test_the_top_of_a_facet_that_needs_a_concept_is_never_empty(cardinality: Cardinality) -> None:
    scores = np.array([[-1.0, -1.0, -2.0, -3.0], [-2.0, -2.0, -1.0, -2.0]])
    assert independent(ontology_of(cardinality), scores).tolist() == [[True, False, False, False]] * 2


def test_concepts_of_any_number_and_of_graphs_are_chosen_above_0() -> None:
    scores = np.array([[1.0, 1.0, 2.0, 0.0, 3.0]])
    both = Concept("ab", "t", "ab", broader=("a", "b"))
    for cardinality in (Cardinality.any_number, Cardinality.exactly_one):
        found = independent(ontology_of(cardinality, both), scores)
        assert found.tolist() == [[True, True, True, False, True]]


def test_facets_are_decided_apart_and_numbers_have_nothing_to_decide() -> None:
    facets = (
        Facet("v", "v", Cardinality.number),
        Facet("t", "t", Cardinality.exactly_one),
        Facet("s", "s", Cardinality.ordinal),
    )
    ontology = Ontology("small", facets, (*TREE, Concept("s1", "s", "s1"), Concept("s2", "s", "s2")))
    found = independent(ontology, np.array([[5.0, -1.0, -1.0, 1.0, -4.0, -3.0]]))
    assert found.tolist() == [[True, False, False, False, False, True]]


def test_an_assignment_weighs_its_scores_with_those_of_all_that_are_broader() -> None:
    scores = np.log(np.array([[2.0, 3.0, 0.5, 1.0]]))  # answers a 2, a1 6, a2 1, b 1
    found = assignment_log_probabilities(ontology_of(Cardinality.exactly_one), "t", scores, temperature=1.0)
    assert np.exp(found) == pytest.approx(np.array([[0.2, 0.6, 0.1, 0.1]]))


def test_none_comes_first_and_weighs_0_where_a_facet_may_have_none() -> None:
    scores = np.log(np.array([[4.0, 9.0, 1.0, 1.0]]))  # at 2: none 1, a 2, a1 6, a2 2, b 1
    found = assignment_log_probabilities(ontology_of(Cardinality.at_most_one), "t", scores, temperature=2.0)
    assert np.exp(found) == pytest.approx(np.array([[1.0, 2.0, 6.0, 2.0, 1.0]]) / 12)


def test_no_rows_give_no_rows() -> None:
    ontology = ontology_of(Cardinality.at_most_one)
    none = np.zeros((0, 4))
    assert independent(ontology, none).shape == (0, 4)
    assert assignment_log_probabilities(ontology, "t", none, temperature=1.0).shape == (0, 5)
