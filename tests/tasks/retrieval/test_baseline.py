from typing import Any

from shared.compose import compose_run
from shared.passages import Passage, RankingExample, RankingPrediction
from tasks.retrieval.baseline import FirstStageOrder

NO_DATA: Any = None  # it answers from the examples alone


def test_the_candidates_are_answered_in_the_order_they_come_with_their_scores() -> None:
    passages = (Passage("b", "sun"), Passage("a", "rain"))
    examples = [RankingExample("q1", "sun", passages, (2.5, 1.0), {"a": 1}), RankingExample("q2", "snow")]
    answers = FirstStageOrder("BM25").answer(NO_DATA, examples)
    assert answers.predictions == [
        RankingPrediction("q1", ("b", "a"), (2.5, 1.0)),
        RankingPrediction("q2"),
    ]


def test_an_answer_has_a_hundred_passages_at_most() -> None:
    passages = tuple(Passage(f"p{number}", "text") for number in range(150))
    example = RankingExample("q", "text", passages, tuple(float(150 - number) for number in range(150)))
    (prediction,) = FirstStageOrder("BM25").answer(NO_DATA, [example]).predictions
    assert (len(prediction.ranked), prediction.ranked[-1]) == (100, "p99")
    assert (len(prediction.scores), prediction.scores[-1]) == (100, 51.0)


def test_the_row_has_a_name_and_is_a_baseline() -> None:
    baseline = compose_run("reranking", ["baseline=first_stage"]).baseline
    assert baseline == FirstStageOrder("first stage")
    assert baseline.kind == "baseline"
