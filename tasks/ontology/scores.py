"""Each score as a function of counts summed over documents, so that intervals and paired tests can be had.

A function takes (..., k) and returns (...); k is groups times the columns named here, group by group. Several
facets weigh the same, however many concepts they have.
"""

from __future__ import annotations

import numpy as np

from shared.intervals import Array, SumStatistic
from shared.sums import divided

RIGHT_COLUMNS = ["right", "total"]
CLASS_COLUMNS = ["tp", "predicted", "gold", "facet"]
SET_COLUMNS = ["common", "predicted", "gold"]
ANSWER_COLUMNS = ["right", "answered", "in_scope", "sent_away", "out_of_scope"]
CANDIDATE_COLUMNS = ["covered", "size", "with_sure", "sure_right", "total"]
NUMBER_COLUMNS = ["number", "gold", "gold_squared", "squared_error", "absolute_error"]


def accuracy(summed: Array) -> Array:
    """Return the mean over facets of right / total, from (..., RIGHT_COLUMNS x facets)."""
    return _mean(divided(summed[..., 0::2], summed[..., 1::2]))


def level2_accuracy(summed: Array) -> Array:
    """Return `accuracy` of counts made with paths cut to two levels."""
    return accuracy(summed)


def exact_match(summed: Array) -> Array:
    """Return `accuracy` of counts made with all facets of an example together."""
    return accuracy(summed)


def macro_f1(summed: Array) -> Array:
    """Return the mean over facets of the mean F1 over concepts, from (..., CLASS_COLUMNS x concepts).

    The column `facet` is the facet's number, from 1, in each document: its sum is the same in each resample,
    so a concept that a resample lacks still counts (F1 0), and one that a run lacks (facet 0) does not.
    """
    f1 = _class_f1(summed)
    return _mean_over_facets(summed, lambda own: divided((f1 * own).sum(-1), own.sum(-1)))


def official_f1(summed: Array) -> Array:
    """Return `macro_f1` of counts by relation, as SemEval-2010 Task 8 scores (see `relation_counts`)."""
    return macro_f1(summed)


def weighted_f1(summed: Array) -> Array:
    """Return the mean over facets of the mean F1 over concepts weighted by gold, as `macro_f1` otherwise."""
    f1, gold = _class_f1(summed), summed[..., 2::4]
    return _mean_over_facets(
        summed, lambda own: divided((f1 * gold * own).sum(axis=-1), (gold * own).sum(axis=-1))
    )


def micro_f1(summed: Array) -> Array:
    """Return the mean over facets of F1 over all decisions, from (..., CLASS_COLUMNS x concepts)."""
    right, both = summed[..., 0::4], summed[..., 1::4] + summed[..., 2::4]
    return _mean_over_facets(
        summed, lambda own: divided(2 * (right * own).sum(axis=-1), (both * own).sum(axis=-1))
    )


def hf1(summed: Array) -> Array:
    """Return the mean over facets of hierarchical F1, from (..., SET_COLUMNS x facets).

    Micro over concepts with all broader ones (Kiritchenko et al. 2006, section 4).
    """
    return _mean(divided(2 * summed[..., 0::3], summed[..., 1::3] + summed[..., 2::3]))


def hp(summed: Array) -> Array:
    """Return hierarchical precision, as `hf1`."""
    return _mean(divided(summed[..., 0::3], summed[..., 1::3]))


def hr(summed: Array) -> Array:
    """Return hierarchical recall, as `hf1`."""
    return _mean(divided(summed[..., 0::3], summed[..., 2::3]))


def coverage(summed: Array) -> Array:
    """Return the share of texts in scope that are answered, from (..., ANSWER_COLUMNS) of one facet."""
    return divided(summed[..., 1], summed[..., 2])


def accuracy_answered(summed: Array) -> Array:
    """Return the share of answered texts in scope that are right, as `coverage`."""
    return divided(summed[..., 0], summed[..., 1])


def set_coverage(summed: Array) -> Array:
    """Return the share of texts in scope with gold in the set, from (..., CANDIDATE_COLUMNS) of one facet."""
    return divided(summed[..., 0], summed[..., 4])


def set_size(summed: Array) -> Array:
    """Return the mean number of candidates, as `set_coverage`."""
    return divided(summed[..., 1], summed[..., 4])


def sure_share(summed: Array) -> Array:
    """Return the share of texts in scope of which some concept is sure, as `set_coverage`."""
    return divided(summed[..., 2], summed[..., 4])


def sure_right(summed: Array) -> Array:
    """Return the share of texts in scope of which nothing sure is wrong, as `set_coverage`."""
    return divided(summed[..., 3], summed[..., 4])


def oos_recall(summed: Array) -> Array:
    """Return the share of texts out of scope that are not answered, as `coverage`."""
    return divided(summed[..., 3], summed[..., 4])


def r2(summed: Array) -> Array:
    """Return the mean over facets of R squared, from (..., NUMBER_COLUMNS x facets); 0 for equal golds."""
    number, gold, squared, error, _ = (summed[..., column::5] for column in range(5))
    spread = squared - divided(gold**2, number)
    known = spread > 1e-9 * squared  # what is left of equal numbers is rounding
    return _mean(np.where(known, 1 - divided(error, np.where(known, spread, 0)), 0.0))


def mse(summed: Array) -> Array:
    """Return the mean over facets of the mean squared error, from (..., NUMBER_COLUMNS x facets)."""
    return _mean(divided(summed[..., 3::5], summed[..., 0::5]))


def mae(summed: Array) -> Array:
    """Return the mean over facets of the mean absolute error, from (..., NUMBER_COLUMNS x facets)."""
    return _mean(divided(summed[..., 4::5], summed[..., 0::5]))


MAIN: dict[str, SumStatistic] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "weighted_f1": weighted_f1,
    "level2_accuracy": level2_accuracy,
    "hf1": hf1,
    "official_f1": official_f1,
    "exact_match": exact_match,
    "r2": r2,
}


def _class_f1(summed: Array) -> Array:
    return divided(2 * summed[..., 0::4], summed[..., 1::4] + summed[..., 2::4])


def _mean_over_facets(summed: Array, of_facet: SumStatistic) -> Array:
    """Return the mean of `of_facet`, which is given 1 for each concept of the facet and 0 for others."""
    numbers = summed[..., 3::4]
    if not numbers.any():
        return np.zeros(summed.shape[:-1])
    numbers = np.rint(numbers / numbers[numbers > 0].min())
    return _mean(
        np.stack(
            [of_facet((numbers == facet).astype(np.float64)) for facet in range(1, int(numbers.max()) + 1)],
            axis=-1,
        )
    )


def _mean(by_facet: Array) -> Array:
    mean: Array = by_facet.mean(axis=-1)
    return mean
