import itertools
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared import integer_program
from shared.consistency import Decoder
from shared.ontology import Cardinality, Concept, Facet, Ontology, OntologyError, violations
from tests.shared.ontologies import generate_ontology

Array = NDArray[Any]


def ontology_of(concepts: dict[str, tuple[str, ...]], /, **parts: Any) -> Ontology:
    """An ontology of concepts named by facet and number (t1, t2), each with its broader ones."""
    cardinality = parts.pop("cardinality")
    facets = tuple(Facet(name, name, kind) for name, kind in cardinality.items())
    own = tuple(Concept(name, name[0], name, broader=broader) for name, broader in concepts.items())
    return Ontology("small", facets, own, **parts)


def names(ontology: Ontology, chosen: Array) -> list[str]:
    return [ontology.concepts[place].id for place in np.flatnonzero(chosen)]


def decoded(ontology: Ontology, *scores: float) -> list[str]:
    return names(ontology, Decoder(ontology).decode(np.array([scores], dtype=np.float64))[0])


def model_scores(generator: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Mostly about -6, and of each row 30 about 2."""
    scores = generator.normal(-6.0, 1.5, shape)
    for row in scores:
        row[generator.choice(shape[1], 30, replace=False)] += 8.0
    return scores


@pytest.fixture(scope="module")
def large() -> Ontology:
    return generate_ontology(5000, 20, seed=0)


def test_ancestors_are_chosen_with_a_concept_and_their_scores_count() -> None:
    ontology = ontology_of(
        {"t1": (), "t2": ("t1",), "t3": (), "n1": (), "n2": ("n1",)},
        cardinality={"t": Cardinality.exactly_one, "n": Cardinality.any_number},
    )
    assert decoded(ontology, -2.0, 4.0, 1.0, -1.0, 2.0) == ["t1", "t2", "n1", "n2"]  # 2 > 1, 1 > 0
    assert decoded(ontology, -2.0, 2.5, 1.0, -3.0, 2.0) == ["t3"]  # 0.5 < 1, -1 < 0


def test_a_facet_that_needs_a_concept_has_the_least_bad_one_and_another_has_none() -> None:
    concepts: dict[str, tuple[str, ...]] = {"t1": (), "t2": ()}
    needed = ontology_of(concepts, cardinality={"t": Cardinality.ordinal})
    assert decoded(needed, -3.0, -2.0) == ["t2"]
    assert decoded(replace(needed, facets=(Facet("t", "t", Cardinality.at_most_one),)), -3.0, -2.0) == []


def test_an_excluded_pair_keeps_the_better_side_with_all_that_hangs_on_it() -> None:
    ontology = ontology_of(
        {"a1": (), "a2": ("a1",), "b1": (), "b2": ()},
        cardinality={"a": Cardinality.any_number, "b": Cardinality.exactly_one},
        disjoint=(("a1", "b1"),),
    )
    assert decoded(ontology, 1.0, 1.0, 5.0, 3.5) == ["a1", "a2", "b2"]  # 2 + 3.5 > 5
    assert decoded(ontology, 1.0, 0.4, 5.0, 3.5) == ["b1"]  # 1.4 + 3.5 < 5


def test_an_implied_concept_is_chosen_too_or_neither() -> None:
    ontology = ontology_of(
        {"a1": (), "b1": (), "b2": ()},
        cardinality={"a": Cardinality.any_number, "b": Cardinality.exactly_one},
        implies=(("a1", "b2"),),
    )
    assert decoded(ontology, 3.0, 2.0, 0.0) == ["a1", "b2"]  # 3 + 0 > 2
    assert decoded(ontology, 1.0, 2.0, 0.0) == ["b1"]  # 1 + 0 < 2


def test_a_concept_that_implies_the_only_narrower_one_is_never_the_most_specific() -> None:
    ontology = ontology_of(
        {"t1": (), "t2": ("t1",), "t3": ()},
        cardinality={"t": Cardinality.exactly_one},
        implies=(("t1", "t2"),),
    )
    assert decoded(ontology, 3.0, -1.0, 1.0) == ["t1", "t2"]


@pytest.mark.parametrize("enumerated", [10, 0])
def test_decoding_finds_the_best_of_all_consistent_subsets(
    enumerated: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integer_program, "ENUMERATED", enumerated)
    num_impossible = num_with_rules = 0
    for seed in range(200):
        ontology = generate_ontology(
            3 + seed % 7, 1 + seed % 3, seed, disjoint_share=0.4, implies_share=0.3, second_parent_share=0.5
        )
        subsets = consistent_subsets(ontology)
        if not len(subsets):
            num_impossible += 1
            with pytest.raises(OntologyError, match="no set of concepts is consistent"):
                Decoder(ontology)
            continue
        scores = np.random.default_rng(seed).normal(0.0, 1.0, (4, len(ontology.concepts)))
        best = subsets[(scores @ subsets.T).argmax(axis=1)]
        num_with_rules += bool(ontology.disjoint and ontology.implies)
        assert (Decoder(ontology).decode(scores) == best).all(), f"seed {seed}"
    assert 0 < num_impossible < 20
    assert num_with_rules > 100


def consistent_subsets(ontology: Ontology) -> Array:
    every = itertools.product([False, True], repeat=len(ontology.concepts))
    subsets = [subset for subset in every if not violations(ontology, names(ontology, np.array(subset)))]
    return np.array(subsets, dtype=bool)


@pytest.mark.parametrize("seed", range(4))
def test_decoding_equals_one_plain_integer_programme_of_all_rules(seed: int) -> None:
    ontology = generate_ontology(80, 5, seed, disjoint_share=0.5, implies_share=0.2)
    scores = np.random.default_rng(seed).normal(0.0, 1.0, (5, 80))
    chosen = Decoder(ontology).decode(scores)
    for row, found in zip(scores, chosen, strict=True):
        assert violations(ontology, names(ontology, found)) == []
        assert row[found].sum() == pytest.approx(plain_optimum(ontology, row), abs=1e-5)


def plain_optimum(ontology: Ontology, scores: Array) -> float:
    """The greatest sum, with a variable for each concept and one for each that may be the most specific."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    num_concepts, index = len(ontology.concepts), ontology.index
    rows: list[tuple[dict[int, float], float, float]] = []
    for left, right in ontology.disjoint:
        rows.append(({index[left]: 1, index[right]: 1}, 0, 1))
    for concept in ontology.concepts:
        for other in ontology.closure[concept.id] - {concept.id}:
            rows.append(({index[concept.id]: 1, index[other]: -1}, -1, 0))
    for facet in (facet for facet in ontology.facets if facet.single):
        own = ontology.by_facet[facet.id]
        least = 0 if facet.cardinality is Cardinality.at_most_one else 1
        rows.append(({num_concepts + place: 1 for place in own}, least, 1))
        for place in own:
            name = ontology.concepts[place].id
            below = [index[item] for item, above in ontology.ancestors.items() if name in above] + [place]
            rows.append(({place: -1, **{num_concepts + item: 1 for item in below}}, 0, 0))
    matrix = np.zeros((len(rows), 2 * num_concepts))
    for number, (terms, _, _) in enumerate(rows):
        matrix[number, list(terms)] = list(terms.values())
    limits = np.array([row[1:] for row in rows])
    found = milp(
        -np.concatenate([scores, np.zeros(num_concepts)]),
        integrality=1,
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(matrix, limits[:, 0], limits[:, 1]),
    )
    return -float(found.fun)


def test_where_the_facets_alone_are_consistent_the_rules_change_nothing(large: Ontology) -> None:
    scores = model_scores(np.random.default_rng(1), (50, 5000))
    free = Decoder(replace(large, disjoint=(), implies=())).decode(scores)
    ruled = Decoder(large).decode(scores)
    fine = np.array([not violations(large, names(large, row)) for row in free])
    assert 10 < fine.sum() < 50
    assert (ruled[fine] == free[fine]).all()
    assert (ruled[~fine] != free[~fine]).any(axis=1).all()


@pytest.mark.parametrize("kind", ["model", "normal"])
def test_5000_concepts_decode_without_violations_in_under_60_ms_a_document(
    large: Ontology, kind: str
) -> None:
    generator = np.random.default_rng(2)
    shape = (20, 5000)
    scores = model_scores(generator, shape) if kind == "model" else generator.normal(0.0, 1.0, shape)
    decoder = Decoder(large)
    start = time.perf_counter()
    chosen = decoder.decode(scores)
    seconds = time.perf_counter() - start
    assert [violations(large, names(large, row)) for row in chosen] == [[]] * 20
    assert seconds / 20 < 0.060


def test_equal_sums_take_none_then_the_first_concept_and_nothing_that_adds_nothing() -> None:
    ontology = ontology_of(
        {"t1": (), "t2": (), "m1": (), "n1": (), "n2": ("n1",)},
        cardinality={
            "t": Cardinality.exactly_one,
            "m": Cardinality.at_most_one,
            "n": Cardinality.any_number,
        },
    )
    assert decoded(ontology, 0.0, 0.0, 0.0, 0.0, 0.0) == ["t1"]
    assert decoded(ontology, 1.0, 1.0, 0.0, -1.0, 1.0) == ["t1"]


def test_equal_sums_have_the_same_answer_each_time_and_in_each_company() -> None:
    ontology = generate_ontology(80, 5, 3, disjoint_share=0.5, implies_share=0.2)
    scores = np.random.default_rng(3).integers(-1, 2, (300, 80)).astype(np.float64)
    chosen = Decoder(ontology).decode(scores)
    assert (Decoder(ontology).decode(scores[::-1])[::-1] == chosen).all()
    assert (
        np.concatenate([Decoder(ontology).decode(scores[row : row + 1]) for row in range(9)]) == chosen[:9]
    ).all()


def test_no_rows_give_no_rows(large: Ontology) -> None:
    assert Decoder(large).decode(np.zeros((0, 5000))).shape == (0, 5000)


def test_an_ontology_of_numbers_alone_has_no_concepts_to_choose() -> None:
    ontology = ontology_of({}, cardinality={"v": Cardinality.number})
    assert Decoder(ontology).decode(np.zeros((2, 0))).shape == (2, 0)


def test_an_ontology_that_no_set_satisfies_is_refused_with_the_facets_that_clash() -> None:
    with pytest.raises(OntologyError, match=r"in each of these facets: a, b$"):
        Decoder(
            ontology_of(
                {"a1": (), "a2": (), "b1": (), "c1": (), "c2": ()},
                cardinality=dict.fromkeys("abc", Cardinality.exactly_one),
                disjoint=(("a1", "b1"), ("b1", "a2"), ("c1", "a1")),
            )
        )
