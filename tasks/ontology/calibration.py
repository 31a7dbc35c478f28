"""Whether probabilities are what they say, and how well oddity tells texts that are out of scope.

Judged is the guess, given or not, of facets with one answer, over the texts in scope.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.intervals import Array
from shared.reliability import BINS, gap_counts
from shared.sums import divided
from tasks.ontology.judged import Judged

COVERAGES = (0.5, 0.8, 0.9, 1.0)
RESAMPLES = 1000
BLOCK = 250  # resamples drawn at a time


def calibration_counts(items: Sequence[Judged], *, num_rows: int, raw: bool = False) -> Array:
    """Return the `gap_counts` (documents, BINS + 2) of the guesses that have a probability; 0 without any."""
    known = [(item, found) for item in items if (found := _probability(item, raw=raw)) is not None]
    if not known:
        return np.zeros((num_rows, BINS + 2))
    return gap_counts(
        [item.row for item, _ in known],
        np.array([found for _, found in known]),
        np.array([float(item.guess_right) for item, _ in known]),
        num_rows=num_rows,
    )


def risk_coverage(items: Sequence[Judged]) -> list[float]:
    """Return the accuracy of the surest guesses at each of COVERAGES, [] where none has a probability."""
    known = [(item, found) for item in items if (found := _probability(item, raw=False)) is not None]
    right = [item.guess_right for item, _ in sorted(known, key=lambda pair: -pair[1])]
    if not right:
        return []
    sizes = [int(np.ceil(coverage * len(right))) for coverage in COVERAGES]
    return [float(np.mean(right[:size])) for size in sizes]


def has_oddity(items: Sequence[Judged]) -> bool:
    """Whether there are texts in and out of scope, and each has an oddity."""
    both = {item.in_scope for item in items} == {True, False}
    return both and all(item.answer.oddity is not None for item in items)


def oddity_scores(
    items: Sequence[Judged], *, num_rows: int, asked_accuracy: float, seed: int = 0
) -> dict[str, Array]:
    """Return each score on the split, then on RESAMPLES resamples of documents (1 + RESAMPLES,).

    `oos_auroc` is the share of pairs where the text out of scope is the odder one, a tie half; nan where a
    resample lacks a side. `oos_recall_at_accuracy` is the highest share of texts out of scope sent away, over
    all thresholds on oddity that keep accuracy in scope at `asked_accuracy` (what is sent away is wrong); 0
    where none keeps it.
    """
    generator = np.random.default_rng(seed)
    rows = np.array([item.row for item in items])
    found: dict[str, list[Array]] = {"oos_auroc": [], "oos_recall_at_accuracy": []}
    for size in (None, *[BLOCK] * (RESAMPLES // BLOCK)):
        if size is None:
            draws = np.ones((1, num_rows))
        else:
            draws = generator.multinomial(num_rows, np.full(num_rows, 1 / num_rows), size=size).astype(float)
        right, inside, outside = _by_oddity(items, draws[:, rows])
        found["oos_auroc"].append(_auroc(inside, outside))
        found["oos_recall_at_accuracy"].append(_recall(right, inside, outside, asked_accuracy=asked_accuracy))
    return {name: np.concatenate(values) for name, values in found.items()}


def _by_oddity(items: Sequence[Judged], weights: Array) -> tuple[Array, Array, Array]:
    """Return weights (resamples, distinct oddities, rising): in scope and right, in scope, out of scope."""
    oddity = np.array([item.answer.oddity for item in items], dtype=np.float64)
    inside = np.array([item.in_scope for item in items])
    right = inside & np.array([item.guess_right for item in items])
    order = np.argsort(oddity, kind="stable")
    starts = np.flatnonzero(np.diff(oddity[order], prepend=-np.inf))

    def summed(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Array:
        sums: Array = np.add.reduceat((weights * mask)[:, order], starts, axis=1)
        return sums

    return summed(right), summed(inside), summed(~inside)


def _auroc(inside: Array, outside: Array) -> Array:
    below = np.cumsum(inside, axis=1) - inside / 2
    pairs = inside.sum(axis=1) * outside.sum(axis=1)
    won = (outside * below).sum(axis=1)
    share: Array = np.divide(won, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)
    return share


def _recall(right: Array, inside: Array, outside: Array, *, asked_accuracy: float) -> Array:
    """Return the recall at the lowest threshold that is right enough; kept is who is at most this odd."""
    none = np.zeros((len(inside), 1))
    kept_right = np.concatenate([none, np.cumsum(right, axis=1)], axis=1)
    kept_outside = np.concatenate([none, np.cumsum(outside, axis=1)], axis=1)
    enough = kept_right >= asked_accuracy * inside.sum(axis=1, keepdims=True) - 1e-9
    first = enough.argmax(axis=1)
    kept = np.take_along_axis(kept_outside, first[:, None], axis=1)[:, 0]
    recall = 1 - divided(kept, outside.sum(axis=1))
    return np.where(enough.any(axis=1), recall, 0.0)


def _probability(item: Judged, *, raw: bool) -> float | None:
    if not item.in_scope:
        return None
    return item.answer.raw_probability if raw else item.answer.probability
