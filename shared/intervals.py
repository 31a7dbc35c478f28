"""95 % intervals and paired tests by the bootstrap over documents (Efron, Tibshirani 1993, ch. 13, 16).

Documents, not spans, are drawn: the spans of one document are not independent. Most scores are functions of
counts summed over documents, so a resample is a matrix product of draw counts and document counts: exact, and
faster than `scipy.stats.bootstrap`, which gathers every drawn document. A score of an order, such as average
precision, is no such function: it is a `Ranking`, told how often each document was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from shared.record import Counts

Array = np.ndarray[Any, np.dtype[np.float64]]

RESAMPLES = 4000
BLOCK = 250  # resamples drawn at a time, so that memory stays small for many documents


@dataclass(frozen=True)
class Ranking:
    """A score of how documents are ordered; their counts are (score, is positive).

    `of` takes scores (documents,), positives (documents,) and draws (B, documents), how often each document
    was drawn, and returns (B,).
    """

    of: Callable[[Array, Array, Array], Array]


SumStatistic = Callable[[Array], Array]  # summed counts (..., k) -> scores (...)
Statistic = SumStatistic | Ranking


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
    resampled = _Resampled(counts, seed=seed)
    intervals = {}
    for name, statistic in statistics.items():
        low, high = np.percentile(resampled.scores(statistic).mean(axis=-1), [2.5, 97.5])
        intervals[name] = Interval(float(score_counts(counts, statistic).mean()), float(low), float(high))
    return intervals


def score_counts(counts: Array, statistic: Statistic) -> Array:
    """Return the score of each run (runs,) from counts (documents, runs, k)."""
    if isinstance(statistic, Ranking):
        alone: Array = _ranked(counts, np.ones((1, len(counts))), statistic)[0]
        return alone
    return statistic(counts.sum(axis=0))


def paired_difference(left: Array, right: Array, statistic: Statistic, *, seed: int = 0) -> Difference:
    """Return the difference of two systems' mean scores, counts (documents, runs, k) over the same documents.

    Both sides see the same draws. `p` is twice the smaller share of resampled differences on either side of
    zero, with one added to both counts so that it is never zero.
    """
    if len(left) != len(right):
        raise ValueError(f"{len(left)} and {len(right)} documents cannot be paired")
    value = float(score_counts(left, statistic).mean() - score_counts(right, statistic).mean())
    differences = _Resampled(left, seed=seed).scores(statistic).mean(axis=-1)
    differences -= _Resampled(right, seed=seed).scores(statistic).mean(axis=-1)
    low, high = np.percentile(differences, [2.5, 97.5])
    below = (np.count_nonzero(differences <= 0) + 1) / (RESAMPLES + 1)
    above = (np.count_nonzero(differences >= 0) + 1) / (RESAMPLES + 1)
    return Difference(value, float(low), float(high), float(min(1.0, 2 * min(below, above))))


def over_runs(scores: Sequence[float], *, seed: int = 0) -> Interval:
    """Return the mean and its interval over runs that divide the data anew: runs are what is resampled."""
    from scipy.stats import bootstrap as resample

    value = float(np.mean(scores))
    if len(set(scores)) == 1:  # no spread to resample, which scipy answers with NaN
        return Interval(value, value, value)
    found = resample((np.asarray(scores),), np.mean, method="percentile", rng=seed, n_resamples=RESAMPLES)
    return Interval(value, float(found.confidence_interval.low), float(found.confidence_interval.high))


def paired_runs(left: Sequence[float], right: Sequence[float]) -> Difference:
    """Return the mean difference of scores paired run by run, with the exact two-sided test of its signs.

    `p` is the share of all 2^n ways to exchange left and right within the pairs that give a mean at least as
    far from zero (Fisher's randomisation test). Divisions of one data set share texts, so it is a statement
    about these runs.
    """
    from scipy.stats import permutation_test

    differences = np.subtract(left, right)
    spread = over_runs(differences.tolist())
    test = permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    return Difference(spread.value, spread.low, spread.high, float(test.pvalue))


def stack_counts(tables: Sequence[Counts], *, documents: Sequence[str], groups: Sequence[str]) -> Array:
    """Return counts (documents, runs, groups x columns) of a system's runs; a group a run lacks is 0."""
    stacked = np.zeros((len(documents), len(tables), len(groups), len(tables[0].columns)))
    for run, table in enumerate(tables):
        columns = [groups.index(group) for group in table.groups]
        given = np.array([table.rows[document] for document in documents])
        stacked[:, run, columns] = given.reshape(len(documents), len(table.groups), len(table.columns))
    return stacked.reshape(len(documents), len(tables), -1)


class _Resampled:
    """Counts (documents, runs, k) with the same RESAMPLES draws of documents for every statistic."""

    def __init__(self, counts: Array, *, seed: int) -> None:
        self.counts, self.seed = counts, seed
        self._sums: Array | None = None  # (RESAMPLES, runs, k)

    def scores(self, statistic: Statistic) -> Array:
        """Return the scores (RESAMPLES, runs)."""
        if isinstance(statistic, Ranking):
            return np.concatenate([_ranked(self.counts, draws, statistic) for draws in self._draws()])
        if self._sums is None:
            documents, runs, columns = self.counts.shape
            flat = self.counts.reshape(documents, runs * columns)
            self._sums = np.concatenate([draws @ flat for draws in self._draws()]).reshape(
                RESAMPLES, runs, columns
            )
        return statistic(self._sums)

    def _draws(self) -> Iterator[Array]:
        """Yield how often each document is drawn (BLOCK, documents); it depends on the seed alone."""
        generator, documents = np.random.default_rng(self.seed), len(self.counts)
        for start in range(0, RESAMPLES, BLOCK):
            size = min(BLOCK, RESAMPLES - start)
            draws = generator.multinomial(documents, np.full(documents, 1 / documents), size=size)
            yield draws.astype(np.float64)


def _ranked(counts: Array, draws: Array, statistic: Ranking) -> Array:
    """Return the scores (draws, runs) of an order."""
    columns = [statistic.of(run[:, 0], run[:, 1], draws) for run in counts.transpose(1, 0, 2)]
    return np.stack(columns, axis=-1)
