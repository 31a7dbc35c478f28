import numpy as np
import pytest
from scipy.stats import binom, binomtest

from shared.conformal import drift, least_held_out, p_values, rate_interval


def test_a_p_value_counts_the_held_out_scores_that_are_at_least_as_high() -> None:
    held_out = np.array([3.0, 1.0, 2.0, 2.0])
    scores = np.array([0.0, 1.0, 2.0, 2.5, 3.0, 9.0])
    assert p_values(scores, held_out).tolist() == [1.0, 1.0, 0.8, 0.4, 0.4, 0.2]


def test_p_values_agree_with_counting_one_by_one() -> None:
    generator = np.random.default_rng(0)
    scores, held_out = generator.integers(20, size=200) / 4, generator.integers(20, size=87) / 4
    counted = [(1 + sum(other >= score for other in held_out)) / 88 for score in scores]
    assert p_values(scores, held_out).tolist() == counted


def test_nothing_held_out_says_nothing() -> None:
    assert p_values(np.array([1.0, 2.0]), np.array([])).tolist() == [1.0, 1.0]
    assert p_values(np.array([]), np.array([1.0])).tolist() == []


@pytest.mark.parametrize(
    ("rate", "number"), [(0.01, 99), (0.05, 19), (0.02, 49), (0.03, 33), (0.5, 1), (0.9, 1), (1.0, 0)]
)
def test_so_many_held_out_texts_make_an_alarm_possible(rate: float, number: int) -> None:
    assert least_held_out(rate) == number


def test_one_text_fewer_makes_an_alarm_impossible_whatever_the_rounding() -> None:
    highest = np.array([9.0])
    for rate in [1 / divisor for divisor in range(2, 400)] + [percent / 1000 for percent in range(1, 1000)]:
        number = least_held_out(rate)
        assert p_values(highest, np.zeros(number))[0] <= rate
        assert p_values(highest, np.zeros(number - 1))[0] > rate


def test_false_alarms_keep_the_promised_rate_on_average() -> None:
    drawn = np.random.default_rng(0).normal(size=(400, 99 + 50))
    rates = [(p_values(row[99:], row[:99]) <= 0.05).mean() for row in drawn]
    assert np.mean(rates) == pytest.approx(0.05, abs=0.005)


def test_the_interval_of_a_rate_is_the_exact_one() -> None:
    # 0 of n: the high end h has (1 - h) ** n = 0.025
    assert rate_interval(0, 2) == pytest.approx((0.0, 1 - 0.025**0.5))
    assert rate_interval(2, 2) == pytest.approx((0.025**0.5, 1.0))
    assert rate_interval(0, 0) == (0.0, 1.0)
    for alarms, total in ((1, 7), (12, 900), (50, 50)):
        reference = binomtest(alarms, total).proportion_ci(method="exact")
        assert rate_interval(alarms, total) == pytest.approx((reference.low, reference.high))


def test_drift_is_a_two_sided_exact_test() -> None:
    # 1 of 2 at 0.1 has probability 0.18, 2 of 2 has 0.01: as unlikely or more are these two
    assert drift(1, 2, 0.1).p == pytest.approx(0.19)
    likely = binom.pmf(np.arange(101), 100, 0.05)
    assert drift(9, 100, 0.05).p == pytest.approx(likely[likely <= likely[9] * (1 + 1e-7)].sum())
    assert drift(0, 0, 0.01).p == 1.0


@pytest.mark.parametrize(
    ("alarms", "verdict"),
    [
        (10, "within what chance allows at the promised 1.00%"),
        (40, "more alarms than the promised 1.00%"),
        (1, "fewer alarms than the promised 1.00%"),
    ],
)
def test_the_sentence_tells_people_what_was_found(alarms: int, verdict: str) -> None:
    assert drift(alarms, 1000, 0.01).sentence.endswith(verdict)


def test_the_sentence_gives_the_figures() -> None:
    assert drift(4, 1000, 0.01).sentence == (
        "4 alarms in 1,000 texts, a rate of 0.11% to 1.02% (95 % interval): "
        "within what chance allows at the promised 1.00%"
    )
