import math

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from shared.heads.settings import Ordering
from shared.passages import Passage, RankingExample, RankingPrediction
from shared.ranking import Candidates, Weights, ndcg, ranking, ranking_row, tuned

ABC = (Passage("a", "x", "one"), Passage("b", "y", "two"), Passage("c", "z", "two"))


def query(first: tuple[float, ...] = (), **grades: int) -> RankingExample:
    return RankingExample("q", "what?", ABC, first, grades)


def order(candidates: Candidates, **weights: float) -> list[int]:
    return candidates.order(Weights(**{"first": 0.0, "document": 0.0, **weights}))[0].tolist()


def test_the_score_alone_orders_and_ties_keep_their_places() -> None:
    assert order(Candidates(query(), np.array([1.0, 3.0, 2.0]))) == [1, 2, 0]
    assert order(Candidates(query(), np.array([1.0, 1.0, 1.0]))) == [0, 1, 2]


def test_a_heavy_first_stage_keeps_its_order() -> None:
    scored = Candidates(query(first=(9.0, 5.0, 1.0)), np.array([0.0, 1.0, 2.0]))
    assert order(scored) == [2, 1, 0]
    assert order(scored, first=3.0) == [0, 1, 2]


def test_a_good_neighbour_lifts_the_passages_of_its_document() -> None:
    """Standardised: a 0.27, b -1.33, c 1.07; with the document's best, b gets -1.33 + 1.07, a 0.27 + 0.27."""
    scored = Candidates(query(), np.array([2.0, 0.0, 3.0]))
    assert order(scored) == [2, 0, 1]
    assert order(scored, document=3.0) == [2, 1, 0]


def test_what_was_not_scored_follows_in_the_first_stages_order() -> None:
    scored = Candidates(query(), np.array([1.0, 2.0]))
    assert ranking(scored, {}, answers=3) == RankingPrediction("q", ("b", "a", "c"), (1.0, -1.0))
    assert ranking(scored, {}, answers=1).ranked == ("b",)


def test_without_candidates_nothing_is_the_answer() -> None:
    empty = Candidates(RankingExample("q", "what?"), np.zeros(0))
    assert ranking(empty, {}, answers=10) == RankingPrediction("q", nothing=True)
    tuned_values = {"score_slope": 1.0, "value_slope": 0.0, "intercept": 0.0, "nothing_below": 0.0}
    assert ranking(empty, tuned_values, answers=10) == RankingPrediction("q", nothing=True)


def test_probabilities_follow_the_calibration_and_the_threshold_says_nothing() -> None:
    values = {"score_slope": 2.0, "value_slope": 0.0, "intercept": -1.0, "nothing_below": 0.9}
    answer = ranking(Candidates(query(), np.array([0.5, 1.0, 0.0])), values, answers=3)
    assert answer.ranked == ("b", "a", "c")
    assert answer.probabilities == pytest.approx((1 / (1 + math.exp(-1)), 0.5, 1 / (1 + math.e)))
    assert answer.nothing
    assert not ranking(
        Candidates(query(), np.array([0.5, 1.0, 0.0])), {**values, "nothing_below": 0.7}, answers=3
    ).nothing


def test_the_more_passages_look_alike_the_less_likely_is_each() -> None:
    """The softmax of two equal values gives each a half, of three a third: logits 0 and log(1 / 2)."""
    values = {
        "score_slope": 0.0,
        "value_slope": 0.0,
        "lead_slope": 1.0,
        "intercept": 0.0,
        "nothing_below": 0.0,
    }
    two = Candidates(RankingExample("q", "what?", ABC[:2]), np.array([1.0, 1.0]))
    three = Candidates(RankingExample("q", "what?", ABC), np.array([1.0, 1.0, 1.0]))
    one = Candidates(RankingExample("q", "what?", ABC[:1]), np.array([1.0]))
    assert ranking(two, values, answers=3).probabilities == pytest.approx((0.5, 0.5))
    assert ranking(three, values, answers=3).probabilities == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert ranking(one, values, answers=3).probabilities == (0.5,)


def test_the_probability_of_the_first_passage_is_right_where_one_of_many_answers() -> None:
    """400 queries with 30 passages whose scores tell only in part; half of the queries are held out."""
    generator = np.random.default_rng(0)
    passages = tuple(Passage(f"p{place}", "x", f"d{place}") for place in range(30))
    found = []
    for number in range(800):
        scores = generator.normal(size=30)
        scores[number % 30] += 2.5
        example = RankingExample(f"q{number}", "what?", passages, (), {f"p{number % 30}": 1})
        found.append(Candidates(example, scores))
    values = tuned(found[:400], Ordering(first_weights=[0], document_weights=[0], sent_away=0.0, answers=1))
    answers = [ranking(candidates, values, answers=1) for candidates in found[400:]]
    right = np.mean([a.ranked[0] in c.example.grades for a, c in zip(answers, found[400:], strict=True)])
    assert np.mean([answer.probabilities[0] for answer in answers]) == pytest.approx(right, abs=0.05)


def test_validation_chooses_the_weights_that_order_best_and_the_smallest_of_equals() -> None:
    """The head alone puts the relevant passage last; with the first stage at 2 it comes first."""
    found = [
        Candidates(query(first=(9.0, 5.0, 1.0), a=1), np.array([0.0, 1.0, 2.0])),
        Candidates(query(first=(9.0, 5.0, 1.0), a=1, b=0), np.array([0.1, 1.0, 2.0])),
        Candidates(query(first=(9.0, 5.0, 1.0), missing=1), np.array([0.1, 1.0, 2.0])),
    ]
    settings = Ordering(first_weights=[0, 2, 3], document_weights=[0, 1], sent_away=0.0, answers=3)
    values = tuned(found, settings)
    assert (values["first_weight"], values["document_weight"]) == (2, 0)
    answers = [ranking(candidates, values, answers=3) for candidates in found]
    assert [answer.ranked[0] for answer in answers] == ["a", "a", "a"]
    assert not any(answer.nothing for answer in answers)


def test_the_threshold_sends_away_the_share_that_was_asked_for() -> None:
    generator = np.random.default_rng(1)
    found = [Candidates(query(a=1), generator.normal([1, 0, 0])) for _ in range(200)]
    values = tuned(found, Ordering(first_weights=[0], document_weights=[0], sent_away=0.1, answers=3))
    nothing = [ranking(candidates, values, answers=3).nothing for candidates in found]
    assert sum(nothing) == 20


def test_without_a_relevant_candidate_there_is_nothing_to_tune() -> None:
    settings = Ordering(first_weights=[0], document_weights=[0], sent_away=0.1, answers=3)
    assert tuned([Candidates(query(), np.zeros(3))], settings) == {}


def test_ndcg_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(2)
    for _ in range(50):
        gains = generator.integers(0, 3, size=15).astype(float)
        expected = ndcg_score([gains], [np.arange(15, 0, -1)], k=10) if gains.any() else 0.0
        assert ndcg(gains, gains.astype(int).tolist()) == pytest.approx(expected, abs=1e-12)
    assert ndcg(np.array([0.0, 1.0]), [1, 1]) == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))


def test_a_row_says_why_an_order_is_not_given() -> None:
    held = RankingPrediction("q", ("c",), (2.0,), (0.4,)).held_back("queries", 0.5, "not sure enough")
    row = ranking_row(query(), held)
    assert (row["nothing"], row["abstained"], row["reason"]) == (True, True, "not sure enough")
    assert row["passages"][0]["id"] == "c"


def test_a_row_has_the_passages_in_order() -> None:
    answer = RankingPrediction("q", ("c", "a"), (2.0, 1.0), (0.9,))
    assert ranking_row(query(), answer) == {
        "id": "q",
        "nothing": False,
        "passages": [
            {"id": "c", "text": "z", "score": 2.0, "probability": 0.9},
            {"id": "a", "text": "x", "score": 1.0},
        ],
    }
