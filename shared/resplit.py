"""How often a promise is kept: validation and test divided anew, answers by documents, alarms by texts.

What one division shows is chance; over many of them the promise must hold about as often as it says. The
model stays the one that it is, and it was trained, and its calibration fitted, by the first division's
validation: what follows from that is in all of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from tabulate import tabulate

from shared.conformal import Drift, drift, p_values
from shared.contracts import Trial
from shared.promise import judge_promise, make_promise
from shared.record import Kept

SHOWN = 5


@dataclass(frozen=True)
class Resplits:
    """What became of one promise in each division, in the order of the seeds."""

    unit: str
    risk: float
    found: list[Kept]

    @property
    def reached(self) -> float:
        """The share of divisions where the interval of what is wrong reaches the risk, or none is given."""
        return fmean(own.verdict != "broken" for own in self.found)

    @property
    def below(self) -> float:
        """The share of divisions in which no more is wrong than promised."""
        return fmean(own.risk is None or own.risk.value <= self.risk for own in self.found)


def resplit(
    validation: Mapping[str, Sequence[Trial]],
    test: Mapping[str, Sequence[Trial]],
    risks: Sequence[float],
    *,
    confidence: float,
    times: int,
) -> list[Resplits]:
    """Return for each unit and risk what divisions of all answers into parts of the same sizes give."""
    return [
        Resplits(
            unit,
            risk,
            [
                judge_promise(make_promise(unit, left, risk, confidence=confidence), right)
                for left, right in _divisions(validation[unit], test[unit], times=times)
            ],
        )
        for unit in validation
        if unit in test
        for risk in risks
    ]


@dataclass(frozen=True)
class AlarmRates:
    """How many false alarms one promised rate brought in each division, in the order of the seeds."""

    promised: float
    found: list[Drift]

    @property
    def mean(self) -> float:
        """The share of normal texts that raised an alarm, over all divisions."""
        return fmean(own.alarms / own.total for own in self.found)

    @property
    def within_chance(self) -> float:
        """The share of divisions with as many alarms as chance allows, and no more."""
        return fmean(own.within_chance for own in self.found)


def resplit_alarms(
    held_out: Sequence[float], others: Sequence[float], rates: Sequence[float], *, times: int
) -> list[AlarmRates]:
    """Return for each rate the alarms of normal texts where others of them, drawn anew, were held out.

    `held_out` and `others` are scores of normal texts; each division has as many of either. Scores that are
    equal make alarms fewer than promised.
    """
    pool = np.array([*held_out, *others])
    divisions = []
    for seed in range(times):
        drawn = np.random.default_rng(seed).permutation(pool)
        divisions.append(p_values(drawn[len(held_out) :], drawn[: len(held_out)]))
    return [
        AlarmRates(
            rate,
            [
                drift(int((chances <= rate).sum()), len(others), rate, held_out=len(held_out))
                for chances in divisions
            ],
        )
        for rate in rates
    ]


def alarm_rates_text(found: Sequence[AlarmRates]) -> str:
    """Return a table: the first divisions one by one, then all of them."""
    rows = [
        [
            f"at most {own.promised:.0%} of normal texts raise an alarm",
            *(f"{drawn.alarms / drawn.total:.1%}" for drawn in own.found[:SHOWN]),
            f"{own.mean:.2%}",
            f"{own.within_chance:.0%}",
        ]
        for own in found
    ]
    return _table(rows, "alarms on average", "within chance in")


def resplits_text(found: Sequence[Resplits]) -> str:
    """Return a table: the first divisions one by one, then all of them."""
    rows = [
        [
            f"at most {own.risk:.0%} of {own.unit} given are wrong",
            *(_shown(kept) for kept in own.found[:SHOWN]),
            f"{fmean(kept.coverage for kept in own.found):.1%}",
            f"{own.below:.0%}",
            f"{own.reached:.0%}",
        ]
        for own in found
    ]
    return _table(rows, "given on average", "no more wrong in", "interval reaches in")


def _table(rows: Sequence[Sequence[str]], *over_all: str) -> str:
    numbers = [f"division {number}" for number in range(1, 1 + SHOWN)]
    return str(tabulate(rows, headers=["promise", *numbers, *over_all]))


def _divisions(
    validation: Sequence[Trial], test: Sequence[Trial], *, times: int
) -> Iterator[tuple[list[Trial], list[Trial]]]:
    """Yield as many documents as validation has, drawn from both splits, and the others."""
    pool: dict[str, list[Trial]] = {}
    for split, trials in (("validation", validation), ("test", test)):
        for trial in trials:
            name = f"{split}/{trial.document}"  # a name may stand for another document in the other split
            pool.setdefault(name, []).append(replace(trial, document=name))
    names = sorted(pool)
    number = len({trial.document for trial in validation})
    for seed in range(times):
        drawn = random.Random(seed).sample(names, len(names))
        left, right = drawn[:number], drawn[number:]
        yield [t for name in left for t in pool[name]], [t for name in right for t in pool[name]]


def _shown(kept: Kept) -> str:
    return "none given" if kept.risk is None else f"{kept.coverage:.1%}, wrong {kept.risk.value:.1%}"
