"""Scores of an order of texts, the oddest first, and of alarms, in the forms that the bootstrap takes.

Texts with equal scores stand on one step: no order among them is claimed. The score of a draw that lacks
anomalies or normal texts, which has no value, is that of all texts; where these lack either, it is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from shared.intervals import Array, Ranking, Statistic
from shared.sums import divided

RANKING_COLUMNS = ["score", "anomalous"]
ALARM_COLUMNS = ["hit", "alarm", "anomalous"]
QUIET_COLUMNS = ["quiet", "normal"]


@dataclass(frozen=True)
class Steps:
    """How many anomalous and normal texts each draw has on each step, highest scores first, (B, steps)."""

    anomalous: Array
    normal: Array

    @property
    def both(self) -> NDArray[np.bool_]:
        """Whether a draw has anomalous and normal texts, (B,)."""
        both: NDArray[np.bool_] = (self.anomalous.sum(axis=1) > 0) & (self.normal.sum(axis=1) > 0)
        return both


def area_of_precision(steps: Steps) -> Array:
    """Return average precision as scikit-learn has it, but 0 without any order: all texts on one step."""
    found, alarms = steps.anomalous.cumsum(axis=1), (steps.anomalous + steps.normal).cumsum(axis=1)
    area = (steps.anomalous * divided(found, alarms)).sum(axis=1)
    ordered = np.count_nonzero(steps.anomalous + steps.normal, axis=1) > 1
    return np.where(ordered, divided(area, found[:, -1]), 0.0)


def area_under_roc(steps: Steps) -> Array:
    """Return the share of pairs in which the anomalous text is odder than the normal one; a tie is half."""
    below = steps.normal.sum(axis=1, keepdims=True) - steps.normal.cumsum(axis=1) + steps.normal / 2
    pairs = steps.anomalous.sum(axis=1) * steps.normal.sum(axis=1)
    return divided((steps.anomalous * below).sum(axis=1), pairs)


def recall_at(steps: Steps, *, rate: float) -> Array:
    """Return the largest recall of a threshold with which at most this share of normal texts is an alarm."""
    false_alarms = divided(steps.normal.cumsum(axis=1), steps.normal.sum(axis=1, keepdims=True))
    found = np.where(false_alarms <= rate, steps.anomalous, 0.0).sum(axis=1)
    return divided(found, steps.anomalous.sum(axis=1))


def precision_at_k(steps: Steps) -> Array:
    """Return precision among the k highest scores, k the number of anomalies: there it equals recall.

    Of a step that reaches beyond k, its texts count by the share of it that fits.
    """
    on_step = steps.anomalous + steps.normal
    k = steps.anomalous.sum(axis=1)
    left = k[:, None] - (on_step.cumsum(axis=1) - on_step)
    return divided((steps.anomalous * np.clip(divided(left, on_step), 0, 1)).sum(axis=1), k)


def _ranking(of: Callable[[Steps], Array]) -> Ranking:
    def score(scores: Array, positives: Array, draws: Array) -> Array:
        drawn = _steps(scores, positives, draws)
        everything = _steps(scores, positives, np.ones((1, len(scores))))
        whole = np.where(everything.both, of(everything), 0.0)
        return np.where(drawn.both, of(drawn), whole)

    return Ranking(score)


def _steps(scores: Array, positives: Array, draws: Array) -> Steps:
    """Return the steps; neighbours without an anomaly are made one, which no score sees the difference of.

    `positives` are 1 for an anomalous text and 0 for a normal one.
    """
    order = np.argsort(-scores, kind="stable")
    ordered, anomalous = scores[order], positives[order] > 0
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    odd = np.logical_or.reduceat(anomalous, starts)
    starts = starts[np.append(True, odd[1:] | odd[:-1])]
    drawn = draws[:, order]
    found = np.zeros((len(draws), len(starts)))
    places = np.flatnonzero(anomalous)
    if len(places):
        steps, first = np.unique(np.searchsorted(starts, places, side="right") - 1, return_index=True)
        found[:, steps] = np.add.reduceat(drawn[:, places], first, axis=1)
    return Steps(found, np.add.reduceat(drawn, starts, axis=1) - found)


def alarm_f1(summed: Array) -> Array:
    """Return F1 of the alarms from summed ALARM_COLUMNS (..., 3)."""
    return divided(2 * summed[..., 0], summed[..., 1] + summed[..., 2])


def alarm_precision(summed: Array) -> Array:
    """Return the share of the alarms that are anomalies from summed ALARM_COLUMNS (..., 3)."""
    return divided(summed[..., 0], summed[..., 1])


def alarm_recall(summed: Array) -> Array:
    """Return the share of the anomalies that are alarms from summed ALARM_COLUMNS (..., 3)."""
    return divided(summed[..., 0], summed[..., 2])


def left_alone(summed: Array) -> Array:
    """Return the share of normal texts without an alarm from summed QUIET_COLUMNS (..., 2)."""
    return divided(summed[..., 0], summed[..., 1])


average_precision = _ranking(area_of_precision)
auroc = _ranking(area_under_roc)

ORDER: dict[str, Statistic] = {
    "average_precision": average_precision,
    "auroc": auroc,
    "recall_at_1": _ranking(partial(recall_at, rate=0.01)),
    "recall_at_5": _ranking(partial(recall_at, rate=0.05)),
    "precision_at_k": _ranking(precision_at_k),
}
ALARMS: dict[str, Statistic] = {"f1": alarm_f1, "precision": alarm_precision, "recall": alarm_recall}
QUIET: dict[str, Statistic] = {"left_alone": left_alone}
