"""Scores that are functions of numbers summed over documents, as intervals and paired tests ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.contracts import Score

if TYPE_CHECKING:
    from shared.intervals import Array, Statistic


def by_document(documents: Sequence[str], rows: Sequence[Sequence[float]]) -> dict[str, list[float]]:
    """Return the sums of the rows of each document."""
    summed: dict[str, list[float]] = {}
    for document, row in zip(documents, rows, strict=True):
        before = summed.get(document, [0.0] * len(row))
        summed[document] = [left + right for left, right in zip(before, row, strict=True)]
    return summed


def bootstrapped(
    rows: Sequence[Sequence[float]] | Array, statistics: Mapping[str, Statistic]
) -> dict[str, Score]:
    """Return each statistic of the summed rows, one a document, with its 95 % interval."""
    import numpy as np

    from shared.intervals import bootstrap_each

    intervals = bootstrap_each(np.array(rows, dtype=np.float64)[:, None, :], statistics)
    return {name: Score(found.value, found.low, found.high) for name, found in intervals.items()}


def divided(part: Any, whole: Any) -> Array:
    """Return part / whole in the shape of both together, 0 where the whole is 0 or less."""
    import numpy as np

    part, whole = np.broadcast_arrays(part, whole)
    found: Array = np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)
    return found


def ece(summed: Array) -> Array:
    """Return the expected calibration error, from summed columns (..., bins + 2).

    They are the sum of confidence minus right (1 or 0) by bin, that of its square, and the number. The error
    grows by resampling, as by any noise: its interval may lie above it.
    """
    return divided(abs(summed[..., :-2]).sum(axis=-1), summed[..., -1])


def brier(summed: Array) -> Array:
    """Return the mean squared error of the confidences, from the columns of `ece`."""
    return divided(summed[..., -2], summed[..., -1])
