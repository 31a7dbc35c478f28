"""What a facet's scores say of their own trust: temperature scaling, and how far out of scope a text is.

E examples, A possible answers of a facet, K its concepts, D units of an embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

TEMPERATURES = (0.05, 20.0)  # the range that is searched

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Classes:
    """Training embeddings of the first facet with exactly one concept: means (K, D), precision (D, D)."""

    means: Array
    precision: Array

    @cached_property
    def norms(self) -> Array:
        """The squared length (K,) of each mean, as distances are measured."""
        lengths: Array = ((self.means @ self.precision) * self.means).sum(axis=1)
        return lengths


def fit_temperature(loss: Callable[[float], float]) -> float:
    """Return the temperature with the least loss on validation (Guo et al. 2017, arXiv 1706.04599)."""
    found = minimize_scalar(
        lambda log: loss(float(np.exp(log))),
        bounds=(np.log(TEMPERATURES[0]), np.log(TEMPERATURES[1])),
        method="bounded",
    )
    return round(float(np.exp(found.x)), 6)


def oddities(
    detectors: Sequence[str], log_probabilities: Array, logits: Array, embeddings: Array, classes: Classes
) -> dict[str, Array]:
    """Return how odd each text is (E,) by each of the detectors, higher is odder.

    `max_softmax` is minus the greatest probability of (E, A) (Hendrycks and Gimpel 2017); `energy` minus the
    log-sum-exp of the logits (E, K) (Liu et al. 2020); `mahalanobis` the squared distance of the embedding
    (E, D) to the nearest class mean (Lee et al. 2018), left out where no mean is known.
    """
    found = {}
    if "max_softmax" in detectors:
        found["max_softmax"] = -np.exp(log_probabilities.max(axis=1))
    if "energy" in detectors:
        found["energy"] = -logsumexp(logits, axis=1)
    if "mahalanobis" in detectors and len(classes.means):
        embeddings = embeddings.astype(np.float64)  # the distance is a small difference of large numbers
        across = embeddings @ classes.precision
        own = (across * embeddings).sum(axis=1)
        found["mahalanobis"] = (own[:, None] - 2 * across @ classes.means.T + classes.norms).min(axis=1)
    return found


def choose_detector(
    found: Mapping[str, Array], *, inside: Sequence[int], outside: Sequence[int], sent_away: float
) -> tuple[str, float]:
    """Return the detector that tells the rows inside from those outside best, by AUROC, and its threshold.

    Above the threshold lies at most the share `sent_away` of the rows inside. It stands halfway to the next
    row above, so that rounding moves no row across.
    """
    best = max(found, key=lambda name: auroc(found[name][inside], found[name][outside]))
    kept = np.quantile(found[best][inside], 1 - sent_away, method="inverted_cdf")
    above = found[best][found[best] > kept]
    return best, float((kept + above.min()) / 2 if len(above) else kept)


def auroc(inside: Array, outside: Array) -> float:
    """Return the chance that a row outside is odder than one inside, ties counted half."""
    order = np.sort(inside)
    below = np.searchsorted(order, outside, side="left")
    ties = np.searchsorted(order, outside, side="right") - below
    return float((below + ties / 2).sum() / (len(inside) * len(outside)))
