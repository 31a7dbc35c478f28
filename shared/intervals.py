"""95 % intervals and paired tests by the bootstrap over documents (Efron, Tibshirani 1993, ch. 13, 16).

Documents, not spans, are drawn: the spans of one document are not independent. A score is a function of
counts summed over documents, so a resample is a matrix product of draw counts and document counts: exact, and
faster than `scipy.stats.bootstrap`, which gathers every drawn document.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from shared.record import Counts

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
    """Return the mean score over runs and its interval, from counts (documents, runs, k).

    A single document has no spread: its interval is the score itself.
    """
    return bootstrap_each(counts, {"score": statistic}, seed=seed)["score"]


def bootstrap_each(
    counts: Array, statistics: Mapping[str, Statistic], *, seed: int = 0
) -> dict[str, Interval]:
    """Return the mean score over runs and its interval by each statistic, all of them on the same draws."""
    total, resampled = counts.sum(axis=0), _resampled(counts, seed=seed)
    intervals = {}
    for name, statistic in statistics.items():
        low, high = np.percentile(statistic(resampled).mean(axis=-1), [2.5, 97.5])
        intervals[name] = Interval(float(statistic(total).mean()), float(low), float(high))
    return intervals


def paired_difference(left: Array, right: Array, statistic: Statistic, *, seed: int = 0) -> Difference:
    """Return the difference of two systems' mean scores, counts (documents, runs, k) over the same documents.

    Both sides see the same draws. `p` is twice the smaller share of resampled differences on either side of
    zero, with one added to both counts so that it is never zero.
    """
    if len(left) != len(right):
        raise ValueError(f"{len(left)} and {len(right)} documents cannot be paired")
    value = float(statistic(left.sum(axis=0)).mean() - statistic(right.sum(axis=0)).mean())
    differences = statistic(_resampled(left, seed=seed)).mean(axis=-1)
    differences -= statistic(_resampled(right, seed=seed)).mean(axis=-1)
    low, high = np.percentile(differences, [2.5, 97.5])
    below = (np.count_nonzero(differences <= 0) + 1) / (RESAMPLES + 1)
    above = (np.count_nonzero(differences >= 0) + 1) / (RESAMPLES + 1)
    return Difference(value, float(low), float(high), float(min(1.0, 2 * min(below, above))))


def stack_counts(tables: Sequence[Counts], *, documents: Sequence[str], groups: Sequence[str]) -> Array:
    """Return counts (documents, runs, groups x columns) of a system's runs; a group a run lacks is 0."""
    stacked = np.zeros((len(documents), len(tables), len(groups), len(tables[0].columns)))
    for run, table in enumerate(tables):
        columns = [groups.index(group) for group in table.groups]
        given = np.array([table.rows[document] for document in documents])
        stacked[:, run, columns] = given.reshape(len(documents), len(table.groups), len(table.columns))
    return stacked.reshape(len(documents), len(tables), -1)


def _resampled(counts: Array, *, seed: int) -> Array:
    """Return the summed counts of each resample (RESAMPLES, runs, k); the draws depend on the seed alone."""
    generator = np.random.default_rng(seed)
    documents, runs, columns = counts.shape
    flat = counts.reshape(documents, runs * columns)
    sums = []
    for start in range(0, RESAMPLES, BLOCK):
        size = min(BLOCK, RESAMPLES - start)
        draws = generator.multinomial(documents, np.full(documents, 1 / documents), size=size)
        sums.append((draws @ flat).reshape(size, runs, columns))
    return np.concatenate(sums)
