import random

import numpy as np
import pytest
from scipy import stats

from shared.proportions import Share, first_shares, share, weighted_shares, within_correlation


def test_answers_of_a_document_each_count_as_what_they_are() -> None:
    found = share([True, False, False, False], ["a", "b", "c", "d"])
    assert found == Share(wrong=1, num=4, effective=4.0)
    assert found.value == 0.25


def test_bounds_and_test_of_independent_answers_are_those_of_the_exact_binomial() -> None:
    found = Share(wrong=3, num=100, effective=100.0)
    exact = stats.binomtest(3, 100).proportion_ci(0.95, method="exact")
    assert found.bounds() == pytest.approx((exact.low, exact.high))
    assert found.p_value(0.1) == pytest.approx(stats.binom.cdf(3, 100, 0.1))


def test_none_wrong_has_no_lower_bound_all_wrong_no_upper_one_and_passes_no_limit() -> None:
    assert Share(0, 50, 50.0).bounds()[0] == 0.0
    assert Share(50, 50, 50.0).bounds()[1] == 1.0
    assert Share(50, 50, 50.0).p_value(0.99) == 1.0
    assert Share(0, 0, 0.0).bounds() == (0.0, 1.0)


def test_documents_that_err_as_one_count_once_each() -> None:
    """Ten documents of ten answers, all wrong or all right: they tell as much as 10, less for t's tail."""
    documents = [f"d{place // 10}" for place in range(100)]
    wrong = [place // 10 < 2 for place in range(100)]
    assert within_correlation(wrong, documents) == 1.0
    few = (stats.t.ppf(0.025, 99) / stats.t.ppf(0.025, 9)) ** 2
    assert share(wrong, documents).effective == pytest.approx(10 * few)


def test_documents_that_err_alike_by_chance_alone_have_no_correlation() -> None:
    assert within_correlation([True, False] * 10, [f"d{place // 2}" for place in range(20)]) == 0.0
    assert within_correlation([False] * 20, [f"d{place // 2}" for place in range(20)]) == 0.0


def test_one_document_tells_nothing_of_others() -> None:
    assert share([True, False, False], ["a", "a", "a"]).effective == 0.0
    assert share([True, False, False], ["a", "a", "a"]).bounds() == (0.0, 1.0)


def test_the_first_answers_share_grows_as_a_plain_count_does() -> None:
    generator = random.Random(1)
    documents = [f"d{generator.randrange(8)}" for _ in range(60)]
    wrong = [generator.random() < 0.3 for _ in documents]
    for number, found in zip(
        [5, 20, 60], first_shares(wrong, documents, [5, 20, 60], correlation=0.2), strict=True
    ):
        sizes = np.unique(documents[:number], return_counts=True)[1]
        few = (stats.t.ppf(0.025, number - 1) / stats.t.ppf(0.025, len(sizes) - 1)) ** 2
        effect = 1 + ((sizes**2).sum() / number - 1) * 0.2
        assert (found.wrong, found.num) == (sum(wrong[:number]), number)
        assert found.effective == pytest.approx(number * few / effect)


@pytest.mark.parametrize("spread", [0.0, 0.15])
def test_intervals_hold_the_share_about_as_often_as_they_say_though_documents_err_together(
    spread: float,
) -> None:
    """40 documents of 12 answers whose own risk is 0.15 or more and less by `spread`; 300 draws of them."""
    generator = np.random.default_rng(0)
    documents = [f"d{place // 12}" for place in range(480)]
    held = 0
    for _ in range(300):
        own = np.repeat(0.15 + spread * generator.choice([-1, 1], size=40), 12)
        low, high = share((generator.random(480) < own).tolist(), documents).bounds()
        held += low <= 0.15 <= high
    assert held / 300 >= 0.92


def test_an_answer_of_more_weight_counts_so_often_and_tells_no_more() -> None:
    """Of 6, 3 is wrong; 1.5 and three times 0.5 lie apart from the mean: 0.25 / (4/3 x 3 / 36)."""
    documents, weights = ["a", "b", "c", "d"], [3.0, 1.0, 1.0, 1.0]
    (found,) = weighted_shares([True, False, False, False], documents, weights, [4], correlation=0.0)
    assert (found.value, found.num, found.effective) == (0.5, 4, pytest.approx(2.25))
    (none,) = weighted_shares([False] * 4, documents, weights, [4], correlation=0.0)
    assert (none.value, none.effective) == (0.0, 2.0)
    (alone,) = weighted_shares([False, True], ["a", "a"], [1.0, 1.0], [2], correlation=1.0)
    assert alone.effective == 0.0


def test_weights_that_are_equal_change_next_to_nothing() -> None:
    generator = random.Random(3)
    wrong = [generator.random() < 0.1 for _ in range(400)]
    documents = [str(place // 2) for place in range(400)]
    numbers = [100, 400]
    together = within_correlation(wrong, documents)
    plain = first_shares(wrong, documents, numbers, correlation=together)
    weighted = weighted_shares(wrong, documents, [2.0] * 400, numbers, correlation=together)
    for own, found in zip(plain, weighted, strict=True):
        assert found.value == pytest.approx(own.value)
        assert found.effective == pytest.approx(own.effective, rel=0.15)
