"""Alarms at a promised rate: p-values from held-out normal texts, and whether the promise holds.

If a normal text is exchangeable with the held-out ones, an alarm where its p-value is at most the promised
rate is false no more often than promised, whatever the scores mean (split conformal prediction: Vovk et al.
2005; Bates et al. 2023, 'Testing for outliers with conformal p-values'). That holds on average over held-out
texts: the rate that one threshold has differs (Vovk 2012, 'Conditional validity of inductive conformal
predictors'), the more the fewer they are, and `drift` allows for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import numpy as np
from numpy.typing import NDArray

from shared.proportions import Share

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
    return Share(alarms, total, effective=total).bounds()


@dataclass(frozen=True)
class Drift:
    """Whether alarms on a stream of normal texts are as frequent as promised; `p` is two-sided.

    `low` to `high` (both included) are the numbers of alarms that chance allows: the central 95 %.
    """

    alarms: int
    total: int
    promised: float
    held_out: int
    low: int
    high: int
    p: float

    @property
    def within_chance(self) -> bool:
        """Whether chance alone would bring so many alarms and no more."""
        return self.low <= self.alarms <= self.high

    @property
    def sentence(self) -> str:
        """The finding for people."""
        found = f"{self.alarms:,} alarms in {self.total:,} texts"
        promise = f"at the promised {self.promised:.2%} with {self.held_out:,} held-out texts"
        if self.held_out < (needed := least_held_out(self.promised)):
            return f"{found}: none is possible {promise}, that takes {needed:,}"
        allowed = f"the {self.low:,} to {self.high:,} that chance allows (95 % range)"
        return f"{found}, {self._place()} {allowed} {promise}"

    def _place(self) -> str:
        if self.within_chance:
            return "within"
        return "more than" if self.alarms > self.high else "fewer than"


def drift(alarms: int, total: int, promised: float, *, held_out: int) -> Drift:
    """Return whether so many alarms among the texts are what chance allows at the promised rate, below 1.

    A normal text raises an alarm where it lies above the k-th highest of the held-out ones, k being how many
    p-values are at most the promised rate. The alarms of exchangeable texts without equal scores are
    beta-binomial with k and held_out + 1 - k; equal scores make them fewer. Where k is 0, none is possible.
    """
    from scipy.stats import betabinom

    if not (rank := _highest_rank(promised, held_out)):
        return Drift(alarms, total, promised, held_out, low=0, high=0, p=float(not alarms))
    chance = betabinom(total, rank, held_out + 1 - rank)
    low, high = (int(chance.ppf(share)) for share in ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    p = min(1.0, 2 * float(min(chance.cdf(alarms), chance.sf(alarms - 1))))
    return Drift(alarms, total, promised, held_out, low=low, high=high, p=p)


def _highest_rank(rate: float, held_out: int) -> int:
    """Return how many of the p-values are at most the rate, divided as `p_values` divides them."""
    rank = int(rate * (held_out + 1)) + 1
    while rank / (1 + held_out) > rate:
        rank -= 1
    return rank
