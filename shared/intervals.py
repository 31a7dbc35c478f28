"""95 % intervals and paired tests by the bootstrap over documents (Efron and Tibshirani, 1993, chapters 13 and 16).

Documents, not spans, are drawn: the spans of one document are not independent. A score is a function of counts summed
over documents, so a resample is a matrix product of draw counts and document counts, which is exact and fast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Statistic = Callable[[Array], Array]  # summed counts (..., k) -> scores (...)

RESAMPLES = 4000
BLOCK = 250  # resamples drawn at a time, so that memory stays small for many documents


@dataclass(frozen=True)
class Interval:
    """A score and its 95 % percentile interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """Left minus right on the same documents; `p` is two-sided, for a difference of zero."""

    value: float
    low: float
    high: float
    p: float


def bootstrap(counts: Array, statistic: Statistic, *, seed: int = 0) -> Interval:
    """Return the mean score over runs and its interval, from counts (documents, runs, k)."""
    value = float(statistic(counts.sum(axis=0)).mean())
    low, high = np.percentile(_resampled(counts, statistic, seed=seed), [2.5, 97.5])
    return Interval(value, float(low), float(high))


def paired_difference(left: Array, right: Array, statistic: Statistic, *, seed: int = 0) -> Difference:
    """Return the difference of the mean scores of two systems, counts (documents, runs, k) over the same documents.

    Both sides see the same draws. `p` is twice the smaller share of resampled differences on either side of zero,
    with one added to both counts so that it is never zero.
    """
    if len(left) != len(right):
        raise ValueError(f"{len(left)} and {len(right)} documents cannot be paired")
    value = float(statistic(left.sum(axis=0)).mean() - statistic(right.sum(axis=0)).mean())
    differences = _resampled(left, statistic, seed=seed) - _resampled(right, statistic, seed=seed)
    low, high = np.percentile(differences, [2.5, 97.5])
    below = (np.count_nonzero(differences <= 0) + 1) / (RESAMPLES + 1)
    above = (np.count_nonzero(differences >= 0) + 1) / (RESAMPLES + 1)
    return Difference(value, float(low), float(high), float(min(1.0, 2 * min(below, above))))


def _resampled(counts: Array, statistic: Statistic, *, seed: int) -> Array:
    """Return the mean score over runs of each resample (RESAMPLES,); the draws depend on the seed alone."""
    generator = np.random.default_rng(seed)
    documents, runs, columns = counts.shape
    flat = counts.reshape(documents, runs * columns)
    scores = []
    for start in range(0, RESAMPLES, BLOCK):
        size = min(BLOCK, RESAMPLES - start)
        draws = generator.multinomial(documents, np.full(documents, 1 / documents), size=size)
        summed = (draws @ flat).reshape(size, runs, columns)
        scores.append(statistic(summed).mean(axis=-1))
    return np.concatenate(scores)
