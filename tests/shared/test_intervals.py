import numpy as np
import pytest

from shared.intervals import (
    Array,
    Interval,
    Ranking,
    bootstrap,
    bootstrap_each,
    difference_of,
    interval_of,
    over_runs,
    paired_difference,
    paired_runs,
    score_counts,
    stack_counts,
)
from shared.record import Counts


def f1(summed: Array) -> Array:
    return np.asarray(2 * summed[..., 0] / np.maximum(summed[..., 1] + summed[..., 2], 1))


def random_counts(documents: int, *, seed: int, runs: int = 1) -> Array:
    generator = np.random.default_rng(seed)
    right = generator.integers(0, 5, (documents, runs))
    more = generator.integers(0, 3, (2, documents, runs))
    return np.stack([right, right + more[0], right + more[1]], axis=-1).astype(np.float64)


def test_documents_that_are_all_alike_have_no_spread() -> None:
    interval = bootstrap(np.tile([[[4.0, 5.0, 5.0]]], (20, 1, 1)), f1)
    assert (interval.value, interval.low, interval.high) == (0.8, 0.8, 0.8)


def test_a_single_document_has_its_score_as_interval() -> None:
    interval = bootstrap(np.array([[[1.0, 2.0, 2.0]]]), f1)
    assert (interval.value, interval.low, interval.high) == (0.5, 0.5, 0.5)


def test_the_interval_of_two_documents_reaches_from_one_to_the_other() -> None:
    interval = bootstrap(np.array([[[0.0, 1.0, 1.0]], [[1.0, 1.0, 1.0]]]), f1)
    assert (interval.value, interval.low, interval.high) == (0.5, 0.0, 1.0)


def test_several_runs_give_the_mean_of_their_scores() -> None:
    counts = np.tile([[[4.0, 5.0, 5.0], [2.0, 5.0, 5.0]]], (6, 1, 1))  # 0.8 and 0.4
    assert bootstrap(counts, f1).value == pytest.approx(0.6)


def test_intervals_agree_with_scipy_on_random_counts() -> None:
    from scipy import stats

    counts = random_counts(40, seed=3)
    columns = tuple(counts[:, 0, :].T)

    def statistic(right: Array, predicted: Array, gold: Array, axis: int = -1) -> Array:
        return f1(np.stack([part.sum(axis=axis) for part in (right, predicted, gold)], axis=-1))

    reference = stats.bootstrap(
        columns, statistic, paired=True, vectorized=True, method="percentile", n_resamples=4000, rng=1
    ).confidence_interval
    interval = bootstrap(counts, f1)
    assert interval.low == pytest.approx(reference.low, abs=0.005)
    assert interval.high == pytest.approx(reference.high, abs=0.005)


def test_each_of_several_statistics_has_the_interval_it_has_alone() -> None:
    counts = random_counts(10, seed=5, runs=2)
    both = bootstrap_each(counts, {"f1": f1, "gold": lambda summed: summed[..., 2]})
    assert both["f1"] == bootstrap(counts, f1)
    assert both["gold"].value == counts[..., 2].sum(axis=0).mean()


def test_what_another_processor_adds_up_in_another_order_has_the_same_interval() -> None:
    means = np.random.default_rng(0).random(500)
    other = np.nextafter(means, 2)  # one step of a float above
    assert np.percentile(means, 2.5) != np.percentile(other, 2.5)
    assert interval_of(0.5, means) == interval_of(0.5, other)
    assert difference_of(0.1, means, means[::-1]) == difference_of(0.1, other, means[::-1])


def test_a_system_does_not_differ_from_itself() -> None:
    counts = random_counts(12, seed=1)
    difference = paired_difference(counts, counts, f1)
    assert (difference.value, difference.low, difference.high, difference.p) == (0.0, 0.0, 0.0, 1.0)


def test_a_pair_is_judged_on_the_same_documents() -> None:
    """Documents differ much, the systems by one span each: unpaired intervals overlap, paired is certain."""
    left = np.array([[[float(size), size, size]] for size in range(2, 42)])
    right = left - [1.0, 0.0, 0.0]
    difference = paired_difference(left, right, f1)
    assert difference.value == pytest.approx(40 / 860)  # 40 of 2 + ... + 41 = 860 spans
    assert difference.low > 0
    assert difference.p < 0.001


def test_left_and_right_swapped_change_the_sign_alone() -> None:
    left, right = random_counts(15, seed=1), random_counts(15, seed=2)
    there, back = paired_difference(left, right, f1), paired_difference(right, left, f1)
    assert (there.value, there.low, there.p) == pytest.approx((-back.value, -back.high, back.p))


def test_p_is_seldom_small_when_nothing_differs() -> None:
    p_values = [
        paired_difference(random_counts(40, seed=2 * i), random_counts(40, seed=2 * i + 1), f1).p
        for i in range(100)
    ]
    assert sum(p < 0.05 for p in p_values) <= 12  # expected 5; more than 12 has a chance of 0.2 %


def test_documents_that_do_not_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="3 and 4 documents cannot be paired"):
        paired_difference(random_counts(3, seed=0), random_counts(4, seed=0), f1)


def test_stacked_counts_have_every_group_and_zero_where_a_run_lacks_it() -> None:
    columns = ["tp", "predicted", "gold"]
    first = Counts(["PER"], columns, {"a": [1, 2, 3], "b": [4, 5, 6]})
    second = Counts(["ORG", "PER"], columns, {"b": [0, 1, 0, 4, 4, 6], "a": [0, 0, 0, 1, 1, 3]})
    stacked = stack_counts([first, second], documents=list(first.rows), groups=["PER", "ORG"])
    assert stacked.tolist() == [
        [[1, 2, 3, 0, 0, 0], [1, 1, 3, 0, 0, 0]],
        [[4, 5, 6, 0, 0, 0], [4, 4, 6, 0, 1, 0]],
    ]


def test_runs_that_divide_the_data_anew_are_what_is_resampled() -> None:
    found = over_runs([0.2, 0.4, 0.6])
    assert found.value == pytest.approx(0.4)
    assert 0.2 <= found.low < 0.4 < found.high <= 0.6
    assert over_runs([0.5, 0.5]) == Interval(0.5, 0.5, 0.5)


def test_the_signs_of_differences_are_tested_exactly() -> None:
    """Five differences above zero: of 32 sign patterns two are as far from zero; of four, one is below."""
    found = paired_runs([0.5, 0.6, 0.7, 0.8, 0.9], [0.4, 0.4, 0.4, 0.4, 0.4])
    assert found.value == pytest.approx(0.3)
    assert found.p == pytest.approx(2 / 32)
    assert paired_runs([0.5, 0.5], [0.4, 0.6]).p == 1.0


def test_a_ranking_is_told_how_often_each_document_was_drawn() -> None:
    """The mean score over draws, weighted: documents of 1 and 3, the second drawn twice in three."""
    weighted = Ranking(lambda scores, positives, draws: draws @ scores / draws.sum(axis=1))
    counts = np.array([[[1.0, 0.0]], [[3.0, 1.0]]])
    assert score_counts(counts, weighted).tolist() == [2.0]
    found = bootstrap(counts, weighted)
    assert (found.value, found.low, found.high) == (2.0, 1.0, 3.0)
    same = paired_difference(counts, counts, weighted)
    assert (same.value, same.p) == (0.0, 1.0)
