"""Decoding of scores made by hand. Scores are in the order of the concepts that each ontology names."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from shared.errors import UserError
from shared.examples import FacetAnswer, FacetExample
from shared.facet_decoding import FacetDecoder, FacetOutputs, prior_shift
from shared.heads.settings import DETECTORS
from shared.ontology import Cardinality, Concept, Facet, Ontology, violations
from tests.shared.heads.texts import DESK, RELATIONS, marked_example

TOPIC = Facet("topic", "Topic", Cardinality.exactly_one)
PAIR = Ontology("pair", (TOPIC,), (Concept("a", "topic", "a"), Concept("b", "topic", "b")))


def decoder(
    ontology: Ontology = PAIR,
    *,
    detectors: Sequence[str] = DETECTORS,
    sent_away: float = 0.05,
    explained_by: int = 2,
) -> FacetDecoder:
    return FacetDecoder(ontology, detectors=detectors, sent_away=sent_away, explained_by=explained_by)


def outputs(
    scores: Sequence[Sequence[float]],
    *,
    numbers: Sequence[float] = (),
    embeddings: Sequence[Sequence[float]] | None = None,
) -> FacetOutputs:
    return FacetOutputs(
        np.array(scores, dtype=np.float64),
        np.array([[value] for value in numbers] or np.zeros((len(scores), 0))),
        np.array(embeddings or np.zeros((len(scores), 2)), dtype=np.float32),
    )


def examples(*topics: tuple[str, ...]) -> list[FacetExample]:
    return [FacetExample(str(number), "one", labels={"topic": topic}) for number, topic in enumerate(topics)]


def sure(*chosen: str) -> list[float]:
    """Scores of `DESK` that are sure of these concepts."""
    return [10.0 if concept.id in chosen else -10.0 for concept in DESK.concepts]


def test_sure_scores_give_each_facet_its_answer() -> None:
    scores = sure("markets", "bonds", "good", "bank", "savings-bank", "loan", "house", "mortgage")
    (prediction,) = decoder(DESK).decode([FacetExample("7", "one")], outputs([scores], numbers=[0.1234567]))
    assert prediction.id == "7"
    assert {name: answer.concepts for name, answer in prediction.facets.items()} == {
        "topic": ("bonds",),
        "tone": ("good",),
        "place": (),
        "actors": ("savings-bank",),
        "product": ("mortgage",),
        "score": (),
    }
    assert prediction.facets["score"] == FacetAnswer(value=0.123457)
    assert all(
        a.probability == a.raw_probability > 0.999 for n, a in prediction.facets.items() if n != "score"
    )


def test_no_text_gives_no_prediction() -> None:
    assert decoder().decode([], outputs([])) == []


def test_probabilities_are_those_of_the_answer_before_and_after_scaling() -> None:
    """Odds of 9 to 1, at temperature 2 the root of it: 3 to 1."""
    made = decoder()
    made.thresholds["temperature/topic"] = 2.0
    (prediction,) = made.decode([FacetExample("0", "one")], outputs([[0.0, np.log(9)]]))
    answer = prediction.facets["topic"]
    assert (answer.concepts, answer.raw_probability, answer.probability) == (("b",), 0.9, 0.75)


def test_of_several_concepts_the_least_sure_counts_and_of_none_the_likeliest() -> None:
    """Sigmoids of 4 and 3/2 to 1 chosen, 1 to 4 not: the surest answer is no surer than 0.6, or 1 - 0.2."""
    several = Ontology(
        "actors",
        (Facet("actors", "Actors", Cardinality.any_number),),
        tuple(Concept(name, "actors", name) for name in ("a", "b", "c")),
    )
    four, three_halves = np.log(4), np.log(1.5)
    found = decoder(several).decode(
        [FacetExample("0", "one"), FacetExample("1", "two")],
        outputs([[four, three_halves, -four], [-4 * four, -four, -2 * four]]),
    )
    answers = [prediction.facets["actors"] for prediction in found]
    assert [(answer.concepts, answer.probability) for answer in answers] == [(("a", "b"), 0.6), ((), 0.8)]


def test_decoded_sets_keep_the_rules_that_independent_ones_may_break() -> None:
    """Sport and fund exclude each other, bonds imply bank; each facet alone would not know."""
    scores = sure("sport", "even")
    scores[DESK.index["fund"]] = 4.0
    bonds = sure("markets", "bonds", "even")
    bonds[DESK.index["bank"]] = -1.0
    found = decoder(DESK).decode(
        [FacetExample("0", "one"), FacetExample("1", "two")], outputs([scores, bonds], numbers=[0, 0])
    )
    assert [(p.facets["topic"].concepts, p.facets["actors"].concepts) for p in found] == [
        (("sport",), ()),
        (("bonds",), ("bank",)),
    ]
    alone = [[c for a in p.facets.values() for c in a.independent or ()] for p in found]
    assert [violations(DESK, chosen) for chosen in alone] == [["sport with fund"], ["bonds without bank"]]


@pytest.mark.parametrize("seed", range(5))
def test_whatever_the_scores_the_answers_keep_the_rules(seed: int) -> None:
    scores = np.random.default_rng(seed).normal(0, 3, (40, len(DESK.concepts)))
    texts = [FacetExample(str(row), "one") for row in range(40)]
    for prediction in decoder(DESK).decode(texts, outputs(scores.tolist(), numbers=[0.0] * 40)):
        tops = [concept for answer in prediction.facets.values() for concept in answer.concepts]
        chosen = sorted({name for concept in tops for name in (concept, *DESK.ancestors[concept])})
        assert violations(DESK, chosen) == []


def test_predictions_do_not_depend_on_the_other_rows() -> None:
    generator = np.random.default_rng(0)
    scores, vectors = generator.normal(0, 3, (30, 2)).tolist(), generator.normal(0, 1, (30, 2)).tolist()
    texts = examples(*[("a",), ("b",), ()] * 10)
    made = decoder()
    made.measure(texts, outputs(scores, embeddings=vectors))
    made.tune(texts, outputs(scores, embeddings=vectors))
    together = made.decode(texts, outputs(scores, embeddings=vectors))
    backwards = made.decode(texts[::-1], outputs(scores[::-1], embeddings=vectors[::-1]))
    alone = [
        made.decode([text], outputs([row], embeddings=[vector]))[0]
        for text, row, vector in zip(texts, scores, vectors, strict=True)
    ]
    assert together == backwards[::-1] == alone


def test_tuning_fits_the_temperature_to_how_often_the_scores_are_right() -> None:
    """Ahead by 4 and right three times of four: odds of 3 to 1 need T = 4 / ln 3. Older choices are gone."""
    made = decoder()
    texts, found = examples(("a",), ("a",), ("b",), ("a",)), outputs([[4, 0], [4, 0], [0, 4], [0, 4]])
    made.thresholds["energy/topic"] = 0.0
    made.tune(texts, found)
    assert made.thresholds == {"temperature/topic": pytest.approx(3.640957, abs=1e-3)}
    assert [p.facets["topic"].probability for p in made.decode(texts, found)] == pytest.approx(
        [0.75] * 4, abs=1e-4
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_tuned_temperature_lowers_the_negative_log_likelihood(seed: int) -> None:
    generator = np.random.default_rng(seed)
    scores = generator.normal(0, 8, (60, 2))
    right = scores[:, 1] - scores[:, 0] > generator.normal(0, 8, 60)
    texts = examples(*[("b",) if is_b else ("a",) for is_b in right])
    made = decoder()
    made.tune(texts, outputs(scores.tolist()))
    ahead = np.where(right, 1, -1) * (scores[:, 1] - scores[:, 0])
    before, after = (
        np.logaddexp(0, -ahead / temperature).mean()
        for temperature in (1.0, made.thresholds["temperature/topic"])
    )
    assert after < before


@pytest.mark.parametrize("cardinality", [Cardinality.any_number, Cardinality.at_most_one])
def test_texts_without_a_concept_count_where_none_is_needed(cardinality: Cardinality) -> None:
    """A score of -4 for the one concept, right three times of four: T = 4 / ln 3 again."""
    one = Ontology("one", (Facet("topic", "Topic", cardinality),), (Concept("a", "topic", "a"),))
    made = decoder(one)
    made.tune(examples((), (), ("a",), ()), outputs([[-4.0]] * 4))
    assert made.thresholds["temperature/topic"] == pytest.approx(3.640957, abs=1e-3)


def test_unlabelled_facets_and_numbers_are_not_tuned() -> None:
    made = decoder(DESK)
    made.tune([FacetExample("0", "one", values={"score": 1.0})], outputs([sure("sport")], numbers=[0.5]))
    assert made.thresholds == {}


def test_the_detector_that_finds_the_texts_out_of_scope_is_chosen() -> None:
    """All are equally sure of `a`, but those out of scope have low scores and lie away from both classes."""
    texts = examples(("a",), ("b",), ("a",), ("b",), (), ())
    scores = [[5, 0], [0, 5], [4, -1], [-1, 4], [-5, -10], [-6, -11]]
    vectors = [[0, 0], [9, 0], [0, 2], [9, 2], [0, 1], [9, 1]]  # on the means of the classes
    made = decoder(sent_away=0.0)
    made.measure(texts, outputs(scores, embeddings=vectors))
    made.tune(texts, outputs(scores, embeddings=vectors))
    assert set(made.thresholds) == {"temperature/topic", "energy/topic"}
    made = decoder(detectors=["max_softmax", "mahalanobis"], sent_away=0.0)
    vectors[-2:] = [[4, 9], [5, -9]]
    made.measure(texts, outputs(scores, embeddings=vectors))
    made.tune(texts, outputs(scores, embeddings=vectors))
    assert set(made.thresholds) == {"temperature/topic", "mahalanobis/topic"}
    found = made.decode(texts, outputs(scores, embeddings=vectors))
    assert [bool(p.facets["topic"].abstained) for p in found] == [False] * 4 + [True] * 2


@pytest.mark.parametrize("sent_away", [0.0, 0.05, 0.2])
def test_the_asked_share_of_texts_in_scope_is_sent_away(sent_away: float) -> None:
    generator = np.random.default_rng(0)
    scores = [*generator.normal(0, 3, (100, 2)).tolist(), *generator.normal(-9, 1, (20, 2)).tolist()]
    texts = examples(*[("a",)] * 100, *[()] * 20)
    made = decoder(detectors=["energy"], sent_away=sent_away)
    made.tune(texts, outputs(scores))
    found = made.decode(texts, outputs(scores))
    assert sum(bool(p.facets["topic"].abstained) for p in found[:100]) == round(100 * sent_away)


def test_the_reason_for_no_answer_names_detector_value_and_threshold() -> None:
    made = decoder()
    made.thresholds["energy/topic"] = -2.5
    (prediction,) = made.decode([FacetExample("0", "one")], outputs([[-1.0, -41.0]]))
    answer = prediction.facets["topic"]
    assert answer.abstained == "out of scope: energy 1.000 is above -2.500"
    assert (answer.oddity, answer.concepts, answer.given) == (1.0, ("a",), ())


def test_a_text_at_the_threshold_is_answered() -> None:
    made = decoder()
    made.thresholds["max_softmax/topic"] = -0.5
    (prediction,) = made.decode([FacetExample("0", "one")], outputs([[1.0, 1.0]]))
    assert (prediction.facets["topic"].oddity, prediction.facets["topic"].abstained) == (-0.5, "")


def test_prediction_sets_are_given_where_they_are_asked_for() -> None:
    """Odds of 9 to 1 and of 3 to 2; a candidate has a probability of 0.3, and odds of 8 to 1 are sure."""
    made, texts, found = decoder(), examples(("a",), ("a",)), outputs([[np.log(9), 0], [np.log(1.5), 0]])
    made.thresholds.update({"set/0.05/topic": np.log(0.3), "sure/0.05/topic": np.log(8)})
    assert [p.facets["topic"].candidates for p in made.decode(texts, found)] == [None, None]
    made.give_sets(0.05)
    answers = [prediction.facets["topic"] for prediction in made.decode(texts, found)]
    assert [(answer.candidates, answer.sure) for answer in answers] == [(("a",), ("a",)), (("a", "b"), ())]
    with pytest.raises(UserError, match=r"predict.sets=0.1: this bundle has prediction sets for 0.05"):
        made.give_sets(0.1)


def test_of_a_text_out_of_scope_nothing_is_sure() -> None:
    made = decoder()
    made.thresholds.update({"set/0.05/topic": -1.0, "sure/0.05/topic": 0.0, "energy/topic": -2.5})
    made.give_sets(0.05)
    odd, fine = made.decode(examples((), ("a",)), outputs([[2.0, -1.0], [9.0, 6.0]]))
    assert (odd.facets["topic"].candidates, odd.facets["topic"].sure) == (("a",), ())
    assert (fine.facets["topic"].candidates, fine.facets["topic"].sure) == (("a",), ("a",))


def test_the_answer_is_a_candidate_though_the_shift_moved_it_away_from_the_most_probable() -> None:
    made = decoder()
    made.shift = prior_shift(PAIR, [99, 1], power=1.0)
    made.thresholds.update({"set/0.05/topic": np.log(0.5), "sure/0.05/topic": 0.0})
    made.give_sets(0.05)
    (prediction,) = made.decode(examples(("a",)), outputs([[1.0, 0.0]]))
    answer = prediction.facets["topic"]
    assert (answer.concepts, answer.candidates, answer.sure) == (("b",), ("a", "b"), ())


def test_the_limits_of_sets_are_those_of_the_documents_in_scope() -> None:
    """Nine of them are what a risk of 0.1 needs, and at that the least sure gold is a candidate."""
    texts = [replace(text, document=text.id) for text in examples(*[("a",)] * 9, *[()] * 40)]
    found = outputs([[-1.0, 0.0], *[[4.0, 0.0]] * 8, *[[-9.0, -9.0]] * 40])
    made, inside = decoder(detectors=["energy"]), decoder()
    made.tune(texts, found)
    inside.tune(texts[:9], outputs(found.scores[:9].tolist()))
    assert set(inside.thresholds) == {"temperature/topic", "set/0.1/topic", "sure/0.1/topic"}
    assert made.thresholds == {**inside.thresholds, "energy/topic": made.thresholds["energy/topic"]}
    made.give_sets(0.1)
    assert made.decode(texts, found)[0].facets["topic"].candidates == ("b", "a")
    inside.tune(texts[:8], outputs(found.scores[:8].tolist()))
    assert set(inside.thresholds) == {"temperature/topic"}


def test_the_nearest_training_texts_are_shown_with_their_cosine() -> None:
    made = decoder()
    made.remember(
        examples(("a",), ("b",), ("b",)), outputs([[0, 0]] * 3, embeddings=[[2, 0], [0, 3], [-1, 0]])
    )
    (prediction,) = made.decode([FacetExample("x", "one")], outputs([[1, 0]], embeddings=[[3, 4]]))
    assert prediction.nearest == (("1", 0.8), ("0", 0.6))


def test_without_training_texts_none_are_shown() -> None:
    (prediction,) = decoder().decode([FacetExample("x", "one")], outputs([[1, 0]]))
    assert prediction.nearest == ()


def test_classes_are_the_means_of_the_facet_that_needs_one_concept() -> None:
    """A text out of scope is in none of them; each class differs from its mean by (1, -2) either way."""
    made = decoder()
    made.measure(
        examples(("a",), ("a",), ("b",), ("b",), ()),
        outputs([[0, 0]] * 5, embeddings=[[0, 2], [2, -2], [10, 2], [12, -2], [99, 99]]),
    )
    assert made.classes.means.tolist() == [[1, 0], [11, 0]]
    shared_covariance = np.linalg.inv(made.classes.precision.astype(np.float64))
    assert shared_covariance == pytest.approx(
        np.array([[1.0, -2.0], [-2.0, 4.0]]) + 0.0025 * np.eye(2), rel=1e-3
    )


@pytest.mark.parametrize("topics", [[("a",), ("b",), ()], [(), ()], [("a",), ("a",)]])
def test_without_two_different_texts_of_a_class_no_distance_is_measured(
    topics: list[tuple[str, ...]],
) -> None:
    """Their covariance is 0 and has no inverse."""
    made = decoder()
    vectors = [[1.0, 2.0]] * len(topics)
    made.measure(examples(*topics), outputs([[0, 0]] * len(topics), embeddings=vectors))
    assert (made.classes.means.shape, made.classes.precision.shape) == ((0, 2), (0, 2))


def test_a_detector_of_distances_alone_waits_for_the_training_texts() -> None:
    """Validation tunes after each epoch, and training texts are measured at the end."""
    texts, found = examples(("a",), ("a",), ()), outputs([[1, 0]] * 3, embeddings=[[0, 0], [1, 0], [9, 9]])
    made = decoder(detectors=["mahalanobis"])
    made.tune(texts, found)
    assert set(made.thresholds) == {"temperature/topic"}
    made.measure(texts, found)
    made.tune(texts, found)
    assert set(made.thresholds) == {"temperature/topic", "mahalanobis/topic"}


def test_a_text_without_two_marks_gets_no_relation() -> None:
    texts = [marked_example("Rain brings floods", "Rain", "floods"), FacetExample("1", "Rain brings floods")]
    scores = [[-5.0, 5.0, 5.0, -5.0]] * 2
    made = decoder(RELATIONS)
    made.thresholds["set/0.05/relation"] = -1.0
    made.give_sets(0.05)
    marked, unmarked = made.decode(texts, outputs(scores))
    assert marked.facets["relation"].given == (RELATIONS.concepts[2].id,)
    assert marked.facets["relation"].candidates == (RELATIONS.concepts[2].id,)
    assert unmarked.facets["relation"].candidates is None
    assert unmarked.facets["relation"].given == ()
    assert unmarked.facets["relation"].abstained == (
        "a relation holds between two marked spans, and the text has none"
    )


def test_training_classes_are_measured_only_where_validation_has_texts_out_of_scope() -> None:
    inside, outside = examples(("a",), ("b",)), examples(("a",), ())
    assert decoder().measures(outside)
    assert not decoder().measures(inside)
    assert not decoder(detectors=["energy"]).measures(outside)


def test_a_common_concept_is_chosen_less_often_by_the_power_of_its_share() -> None:
    """Shares 4/5 and 1/5: ln 5/4 and ln 5 are added, halved; 1.0 to 0.0 becomes 1.111572 to 0.804719."""
    found = prior_shift(PAIR, [4, 1], power=0.5)
    assert found.tolist() == pytest.approx([0.111572, 0.804719], abs=1e-6)
    assert not prior_shift(PAIR, [4, 1], power=0.0).any()


def test_a_narrower_concept_is_shifted_by_its_share_of_the_broader_one() -> None:
    markets, bonds = prior_shift(DESK, [4, 2, *[0] * (len(DESK.concepts) - 2)], power=1.0)[:2].tolist()
    tops = sum(concept.facet == "topic" and not concept.broader for concept in DESK.concepts)
    assert markets == pytest.approx(np.log((4 + tops - 1) / 4), abs=1e-6)
    assert bonds == pytest.approx(np.log(2), abs=1e-6)


def test_the_shift_moves_the_choice_and_not_the_probability() -> None:
    """At scores 1 and 0, `b` has the probability 1 / (1 + e)."""
    shifted = decoder()
    shifted.shift = prior_shift(PAIR, [99, 1], power=1.0)
    (prediction,) = shifted.decode(examples(("a",)), outputs([[1.0, 0.0]]))
    assert prediction.facets["topic"].concepts == ("b",)
    assert prediction.facets["topic"].probability == pytest.approx(0.268941, abs=1e-6)


def test_a_guess_is_as_sure_as_guesses_like_it_were_right() -> None:
    """Forty texts are led by 4, and each second has another gold: a guess is half right."""
    made = decoder()
    texts = examples(*[("a",) if place % 2 else ("b",) for place in range(40)])
    found = outputs([[4.0, 0.0]] * 40)
    made.tune(texts, found)
    assert "confidence/slope" in made.thresholds
    answers = [prediction.facets["topic"] for prediction in made.decode(texts, found)]
    assert [answer.probability for answer in answers] == pytest.approx([0.5] * 40, abs=0.01)
    assert answers[0].raw_probability == pytest.approx(1 / (1 + np.exp(-4)), abs=1e-6)
