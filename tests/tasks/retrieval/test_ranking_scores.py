import random
import sys

import numpy as np
import pytest
import pytrec_eval

from shared.passages import RankingExample, RankingPrediction
from tasks.retrieval.ranking_scores import (
    COLUMNS,
    ORDER,
    brier,
    calibration_row,
    ece,
    mean,
    order_scores,
    query_rows,
    ratio,
)


def scores_of(grades: dict[str, int], *ranked: str) -> dict[str, float]:
    found = order_scores([(RankingExample("q", "which?", grades=grades), RankingPrediction("q", ranked))])
    return {name: float(values[0]) for name, values in found.items()}


def calibration(grades: dict[str, int], *probabilities: float) -> np.ndarray:
    """The numbers of an answer that ranks a, b, c and so on, behind those of `COLUMNS`."""
    answer = RankingPrediction("q", tuple("abcdefghijkl"), probabilities=probabilities)
    row = calibration_row(RankingExample("q", "which?", grades=grades), answer)
    return np.array([[0.0] * len(COLUMNS) + row])


def test_ndcg_has_linear_gain_and_all_relevant_passages_in_its_ideal() -> None:
    """(2 / log2 3 + 1 / log2 4) / (2 / log2 2 + 1 / log2 3)."""
    assert scores_of({"a": 2, "b": 1, "x": 0}, "x", "a", "b")["ndcg@10"] == pytest.approx(0.66967, abs=5e-6)
    assert scores_of({"a": 1, "far": 1}, "a")["ndcg@10"] == pytest.approx(1 / (1 + 0.63093), abs=5e-6)


def test_reciprocal_rank_ends_at_ten_and_recall_at_ten_and_a_hundred() -> None:
    others = [f"x{number}" for number in range(200)]
    assert scores_of({"a": 1}, *others[:9], "a") == {
        "ndcg@10": pytest.approx(1 / np.log2(11)),
        "mrr@10": 0.1,
        "recall@10": 1.0,
        "recall@100": 1.0,
    }
    late = scores_of({"a": 1, "b": 1}, *others[:10], "a", *others[10:], "b")
    assert late == {"ndcg@10": 0.0, "mrr@10": 0.0, "recall@10": 0.0, "recall@100": 0.5}


def test_recall_is_over_relevant_passages_that_nobody_ranked_too() -> None:
    assert scores_of({"a": 1, "b": 3, "c": 1, "d": 1, "x": 0}, "x", "a")["recall@100"] == 0.25


def test_the_ideal_order_has_exactly_one_whatever_the_grades_and_the_order_of_equals() -> None:
    grades = {f"p{number}": 1 + number % 3 for number in range(13)}
    equal = sorted(grades, key=lambda passage: (-grades[passage], passage[::-1]))
    assert scores_of(grades, *equal)["ndcg@10"] == 1.0
    assert scores_of({"a": 2, "b": 2, "c": 1}, "b", "a", "c")["ndcg@10"] == 1.0


def test_an_empty_ranking_has_nothing_and_no_ranking_gives_no_scores() -> None:
    assert scores_of({"a": 1}) == dict.fromkeys(ORDER, 0.0)
    assert [values.tolist() for values in order_scores([]).values()] == [[], [], [], []]


def test_a_passage_ranked_twice_counts_once() -> None:
    assert scores_of({"a": 1, "b": 1}, "a", "a", "a") == scores_of({"a": 1, "b": 1}, "a")


@pytest.mark.parametrize("seed", range(5))
def test_scores_equal_those_of_trec_eval_on_random_rankings_with_grades(seed: int) -> None:
    generator = random.Random(seed)
    pool = [f"p{number}" for number in range(150)]
    pairs, judged, runs = [], {}, {}
    for query in map(str, range(40)):
        some = generator.sample(pool, generator.randint(1, 40))
        grades = {**{passage: generator.choice((0, 0, 1, 2, 3)) for passage in some}, "p0": 1}
        ranked = generator.sample(pool, generator.randint(1, 150))
        pairs.append((RankingExample(query, "?", grades=grades), RankingPrediction(query, tuple(ranked))))
        judged[query], runs[query] = grades, {p: float(-rank) for rank, p in enumerate(ranked)}
    found = order_scores(pairs)
    whole = pytrec_eval.RelevanceEvaluator(judged, {"ndcg_cut_10", "recall_10", "recall_100"}).evaluate(runs)
    cut = {query: dict(list(run.items())[:10]) for query, run in runs.items()}
    first = pytrec_eval.RelevanceEvaluator(judged, {"recip_rank"}).evaluate(cut)
    for name, theirs, key in (
        ("ndcg@10", whole, "ndcg_cut_10"),
        ("recall@10", whole, "recall_10"),
        ("recall@100", whole, "recall_100"),
        ("mrr@10", first, "recip_rank"),
    ):
        expected = [theirs[query][key] for query in judged]
        assert 0 < np.mean(expected) < 1
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=1e-9)


def test_scoring_does_not_bring_in_what_makes_folders_at_home() -> None:
    order_scores([])
    assert "ranx" in sys.modules
    assert "ir_datasets" not in sys.modules


def test_a_query_without_a_relevant_passage_is_not_judged_but_answered() -> None:
    pairs = [
        (RankingExample("1", "?", grades={"a": 1}), RankingPrediction("1", ("x", "a"))),
        (RankingExample("2", "?", grades={"a": 0}), RankingPrediction("2", ("a",))),
        (RankingExample("3", "?", grades={"a": 1}), RankingPrediction("3", ("a",), nothing=True)),
        (RankingExample("4", "?", grades={"a": 1}), RankingPrediction("4", ("a",))),
    ]
    columns = [COLUMNS.index(name) for name in ("mrr@10", "judged", "answered", "right", "queries")]
    assert [[row[column] for column in columns] for row in query_rows(pairs)] == [
        [0.5, 1.0, 1.0, 0.0, 1.0],
        [0.0, 0.0, 1.0, 0.0, 1.0],
        [1.0, 1.0, 0.0, 0.0, 1.0],
        [1.0, 1.0, 1.0, 1.0, 1.0],
    ]


def test_the_calibration_error_weighs_the_gap_of_each_bin_by_its_passages() -> None:
    """Apart: 0.1, 0.8 and 0.05 over 3 passages. In one bin: two of 0.9 of which one is relevant."""
    assert ece(calibration({"a": 2}, 0.9, 0.8, 0.05))[0] == pytest.approx(0.95 / 3)
    assert ece(calibration({"a": 1}, 0.9, 0.9))[0] == pytest.approx(0.4)


def test_a_probability_of_one_falls_in_the_last_bin_and_a_fifteenth_in_the_second() -> None:
    row = calibration({}, 1.0, 1 / 15, 0.0)[0, len(COLUMNS) :]
    assert np.flatnonzero(row[:15]).tolist() == [1, 14]
    assert (row[1], row[14], row[16]) == (1 / 15, 1.0, 3.0)


def test_the_brier_score_is_the_mean_squared_gap() -> None:
    assert brier(calibration({"a": 1}, 0.9, 0.8, 0.05))[0] == pytest.approx((0.01 + 0.64 + 0.0025) / 3)


def test_only_the_first_ten_probabilities_are_judged_and_without_any_the_errors_are_zero() -> None:
    assert calibration({}, *[0.0] * 10, 1.0, 1.0)[0, -1] == 10
    assert ece(calibration({})).tolist() == brier(calibration({})).tolist() == [0.0]


def test_a_ratio_is_part_over_whole_and_zero_over_nothing() -> None:
    summed = np.array([[1.0, 9.0, 4.0], [3.0, 9.0, 0.0]])
    assert ratio(summed, part=0, whole=2).tolist() == [0.25, 0.0]
    assert mean(np.array([3.0, 4.0])).tolist() == 0.75
