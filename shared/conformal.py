"""Alarms at a promised rate: p-values from held-out normal texts, and whether the promise holds.

If a normal text is exchangeable with the held-out ones, an alarm where its p-value is at most the promised
rate is false no more often than promised, whatever the scores mean (split conformal prediction: Vovk et al.
2005; Bates et al. 2023, 'Testing for outliers with conformal p-values').
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95

Array = NDArray[np.float64]


def p_values(scores: Array, held_out: Array) -> Array:
    """Return (1 + the number of held-out scores that are at least as high) / (1 + their number), (M,).

    Where nothing is held out, each is 1.
    """
    lower = np.searchsorted(np.sort(held_out), scores, side="left")
    return (1 + len(held_out) - lower) / (1 + len(held_out))


def least_held_out(rate: float) -> int:
    """Return how many held-out texts the rate, above 0, needs: with fewer no p-value can be so low.

    The smallest p-value is divided as `p_values` divides it, so that rounding cannot put them at odds.
    """
    return next(number for number in count(max(int(1 / rate) - 2, 0)) if 1 / (1 + number) <= rate)


def rate_interval(alarms: int, total: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a rate (Clopper, Pearson 1934); (0, 1) for a total of 0."""
    from scipy.stats import beta

    tail = (1 - CONFIDENCE) / 2
    low = float(beta.ppf(tail, alarms, total - alarms + 1)) if alarms else 0.0
    high = float(beta.isf(tail, alarms + 1, total - alarms)) if alarms < total else 1.0
    return low, high


@dataclass(frozen=True)
class Drift:
    """Whether alarms on a stream of normal texts are as frequent as promised; `p` is two-sided."""

    alarms: int
    total: int
    promised: float
    p: float

    @property
    def within_chance(self) -> bool:
        """Whether chance alone would bring a rate so far from the promised one."""
        return self.p > 1 - CONFIDENCE

    @property
    def sentence(self) -> str:
        """The finding for people."""
        low, high = rate_interval(self.alarms, self.total)
        return (
            f"{self.alarms:,} alarms in {self.total:,} texts, a rate of {low:.2%} to {high:.2%} "
            f"(95 % interval): {self._verdict()}"
        )

    def _verdict(self) -> str:
        if self.within_chance:
            return f"within what chance allows at the promised {self.promised:.2%}"
        more = "more" if self.alarms > self.promised * self.total else "fewer"
        return f"{more} alarms than the promised {self.promised:.2%}"


def drift(alarms: int, total: int, promised: float) -> Drift:
    """Return the exact binomial test of so many alarms among the texts against the promised rate.

    The held-out texts are taken as without error: with few of them the true rate differs from the promised
    one on every stream, and a long one shows it.
    """
    from scipy.stats import binomtest

    return Drift(
        alarms, total, promised, p=float(binomtest(alarms, total, promised).pvalue) if total else 1.0
    )
