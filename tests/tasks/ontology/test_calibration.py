import random
from collections.abc import Sequence

import pytest

from shared.contracts import Score
from shared.examples import FacetAnswer, FacetExample, FacetPrediction
from shared.ontology import Cardinality, Concept, Facet, Ontology
from tasks.ontology.metric import FacetScores

ONTOLOGY = Ontology(
    "colours",
    (Facet("colour", "colour", Cardinality.exactly_one),),
    tuple(Concept(name, "colour", name) for name in ("red", "blue")),
)
RED: tuple[str, ...] = ("red",)
BLUE: tuple[str, ...] = ("blue",)
OUTSIDE: tuple[str, ...] = ()

Item = tuple[tuple[str, ...], FacetAnswer]


def scored(items: Sequence[Item], *, asked_accuracy: float = 0.95) -> dict[str, Score]:
    examples = [
        FacetExample(str(number), "t", labels={"colour": gold}, document=str(number))
        for number, (gold, _) in enumerate(items)
    ]
    predictions = [
        FacetPrediction(str(number), {"colour": answer}) for number, (_, answer) in enumerate(items)
    ]
    return FacetScores("accuracy", "", asked_accuracy).bind(ONTOLOGY.row).score(examples, predictions)


def odd(gold: tuple[str, ...], oddity: float, *, right: bool = True) -> Item:
    return gold, FacetAnswer(gold if gold and right else ("blue",), oddity=oddity)


def test_ece_is_the_mean_gap_between_probability_and_share_right_by_bin() -> None:
    """Few probabilities, so each has a bin of its own: gaps 0.1, and 0.6 - 1 / 2 of two."""
    scores = scored(
        [
            (RED, FacetAnswer(RED, probability=0.9)),
            (RED, FacetAnswer(RED, probability=0.6)),
            (RED, FacetAnswer(BLUE, probability=0.6)),
        ]
    )
    assert scores["ece"].value == pytest.approx((0.1 + 0.2) / 3)
    assert scores["brier"].value == pytest.approx((0.01 + 0.16 + 0.36) / 3)
    assert "ece_raw" not in scores


def test_bins_have_equal_mass() -> None:
    """Thirty probabilities, 0.01 to 0.30, all wrong but the last: two a bin, the last with gap 0.59 - 1."""
    items = [(RED, FacetAnswer(BLUE, probability=number / 100)) for number in range(1, 30)]
    items.append((RED, FacetAnswer(RED, probability=0.3)))
    expected = (sum(range(1, 29)) / 100 + abs(0.29 + 0.30 - 1)) / 30
    assert scored(items)["ece"].value == pytest.approx(expected)


def test_an_abstained_guess_is_calibrated_too_and_a_text_out_of_scope_is_not() -> None:
    scores = scored(
        [
            (RED, FacetAnswer(RED, probability=0.5, raw_probability=0.9, abstained="unsure")),
            (OUTSIDE, FacetAnswer(RED, probability=0.9, raw_probability=0.9)),
        ]
    )
    assert scores["brier"].value == pytest.approx(0.25)
    assert scores["brier_raw"].value == pytest.approx(0.01)
    assert scores["ece_raw"].value == pytest.approx(0.1)


@pytest.mark.parametrize("seed", range(3))
def test_auroc_equals_scikit_learn_on_random_oddity_with_ties(seed: int) -> None:
    from sklearn.metrics import roc_auc_score

    generator = random.Random(seed)
    items = [odd(generator.choice([RED, OUTSIDE]), generator.randint(0, 12)) for _ in range(80)]
    outside = [not gold for gold, _ in items]
    oddity = [answer.oddity for _, answer in items]
    score = scored(items)["oos_auroc"]
    assert score.value == pytest.approx(roc_auc_score(outside, oddity))
    assert score.low is not None and score.high is not None
    assert score.low < score.value < score.high


def test_out_of_scope_recall_is_the_highest_that_keeps_accuracy_in_scope() -> None:
    """By oddity: right, right, outside, wrong, right, outside, outside; 3 of the 4 in scope are right."""
    items = [
        odd(RED, 1),
        odd(RED, 2),
        odd(OUTSIDE, 3),
        odd(RED, 4, right=False),
        odd(RED, 5),
        odd(OUTSIDE, 6),
        odd(OUTSIDE, 7),
    ]
    assert scored(items, asked_accuracy=0.5)["oos_recall_at_accuracy"].value == 1.0
    assert scored(items, asked_accuracy=0.75)["oos_recall_at_accuracy"].value == pytest.approx(2 / 3)
    assert scored(items, asked_accuracy=0.8)["oos_recall_at_accuracy"].value == 0.0


def test_a_threshold_cannot_part_texts_of_the_same_oddity() -> None:
    items = [odd(RED, 1), odd(RED, 2), odd(OUTSIDE, 2), odd(OUTSIDE, 3)]
    assert scored(items, asked_accuracy=1.0)["oos_recall_at_accuracy"].value == 0.5


def test_without_oddity_there_are_no_scores_of_it() -> None:
    scores = scored([(RED, FacetAnswer(RED)), (OUTSIDE, FacetAnswer(RED))])
    assert "oos_recall" in scores
    assert "oos_auroc" not in scores and "oos_recall_at_accuracy" not in scores


def in_set(gold: tuple[str, ...], *candidates: str, sure: tuple[str, ...] = ()) -> Item:
    return gold, FacetAnswer(RED, candidates=candidates, sure=sure)


def test_prediction_sets_are_scored_over_the_texts_in_scope() -> None:
    """Gold is in three of four sets of 1, 2, 1 and 2 candidates; two have a sure concept, one wrongly."""
    scores = scored(
        [
            in_set(RED, "red", sure=("red",)),
            in_set(BLUE, "red", "blue"),
            in_set(BLUE, "red", sure=("red",)),
            in_set(RED, "blue", "red"),
            in_set(OUTSIDE, "red", sure=("red",)),
        ]
    )
    names = ("set_coverage", "set_size", "sure_share", "sure_right")
    assert [scores[name].value for name in names] == [0.75, 1.5, 0.5, 0.75]
    assert [scores[f"{name}/colour"].value for name in names] == [0.75, 1.5, 0.5, 0.75]
    assert scores["set_coverage"].low is not None


def test_an_abstained_answer_has_its_set_scored_and_one_without_a_set_leaves_no_score() -> None:
    silent = (BLUE, FacetAnswer(RED, abstained="unsure", candidates=("red",), sure=()))
    assert scored([silent, in_set(RED, "red")])["set_coverage"].value == 0.5
    assert "set_coverage" not in scored([in_set(RED, "red"), (RED, FacetAnswer(RED))])
