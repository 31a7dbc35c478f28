"""Prediction sets of grades made by hand, of scores made by chance, and against mapie's."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from scipy.stats import binom
from sklearn.base import BaseEstimator, ClassifierMixin

from shared.errors import UserError
from shared.examples import FacetExample
from shared.facet_decoding import FacetDecoder, FacetOutputs
from shared.facet_scores import Array
from shared.facet_sets import (
    NONE,
    RISKS,
    SLACK,
    FacetSet,
    Grades,
    Limits,
    check_risk,
    find_limits,
    find_sets,
    give_sets,
    grade,
    highest,
    read_limits,
)
from shared.ontology import Cardinality, Concept, Facet, Ontology
from tests.shared.heads.texts import DESK
from tests.shared.ontologies import generate_ontology

TOPIC, TONE, PLACE, ACTORS, PRODUCT, _ = DESK.facets
NEVER = Limits(candidate=np.inf, sure=np.inf)


def flat(size: int, cardinality: Cardinality = Cardinality.exactly_one) -> Ontology:
    concepts = tuple(Concept(f"c{number}", "f", f"C {number}") for number in range(size))
    return Ontology("flat", (Facet("f", "f", cardinality),), concepts)


def same(grades: Sequence[Sequence[float]]) -> Grades:
    return Grades(np.array(grades), np.array(grades))


def sets(facet: Facet, grades: Grades, chosen: Sequence[int], limits: Limits) -> list[FacetSet]:
    return find_sets(DESK, facet, grades, np.array([chosen], dtype=bool), limits=limits)


def test_a_concept_is_as_probable_as_all_answers_that_are_it_or_narrower() -> None:
    """Scores of ln 1, 2, 1 and 4; bonds and shares weigh markets' 1 too: 1, 2, 1, 4 of 8."""
    scores = np.zeros((1, len(DESK.concepts)))
    scores[0, :4] = np.log([1, 2, 1, 4])
    found = grade(DESK, TOPIC, scores, temperature=1.0)
    assert np.exp(found.answers[0]).tolist() == pytest.approx([1 / 8, 2 / 8, 1 / 8, 4 / 8])
    assert np.exp(found.concepts[0]).tolist() == pytest.approx([1.0, 1 / 3, 1 / 7, 1.0])


def test_where_several_may_hold_a_concept_is_as_probable_as_the_likeliest_that_is_narrower() -> None:
    """Bank has -3 of its own and savings-bank 2; the temperature halves all."""
    scores = np.zeros((1, len(DESK.concepts)))
    scores[0, DESK.by_facet["actors"]] = -3, 2, 1
    found = grade(DESK, ACTORS, scores, temperature=2.0)
    assert found.answers.tolist() == found.concepts.tolist() == [[1.0, 1.0, 0.5]]


def test_a_certain_concept_has_finite_odds() -> None:
    scores = np.zeros((1, len(DESK.concepts)))
    scores[0, DESK.index["sport"]] = 1000.0
    assert np.isfinite(grade(DESK, TOPIC, scores, temperature=1.0).concepts).all()


def test_the_limit_leaves_the_least_grades_out_as_often_as_the_risk_allows() -> None:
    """One of 19 and one more are a twentieth each: none may lie below at 0.05, one at 0.1, 0.01 needs 99."""
    ontology, names = flat(1), [str(number) for number in range(19)]
    gold = np.ones((19, 1), dtype=bool)
    found = find_limits(ontology, ontology.facets[0], same([[n] for n in range(19)]), gold, documents=names)
    assert {name: found[name] for name in found if name.startswith("set/")} == {
        "set/0.05/f": 0 - SLACK,
        "set/0.1/f": 1 - SLACK,
    }


def test_sure_is_what_lies_above_the_wrong_concepts_of_validation() -> None:
    """The second concept is wrong each time, with grades of 0 to 18: at 0.05 none may be sure, at 0.1 one."""
    ontology, names = flat(2), [str(number) for number in range(19)]
    gold = np.array([[True, False]] * 19)
    grades = same([[30.0, number] for number in range(19)])
    found = find_limits(ontology, ontology.facets[0], grades, gold, documents=names)
    assert (found["sure/0.05/f"], found["sure/0.1/f"]) == (18 + SLACK, 17 + SLACK)
    assert read_limits(found, ontology.facets[0], 0.1) == Limits(candidate=30 - SLACK, sure=17 + SLACK)


def test_each_document_weighs_one_however_many_texts_it_has() -> None:
    """One more than two documents: at a rate of 2/3 one weighs too much with that; at 1/2 half of one may."""
    scores = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    documents = ["a", "b", "b", "b", "b"]
    assert highest(scores, documents, rate=2 / 3) == 1.0
    assert highest(scores, documents, rate=0.5) == 3.0
    assert highest(scores, documents, rate=1 / 3) == 5.0
    assert highest(scores, documents, rate=0.33) is None
    assert highest(scores, ["a"] * 5, rate=0.49) is None


def test_of_equal_scores_none_lies_above() -> None:
    assert highest(np.array([2.0, 2.0, 2.0, 1.0]), list("abcd"), rate=0.2) == 2.0


def test_a_text_without_gold_is_in_every_set_where_none_is_needed() -> None:
    """The others' gold has 5 to 13: at 0.1, of ten texts, 5 is the least, as if the first were not there."""
    ontology, names = flat(1, Cardinality.any_number), [str(number) for number in range(10)]
    gold = np.array([[False]] + [[True]] * 9)
    grades = same([[-9.0], *([number] for number in range(5, 14))])
    found = find_limits(ontology, ontology.facets[0], grades, gold, documents=names)
    assert found["set/0.1/f"] == 5 - SLACK


def test_candidates_reach_the_limit_and_come_most_probable_first() -> None:
    """Sport alone is the answer, and of it nothing is sure."""
    grades = same([[-2.0, -1.0, -3.0, -0.5]])
    assert sets(TOPIC, grades, [0, 0, 0, 1], Limits(candidate=-2.0, sure=0.0)) == [
        FacetSet(candidates=("sport", "bonds", "markets"), sure=())
    ]


def test_the_broader_concept_may_be_sure_where_the_answer_is_not() -> None:
    grades = Grades(np.array([[-9.0, -1.0, -1.5, -2.0]]), np.array([[3.0, 0.5, -1.0, -2.0]]))
    chosen = [1, 1, 0, 0]
    for limit, expected in ((4.0, ()), (2.0, ("markets",)), (0.0, ("bonds",)), (-3.0, ("bonds",))):
        (found,) = sets(TOPIC, grades, chosen, Limits(candidate=-1.5, sure=limit))
        assert found == FacetSet(candidates=("bonds", "shares"), sure=expected)


def test_the_answer_is_in_its_set_and_without_limits_all_are() -> None:
    grades = same([[-2.0, -1.0, -3.0, -0.5]])
    assert sets(TOPIC, grades, [1, 0, 1, 0], NEVER) == [FacetSet(("shares",), ())]
    assert sets(TOPIC, grades, [1, 0, 1, 0], read_limits({}, TOPIC, 0.05)) == [
        FacetSet(("sport", "bonds", "markets", "shares"), ())
    ]


def test_none_is_a_candidate_where_it_is_an_answer() -> None:
    grades = Grades(np.array([[-0.5, -2.0, -1.0]]), np.zeros((1, 2)))
    assert sets(PLACE, grades, [0, 0], NEVER) == [FacetSet((NONE,), ())]
    assert sets(PLACE, grades, [0, 0], Limits(-1.0, 9.0)) == [FacetSet((NONE, "sea"), ())]


def test_in_a_facet_with_any_number_broader_concepts_are_candidates_with_narrower_ones() -> None:
    scores = np.zeros((1, len(DESK.concepts)))
    scores[0, DESK.by_facet["actors"]] = -3, 2, 1
    grades = grade(DESK, ACTORS, scores, temperature=1.0)
    assert sets(ACTORS, grades, [1, 1, 0], Limits(candidate=1.5, sure=1.5)) == [
        FacetSet(candidates=("bank", "savings-bank"), sure=("savings-bank",))
    ]


def drawn(generator: np.random.Generator, ontology: Ontology, size: int) -> tuple[Grades, np.ndarray]:
    """The grades and gold concepts of so many texts, gold being as frequent as the scores say."""
    (facet,) = ontology.facets
    scores = generator.normal(0, 2, (size, 4))
    if facet.single:
        answers = (softmax(scores, axis=1).cumsum(axis=1) > generator.random((size, 1))).argmax(axis=1)
        gold = answers[:, None] == np.arange(4)
    else:
        gold = scores + generator.logistic(size=(size, 4)) > 0
    return grade(ontology, facet, scores, temperature=1.0), gold


def missed(seed: int, ontology: Ontology) -> tuple[bool, bool]:
    """Whether a text misses the limits that 19 others set at a risk of 0.05: its gold, its wrong concepts."""
    grades, gold = drawn(np.random.default_rng(seed), ontology, 20)
    held_out = Grades(grades.answers[:19], grades.concepts[:19])
    (facet,), names = ontology.facets, [str(number) for number in range(19)]
    limits = read_limits(find_limits(ontology, facet, held_out, gold[:19], documents=names), facet, 0.05)
    left_out = (grades.answers[19] < limits.candidate) & gold[19]
    return bool(left_out.any()), bool(((grades.concepts[19] > limits.sure) & ~gold[19]).any())


@pytest.mark.parametrize("cardinality", [Cardinality.exactly_one, Cardinality.any_number])
def test_of_exchangeable_texts_as_many_miss_as_the_risk_says(cardinality: Cardinality) -> None:
    """No two grades are equal, so that each of 20 texts is the worst with a chance of a twentieth."""
    ontology = flat(4, cardinality)
    low, high = binom.ppf([0.0005, 0.9995], 2000, 0.05)
    for times in np.sum([missed(seed, ontology) for seed in range(2000)], axis=0):
        assert low <= times <= high


def share_above(*, weighed: bool) -> float:
    """Return how often a text of a new document lies above the limit of 19, each of 1 or 30 texts alike."""
    times = 0
    for seed in range(1000):
        generator = np.random.default_rng(seed)
        documents = np.repeat(np.arange(20), generator.choice([1, 30], 20))
        scores = generator.normal(0, 5, 20)[documents] + generator.normal(0, 1, len(documents))
        old = documents < 19
        names = documents[old] if weighed else np.flatnonzero(old)
        limit = highest(scores[old], [str(name) for name in names], rate=0.05)
        times += limit is not None and generator.choice(scores[~old]) > limit
    return times / 1000


def test_texts_of_new_documents_keep_the_rate_though_those_of_one_are_alike() -> None:
    """Where each text weighs one, they do not."""
    most = binom.ppf(0.9995, 1000, 0.05) / 1000
    assert share_above(weighed=True) <= most < share_above(weighed=False)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_ontology_sets_respect_it(seed: int) -> None:
    """Gold is what the ontology allows of noisy scores; each text is a document."""
    ontology = generate_ontology(40, 5, seed)
    generator = np.random.default_rng(seed)
    scores = generator.normal(0, 3, (60, 40))
    decoder = FacetDecoder(ontology, detectors=["energy"], sent_away=0.05, explained_by=1)
    outputs = [
        FacetOutputs(values, np.zeros((60, 0)), np.zeros((60, 2)))
        for values in (scores, scores + generator.normal(0, 3, (60, 40)))
    ]
    texts = [FacetExample(str(number), "one", document=str(number)) for number in range(60)]
    golds = decoder.decode(texts, outputs[1])
    labels = [{name: answer.concepts for name, answer in gold.facets.items()} for gold in golds]
    labelled = [replace(text, labels=own) for text, own in zip(texts, labels, strict=True)]
    decoder.tune(labelled, outputs[0])
    decoder.give_sets(0.1)
    for prediction in decoder.decode(texts, outputs[0]):
        chosen = {
            name
            for answer in prediction.facets.values()
            for concept in answer.concepts
            for name in (concept, *ontology.ancestors[concept])
        }
        for facet in ontology.facets:
            answer = prediction.facets[facet.id]
            assert answer.candidates is not None and answer.sure is not None
            assert set(answer.concepts or ((NONE,) if facet.single else ())) <= set(answer.candidates)
            assert set(answer.sure) <= chosen
            assert ontology.most_specific(answer.sure) == answer.sure
            for candidate in set(answer.candidates) - {NONE}:
                above = ontology.ancestors[candidate]
                assert facet.single or above <= set(answer.candidates)
                assert not any({*pair} <= {candidate, *above} for pair in ontology.disjoint)


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose features are the probabilities of its classes."""

    def __init__(self, size: int = 6) -> None:
        self.size = size
        self.classes_ = np.arange(size)
        self.is_fitted_ = True

    def fit(self, features: Array, labels: Array) -> "Given":
        return self

    def predict_proba(self, features: Array) -> Array:
        return features

    def predict(self, features: Array) -> Array:
        return features.argmax(axis=1)


@pytest.mark.parametrize("risk", RISKS)
def test_sets_of_a_flat_facet_equal_those_of_mapie(risk: float) -> None:
    from mapie.classification import SplitConformalClassifier

    generator, ontology = np.random.default_rng(0), flat(6)
    logs = log_softmax(generator.normal(0, 2, (500, 6)), axis=1)
    gold = (np.exp(logs).cumsum(axis=1) > generator.random((500, 1))).argmax(axis=1)
    reference = SplitConformalClassifier(Given(), confidence_level=1 - risk, conformity_score="lac")
    reference.conformalize(np.exp(logs[:200]), gold[:200])
    _, expected = reference.predict_set(np.exp(logs[200:]))
    (facet,), names = ontology.facets, [str(number) for number in range(200)]
    limits = find_limits(ontology, facet, same(logs[:200]), gold[:200, None] == np.arange(6), documents=names)
    found = logs[200:] >= read_limits(limits, facet, risk).candidate
    assert found.tolist() == expected[:, :, 0].tolist()


def test_a_risk_without_limits_is_refused_with_those_that_there_are() -> None:
    stored = {"temperature/topic": 1.0, "set/0.1/topic": -3.0, "set/0.05/topic": -4.0, "sure/0.05/topic": 2.0}
    check_risk(stored, 0.1)
    with pytest.raises(
        UserError, match=r"predict.sets=0.01: this bundle has prediction sets for 0.05, 0.1. `train`"
    ):
        check_risk(stored, 0.01)
    with pytest.raises(UserError, match=r"for no risk. .* for 0.01, 0.05, 0.1, each where validation has 1"):
        check_risk({"temperature/topic": 1.0}, 0.05)


def test_a_head_that_answers_with_no_concepts_gives_no_sets() -> None:
    with pytest.raises(UserError, match=r"predict.sets=0.05: prediction sets are sets of concepts"):
        give_sets(object(), 0.05)
