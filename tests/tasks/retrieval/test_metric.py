from collections.abc import Sequence

import numpy as np
import pytest

from shared.contracts import Score, Trial
from shared.errors import ConfigError, UserError
from shared.intervals import bootstrap, stack_counts
from shared.passages import Passage, RankingExample, RankingPrediction
from tasks.retrieval.metric import RankingScores

METRIC = RankingScores()
PASSAGES = tuple(Passage(id, f"This is {id}.") for id in ("a", "b", "x"))
RENT = RankingExample("rent", "what is the rent?", PASSAGES, (3.0, 2.0, 1.0), {"a": 1}, "lease")
TERM = RankingExample("term", "how long is the term?", PASSAGES, (), {"b": 1, "far": 1}, "lease")
DEBT = RankingExample("debt", "who holds the debt?", PASSAGES[2:], (), {"a": 2}, "notes")
NONE = RankingExample("none", "who is the auditor?", PASSAGES, (), {"x": 0}, "notes")
ALL = [RENT, TERM, DEBT, NONE]


def ranked(id: str, *passages: str, nothing: bool = False) -> RankingPrediction:
    return RankingPrediction(id, passages, nothing=nothing)


def values(predictions: Sequence[RankingPrediction]) -> dict[str, float]:
    return {name: score.value for name, score in METRIC.score(ALL, predictions).items()}


def test_gold_has_full_scores_also_where_the_first_stage_missed_a_passage() -> None:
    gold = [example.gold() for example in ALL]
    assert values(gold) == {
        "ndcg@10": 1.0,
        "mrr@10": 1.0,
        "recall@10": 1.0,
        "recall@100": 1.0,
        "answered": 1.0,
        "precision@1 answered": 0.75,  # nothing is right for the query without a relevant passage
    }
    assert METRIC.quick(ALL, gold) == 1.0
    assert not list(METRIC.wrong(ALL, gold))


def test_means_are_over_the_queries_that_have_a_relevant_passage() -> None:
    found = values([ranked("rent", "a"), ranked("term", "x", "b"), ranked("debt"), ranked("none", "x")])
    assert found["mrr@10"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert found["recall@100"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert found["precision@1 answered"] == 1 / 4


def test_an_answer_of_nothing_keeps_the_scores_of_its_order() -> None:
    gold = [example.gold() for example in ALL[:3]]
    found = values([*gold, ranked("none", "x", nothing=True)])
    assert (found["answered"], found["precision@1 answered"]) == (0.75, 1.0)
    silent = [ranked(p.id, *p.ranked, nothing=True) for p in [*gold, ranked("none")]]
    found = values(silent)
    assert (found["answered"], found["precision@1 answered"], found["ndcg@10"]) == (0.0, 0.0, 1.0)


def test_calibration_is_scored_where_there_are_probabilities_and_over_all_queries() -> None:
    """Probabilities 1 of a relevant passage, 0.5 of a relevant one, 0.5 of one that is not; gaps 0 and 0."""
    predictions = [
        RankingPrediction("rent", ("a",), probabilities=(1.0,)),
        RankingPrediction("term", ("b", "x"), probabilities=(0.5,)),
        RankingPrediction("debt", ("x", "a")),
        RankingPrediction("none", ("x",), probabilities=(0.5,)),
    ]
    found = values(predictions)
    assert (found["ece"], found["brier"]) == (0.0, pytest.approx(0.5 / 3))
    assert "ece" not in values([example.gold() for example in ALL])


def test_counts_and_the_main_statistic_give_the_score_and_its_interval_again() -> None:
    predictions = [ranked("rent", "x", "a"), ranked("term", "b", "far"), ranked("debt"), ranked("none")]
    counts = METRIC.counts(ALL, predictions)
    assert (counts.groups, counts.columns) == ([""], ["ndcg@10", "queries"])
    assert counts.rows == {"lease": [pytest.approx(1.63093, abs=5e-6), 2.0], "notes": [0.0, 1.0]}
    table = stack_counts([counts], documents=list(counts.rows), groups=counts.groups)
    again = bootstrap(table, METRIC.main_statistic())
    main = METRIC.score(ALL, predictions)["ndcg@10"]
    assert main == Score(again.value, again.low, again.high)
    assert METRIC.quick(ALL, predictions) == main.value == pytest.approx(1.63093 / 3, abs=5e-6)
    assert np.allclose([again.low, again.high], [0.0, 1.63093 / 2])


def test_wrong_orders_are_shown_with_the_ranks_of_what_is_relevant() -> None:
    predictions = [RENT.gold(), ranked("term", "x", "b", "a", "y"), ranked("debt"), ranked("none", "x")]
    assert list(METRIC.wrong(ALL, predictions)) == [
        {
            "id": "term",
            "query": "how long is the term?",
            "first": ["x", "b", "a"],
            "relevant": {"b": 2, "far": None},
            "nothing": False,
        },
        {
            "id": "debt",
            "query": "who holds the debt?",
            "first": [],
            "relevant": {"a": None},
            "nothing": False,
        },
    ]


def test_details_tell_scores_by_relevant_passages_and_what_the_first_stage_missed() -> None:
    """Of the three judged, debt has no relevant candidate, and term lacks one of two."""
    predictions = [ranked("rent", "a"), ranked("term", "x", "b"), ranked("debt"), ranked("none", "x")]
    lines = METRIC.details(ALL, predictions).splitlines()
    assert [line.split() for line in lines[2:4]] == [
        ["1", "2", "0.500", "0.500", "0.500", "0.500"],
        ["2", "1", "0.387", "0.500", "0.500", "0.500"],  # 1 / log2 3 over 1 + 1 / log2 3
    ]
    assert lines[5:] == [
        "no relevant passage among the candidates: 1 of 3 queries (33.3%)",
        "not every relevant one among them: 2 of 3 queries (66.7%)",
        "without a relevant passage, not scored: 1 of 4 queries (25.0%)",
    ]


def test_details_count_three_relevant_passages_and_more_together() -> None:
    many = [RankingExample(str(n), "?", grades=dict.fromkeys("abcdef"[:n], 1)) for n in (3, 5)]
    assert "3 or more" in METRIC.details(many, [example.gold() for example in many])


def test_a_split_without_a_relevant_passage_scores_zero() -> None:
    assert METRIC.quick([NONE], [ranked("none", "x")]) == 0.0
    assert "1 of 1 queries (100.0%)" in METRIC.details([NONE], [ranked("none", "x")])


def test_predictions_are_aligned_by_id_and_not_by_place() -> None:
    assert METRIC.quick(ALL, [example.gold() for example in reversed(ALL)]) == 1.0
    with pytest.raises(UserError, match="do not answer the 4 examples one by one"):
        METRIC.score(ALL, [RENT.gold()])


def test_binding_changes_nothing() -> None:
    assert METRIC.bind({"relevant": "relevant"}) is METRIC


def test_another_score_can_be_the_main_one() -> None:
    with pytest.raises(ConfigError, match=r"main='recall'; allowed: ndcg@10, mrr@10, recall@10, recall@100"):
        RankingScores(main="recall")
    examples = [RankingExample("q", "x", (), (), {"a": 1, "b": 1}, "d")]
    found = [RankingPrediction("q", ("c", "a"))]
    assert RankingScores(main="recall@100").counts(examples, found).rows == {"d": [0.5, 1.0]}
    assert RankingScores(main="mrr@10").quick(examples, found) == 0.5


def test_the_first_passages_with_a_probability_are_trials_also_behind_a_nothing() -> None:
    answers = [
        RankingPrediction("rent", ("a", "x"), probabilities=(0.9, 0.2)),
        RankingPrediction("term", ("x", "b"), probabilities=(0.6, 0.5)),
        ranked("debt", "a"),
        RankingPrediction("none", ("x",), probabilities=(0.1,), nothing=True),
    ]
    assert METRIC.trials(ALL, answers) == {
        "queries": [
            Trial("lease", 0.9, True),
            Trial("lease", 0.6, False),
            Trial("notes", 0.1, False),
        ]
    }
    assert METRIC.trials([NONE], [RankingPrediction("none", nothing=True)]) == {}
