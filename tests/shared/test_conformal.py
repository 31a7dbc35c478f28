import numpy as np
import pytest
from scipy.stats import binomtest, hypergeom

from shared.conformal import Array, drift, least_held_out, p_values, rate_interval


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


def test_drift_asks_where_new_texts_rank_among_the_held_out_ones() -> None:
    # one held out at 0.5: an alarm is a score above it, and of two new texts 0, 1 and 2 are equally likely so
    assert [drift(alarms, 2, 0.5, held_out=1).p for alarms in range(3)] == pytest.approx([2 / 3, 1.0, 2 / 3])
    # three held out at 0.25: a new text is the highest of four with a chance of 1 / 4
    assert drift(1, 1, 0.25, held_out=3).p == pytest.approx(1 / 2)
    assert drift(0, 0, 0.01, held_out=100).p == 1.0


@pytest.mark.parametrize(("promised", "held_out", "rank"), [(0.01, 800, 8), (0.05, 199, 10), (0.3, 9, 3)])
def test_drift_agrees_with_drawing_ranks_without_replacement(
    promised: float, held_out: int, rank: int
) -> None:
    """At most `a` alarms: of the highest a + rank among all, old and new, at least rank were held out."""
    for alarms in (0, 1, 5, 40):
        at_most, fewer = hypergeom.sf(
            rank - 1, held_out + 900, held_out, np.array([alarms, alarms - 1]) + rank
        )
        expected = min(1.0, 2 * at_most, 2 * (1 - fewer))
        assert drift(alarms, 900, promised, held_out=held_out).p == pytest.approx(expected)


def test_the_numbers_that_chance_allows_leave_out_at_most_a_fortieth_at_each_end() -> None:
    found = drift(50, 5000, 0.01, held_out=800)
    assert (found.low, found.high) == (19, 93)
    within = [drift(alarms, 5000, 0.01, held_out=800) for alarms in (18, 19, 93, 94)]
    assert [found.within_chance for found in within] == [False, True, True, False]
    assert [found.p > 0.05 for found in within] == [False, True, True, False]


def test_drift_counts_the_p_values_at_most_the_rate_whatever_the_rounding() -> None:
    """A single new text raises an alarm with a chance of rank / 100."""
    for percent in range(1, 100):
        held_out = np.arange(99.0)
        rank = sum(p_values(np.arange(99.0), held_out) <= percent / 100) + 1  # and a score above all
        assert drift(1, 1, percent / 100, held_out=99).p == pytest.approx(min(1.0, 2 * rank / 100))


def test_too_few_held_out_texts_are_told_instead_of_a_range() -> None:
    found = drift(0, 2000, 0.01, held_out=98)
    assert (found.low, found.high, found.p, found.within_chance) == (0, 0, 1.0, True)
    assert found.sentence == (
        "0 alarms in 2,000 texts: none is possible at the promised 1.00% with 98 held-out texts, "
        "that takes 99"
    )
    assert not drift(1, 2000, 0.01, held_out=98).within_chance


def share_called_drift(promised: float, *, held_out: int, times: float) -> float:
    """Return the share of 300 streams of 5,000 that are called drift, alarms being so many times as many."""
    generator = np.random.default_rng(0)

    def called(held: Array, stream: Array) -> bool:
        alarms = int((p_values(1 - stream / times, held) <= promised).sum())
        return not drift(alarms, len(stream), promised, held_out=held_out).within_chance

    return float(np.mean([called(generator.random(held_out), generator.random(5000)) for _ in range(300)]))


@pytest.mark.parametrize("promised", [0.01, 0.05])
def test_a_long_stream_like_the_held_out_texts_is_not_called_drift(promised: float) -> None:
    assert share_called_drift(promised, held_out=200, times=1) < 0.08


def test_a_stream_with_a_doubled_rate_is_called_drift() -> None:
    assert share_called_drift(0.05, held_out=2000, times=2) > 0.99


@pytest.mark.parametrize(("alarms", "place"), [(50, "within"), (94, "more than"), (18, "fewer than")])
def test_the_sentence_tells_people_what_was_found(alarms: int, place: str) -> None:
    assert drift(alarms, 5000, 0.01, held_out=800).sentence == (
        f"{alarms} alarms in 5,000 texts, {place} the 19 to 93 that chance allows (95 % range) "
        "at the promised 1.00% with 800 held-out texts"
    )
