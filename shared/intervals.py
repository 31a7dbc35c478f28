"""95 % intervals and paired tests by the bootstrap over documents (Efron, Tibshirani 1993, ch. 13, 16).

Documents, not spans, are drawn: the spans of one document are not independent. Most scores are functions of
counts summed over documents, so a resample is a matrix product of draw counts and document counts: exact, and
faster than `scipy.stats.bootstrap`, which gathers every drawn document. A score of an order, such as average
precision, is no such function: it is a `Ranking`, told how often each document was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from shared.record import Counts

Array = np.ndarray[Any, np.dtype[np.float64]]

RESAMPLES = 4000
DECIMALS = 12  # of an interval: processors sum in other orders, and differ in what follows
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
    (resampled,) = _resampled([counts], list(statistics.values()), seed=seed)
    intervals = {}
    for (name, statistic), scores in zip(statistics.items(), resampled, strict=True):
        intervals[name] = interval_of(float(score_counts(counts, statistic).mean()), scores)
    return intervals


def score_counts(counts: Array, statistic: Statistic) -> Array:
    """Return the score of each run (runs,) from counts (documents, runs, k)."""
    (found,) = _scores(counts, np.ones((1, len(counts))), [statistic])
    alone: Array = found[0]
    return alone


def draw_means(counts: Array, statistic: Statistic, *, seed: int = 0) -> Array:
    """Return the mean score over runs on each draw of documents (RESAMPLES,), from counts as `bootstrap`'s.

    For equally many documents the draws are the same, so that the means of two systems are paired.
    """
    ((means,),) = _resampled([counts], [statistic], seed=seed)
    return means


def interval_of(value: float, means: Array) -> Interval:
    """Return the value with the interval that its draws give."""
    return Interval(value, *_ends(*np.percentile(means, [2.5, 97.5])))


def _ends(low: float, high: float) -> tuple[float, float]:
    return round(float(low), DECIMALS), round(float(high), DECIMALS)


def difference_of(value: float, left: Array, right: Array) -> Difference:
    """Return the difference `value` with interval and p, from the means of both sides on the same draws.

    `p` is twice the smaller share of resampled differences on either side of zero, with one added to both
    counts so that it is never zero.
    """
    differences = left - right
    low, high = _ends(*np.percentile(differences, [2.5, 97.5]))
    below = (np.count_nonzero(differences <= 0) + 1) / (len(differences) + 1)
    above = (np.count_nonzero(differences >= 0) + 1) / (len(differences) + 1)
    return Difference(value, low, high, float(min(1.0, 2 * min(below, above))))


def paired_difference(left: Array, right: Array, statistic: Statistic, *, seed: int = 0) -> Difference:
    """Return the difference of two systems' mean scores, counts (documents, runs, k) over the same documents.

    Both sides see the same draws; `p` is that of `difference_of`.
    """
    if len(left) != len(right):
        raise ValueError(f"{len(left)} and {len(right)} documents cannot be paired")
    value = float(score_counts(left, statistic).mean() - score_counts(right, statistic).mean())
    (before,), (now,) = _resampled([right, left], [statistic], seed=seed)
    return difference_of(value, now, before)


def over_runs(scores: Sequence[float], *, seed: int = 0) -> Interval:
    """Return the mean and its interval over runs that divide the data anew: runs are what is resampled."""
    from scipy.stats import bootstrap as resample

    value = float(np.mean(scores))
    if len(set(scores)) == 1:  # no spread to resample, which scipy answers with NaN
        return Interval(value, value, value)
    found = resample((np.asarray(scores),), np.mean, method="percentile", rng=seed, n_resamples=RESAMPLES)
    return Interval(value, *_ends(*found.confidence_interval))


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


def _resampled(tables: Sequence[Array], statistics: Sequence[Statistic], *, seed: int) -> list[list[Array]]:
    """Return for each table of counts (documents, runs, k) each statistic's mean over runs (RESAMPLES,).

    All see the same draws of documents, which are made once.
    """
    found: list[list[list[Array]]] = [[[] for _ in statistics] for _ in tables]
    for draws in _draws(len(tables[0]), seed=seed):
        for counts, row in zip(tables, found, strict=True):
            for scores, values in zip(row, _scores(counts, draws, statistics), strict=True):
                scores.append(values.mean(axis=-1))
    return [[np.concatenate(scores) for scores in row] for row in found]


def _draws(documents: int, *, seed: int) -> Iterator[Array]:
    """Yield how often each document is drawn (BLOCK, documents)."""
    drawn = _all_draws(documents, seed)
    for start in range(0, RESAMPLES, BLOCK):
        yield drawn[start : start + BLOCK].astype(np.float64)


@lru_cache(maxsize=1)  # the rows of a data set, scored one after another, share their draws
def _all_draws(documents: int, seed: int) -> np.ndarray[Any, np.dtype[np.uint16]]:
    generator = np.random.default_rng(seed)
    drawn = np.empty((RESAMPLES, documents), dtype=np.uint16)
    for start in range(0, RESAMPLES, BLOCK):
        size = min(BLOCK, RESAMPLES - start)
        drawn[start : start + size] = generator.multinomial(
            documents, np.full(documents, 1 / documents), size=size
        )
    return drawn


def _scores(counts: Array, draws: Array, statistics: Sequence[Statistic]) -> Iterator[Array]:
    """Yield each statistic's scores (B, runs) of counts (documents, runs, k) by draws (B, documents)."""
    documents, runs, size = counts.shape
    summed = (draws @ counts.reshape(documents, runs * size)).reshape(len(draws), runs, size)
    for statistic in statistics:
        yield _ranked(counts, draws, statistic) if isinstance(statistic, Ranking) else statistic(summed)


def _ranked(counts: Array, draws: Array, statistic: Ranking) -> Array:
    columns = [statistic.of(run[:, 0], run[:, 1], draws) for run in counts.transpose(1, 0, 2)]
    return np.stack(columns, axis=-1)
