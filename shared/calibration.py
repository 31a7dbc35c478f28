"""Confidences that are what they say: validation's answers turn a score into a probability of being right.

A confidence p becomes sigmoid(slope * logit(p) + offset), the scaling of Platt (1999) on the logit; the slope
is an inverse temperature (Guo et al. 2017, arXiv 1706.04599). Groups of answers, such as the types of
entities, share the slope, and each moves the offset as far as its answers ask for: a ridge draws it to the
common one, which also serves groups that validation never showed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit

Array = np.ndarray[Any, np.dtype[np.float64]]

RIDGE = 2.0  # of a group's own offset: a prior of standard deviation 0.5
ENOUGH = 10  # of each kind
SLOPES = (0.05, 5.0)
LEAST = 1e-6  # confidences are read no nearer to 0 and 1
PLACES = 6


@dataclass(frozen=True)
class Judged:
    """An answer's confidence, whether it was right, and the group that it belongs to."""

    confidence: float
    right: bool
    group: str = ""


def fit_calibration(answers: Sequence[Judged], *, name: str) -> dict[str, float]:
    """Return the values that `calibrated` reads, under keys that begin with the name.

    They are {} with fewer than ENOUGH right or wrong answers: too few tell sure answers from unsure ones, and
    a fit to them would be sure of anything.
    """
    from scipy.optimize import minimize  # not where answers are given: a cold start has no time for it

    right = np.array([answer.right for answer in answers], dtype=float)
    if min(right.sum(), len(right) - right.sum()) < ENOUGH:
        return {}
    scores = _logits([answer.confidence for answer in answers])
    groups = sorted({answer.group for answer in answers})
    own = np.array([[answer.group == group for group in groups] for answer in answers], dtype=float)

    def loss(values: Array) -> tuple[float, Array]:
        slope, offset, moves = values[0], values[1], values[2:]
        margin = slope * scores + offset + own @ moves
        error = expit(margin) - right
        value = np.logaddexp(0, margin).sum() - (right * margin).sum() + RIDGE * (moves**2).sum()
        gradient = np.concatenate([[error @ scores, error.sum()], error @ own + 2 * RIDGE * moves])
        return float(value), gradient

    bounds = [SLOPES, (None, None), *[(None, None)] * len(groups)]
    found = minimize(loss, np.array([1.0, 0.0, *[0.0] * len(groups)]), jac=True, bounds=bounds).x
    values = {f"{name}/slope": found[0], f"{name}/offset": found[1]}
    if len(groups) > 1:
        values |= {f"{name}/offset/{group}": own for group, own in zip(groups, found[2:], strict=True)}
    else:
        values[f"{name}/offset"] += found[2]
    return {key: round(float(value), PLACES) for key, value in values.items()}


def calibrated(confidence: float, values: Mapping[str, float], *, name: str, group: str = "") -> float:
    """Return the calibrated confidence; the same where nothing was fitted."""
    if f"{name}/slope" not in values:
        return confidence
    score = float(_logits([confidence])[0])
    offset = values[f"{name}/offset"] + values.get(f"{name}/offset/{group}", 0.0)
    return round(1 / (1 + math.exp(-(values[f"{name}/slope"] * score + offset))), PLACES)


def _logits(confidences: Sequence[float]) -> Array:
    found: Array = logit(np.clip(confidences, LEAST, 1 - LEAST))
    return found
