"""What may be promised of answers: 'of those given at most 5 % are wrong', with 95 % confidence.

An answer is given where its confidence reaches a threshold. Thresholds are tested on validation, the
strictest first, each for more wrong answers than promised; those that pass all keep the promise with the
confidence asked for (Learn then Test: Angelopoulos, Bates, Candes, Jordan, Lei 2021, arXiv 2110.01052, with
the tests in STARTS sequences, of which each has a share of the chance to err), and the one that gives most
answers is taken. It holds where texts are like validation's; the answers of one document need not be
independent, see `shared.proportions`. Where another share of the texts will be out of scope, and that share
is told, validation's texts out of scope weigh accordingly (label shift: Podkopaev, Ramdas 2021, arXiv
2103.03323).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from shared.contracts import Score, Trial
from shared.errors import UserError
from shared.proportions import Share, first_shares, share, weighted_shares, within_correlation
from shared.record import Kept, Promise
from shared.verb_config import PromiseConfig

PLACES = 6
STEPS = 100  # thresholds that are tested, at equal steps of the share of answers given
STARTS = 4
MOVED = 0.01  # a chance below which confidences are said to be unlike validation's


@dataclass(frozen=True)
class Usual:
    """Validation's confidences: the middle one, the share below it, how many independent answers tell so."""

    median: float
    below: float
    effective: float


@dataclass(frozen=True)
class Promises:
    """What a bundle promises of one unit, and the confidences that it was promised for."""

    unit: str
    promises: tuple[Promise, ...]
    usual: Usual
    out_of_scope: float | None = None  # share of the texts that they were made for, None is validation's

    def at(self, risk: float) -> Promise | None:
        """Return the promise at this risk, None where none was asked for."""
        return next((promise for promise in self.promises if promise.risk == risk), None)


def for_the_same_texts(asked: PromiseConfig, rows: Sequence[Mapping[str, Any]]) -> PromiseConfig:
    """Return what is asked, with the share out of scope of a bundle's promises where none is told.

    Else other risks, or an export, would be promised for other texts than the bundle was, and nobody told.
    """
    known = [own.out_of_scope for own in read_promises(rows) if own.out_of_scope is not None]
    return replace(asked, out_of_scope=known[0]) if known and asked.out_of_scope is None else asked


def make_promises(by_unit: Mapping[str, Sequence[Trial]], asked: PromiseConfig) -> list[Promises]:
    """Return what validation's answers allow to promise at each of the risks asked for, unit by unit.

    Raises `UserError` where the share of texts out of scope is told, and validation's answers have none.
    """
    make = partial(make_promise, confidence=asked.confidence, out_of_scope=asked.out_of_scope)
    return [
        Promises(
            unit=unit,
            promises=tuple(make(unit, trials, risk) for risk in asked.risks),
            usual=_usual(trials),
            out_of_scope=asked.out_of_scope,
        )
        for unit, trials in by_unit.items()
    ]


def make_promise(
    unit: str,
    trials: Sequence[Trial],
    risk: float,
    *,
    confidence: float,
    out_of_scope: float | None = None,
) -> Promise:
    """Return the threshold that gives most answers of those that pass; None as threshold where none does.

    `out_of_scope` is the share of texts out of scope that it is made for, None as many as these have.
    """
    ordered = sorted(trials, key=lambda trial: -trial.confidence)
    wrong, documents = [not trial.right for trial in ordered], [trial.document for trial in ordered]
    correlation = within_correlation(wrong, documents)
    numbers = _steps([trial.confidence for trial in ordered])
    if out_of_scope is None:
        shares = first_shares(wrong, documents, numbers, correlation=correlation)
    else:
        weights = _weights(unit, ordered, out_of_scope)
        shares = weighted_shares(wrong, documents, weights, numbers, correlation=correlation)
    passed = _passed(shares, risk, chance=1 - confidence)
    most = max((found.num for found in passed), default=0)
    return Promise(
        unit=unit,
        risk=risk,
        confidence=confidence,
        threshold=_floor(ordered[most - 1].confidence) if most else None,
        coverage=round(most / len(ordered), PLACES),
        num=len(ordered),
        correlation=round(correlation, PLACES),
    )


def kept(promises: Promises, trials: Sequence[Trial]) -> list[Kept]:
    """Return for each promise what became of it among these answers, which were not validation's."""
    confidences, documents = [t.confidence for t in trials], [t.document for t in trials]
    moved = drift(promises.usual, confidences, documents)
    return [judge_promise(promise, trials, drift=moved) for promise in promises.promises]


def kept_again(known: Sequence[Kept], by_unit: Mapping[str, Sequence[Trial]]) -> list[Kept]:
    """Return the same promises judged by these answers; drift is as it was: only the bundle knows."""
    return [judge_promise(own.promise, by_unit.get(own.promise.unit, []), drift=own.drift) for own in known]


def judge_promise(promise: Promise, trials: Sequence[Trial], *, drift: float | None = None) -> Kept:
    """Return what became of the promise among these answers: none is given where nothing is promised."""
    least = math.inf if promise.threshold is None else promise.threshold
    given = [trial for trial in trials if trial.confidence >= least]
    wrong = share([not trial.right for trial in given], [trial.document for trial in given])
    return Kept(
        promise=promise,
        num=len(trials),
        coverage=round(len(given) / len(trials), PLACES) if trials else 0.0,
        risk=Score(*(round(value, PLACES) for value in (wrong.value, *wrong.bounds()))) if given else None,
        drift=drift,
    )


def drift(usual: Usual, confidences: Sequence[float], documents: Sequence[str]) -> float | None:
    """Return the chance of confidences so unlike validation's, None where too few documents tell.

    The share below validation's median is compared with validation's own, by the two-sided z-test of two
    shares with as many answers as their documents are worth. It sees answers that are less sure, or more, not
    those that are wrong and as sure as ever.
    """
    from scipy.special import ndtr

    found = share([confidence < usual.median for confidence in confidences], documents)
    if not found.effective or not usual.effective:
        return None
    together = found.effective + usual.effective
    both = (found.value * found.effective + usual.below * usual.effective) / together
    if not 0 < both < 1:
        return 1.0
    deviation = math.sqrt(both * (1 - both) * (1 / found.effective + 1 / usual.effective))
    return round(float(2 * ndtr(-abs(found.value - usual.below) / deviation)), PLACES)


def promises_row(promises: Sequence[Promises]) -> list[dict[str, Any]]:
    """Return the promises as a bundle stores them."""
    return [asdict(own) for own in promises]


def read_promises(rows: Sequence[Mapping[str, Any]]) -> list[Promises]:
    """Return the promises that `promises_row` wrote."""
    return [
        Promises(
            row["unit"],
            tuple(Promise(**own) for own in row["promises"]),
            Usual(**row["usual"]),
            row.get("out_of_scope"),  # which bundles of before lack
        )
        for row in rows
    ]


def _weights(unit: str, trials: Sequence[Trial], out_of_scope: float) -> list[float]:
    """Return 1 for an answer in scope, and what makes those out of scope as many as they will be.

    Raises `UserError` where none is: then nothing is known of them.
    """
    own = next((trial.outside for trial in trials if trial.outside), None)
    if own is None or own == 1:
        raise UserError(
            f"promise.out_of_scope={out_of_scope:g}: validation's {unit} with an answer are all of one sort, "
            "in scope or out of it, so that nothing is known of the other; allowed here: null"
        )
    factor = out_of_scope / (1 - out_of_scope) * (1 - own) / own
    return [1.0 if trial.outside is None else factor for trial in trials]


def _steps(confidences: Sequence[float]) -> list[int]:
    """Return how many answers each threshold tested gives, rising; equal confidences stay together.

    They follow from the confidences alone, never from what is right.
    """
    falling = -np.asarray(confidences)
    asked = [math.ceil(step / STEPS * len(falling)) for step in range(1, STEPS + 1)]
    return sorted({int(np.searchsorted(falling, falling[number - 1], side="right")) for number in asked})


def _passed(found: Sequence[Share], risk: float, *, chance: float) -> list[Share]:
    """Return the shares whose risk is lower, all of them but with this chance; few answers cannot tell."""
    from mapie.risk_control import FWERFixedSequenceTesting, control_fwer

    tested = [own for own in found if (1 - risk) ** own.effective <= chance / STARTS]
    if not tested:
        return []
    sequences = FWERFixedSequenceTesting(min(STARTS, len(tested)))
    passed = control_fwer(np.array([own.p_value(risk) for own in tested]), chance, sequences)
    return [tested[int(place)] for place in passed]


def _usual(trials: Sequence[Trial]) -> Usual:
    median = _floor(float(np.median([trial.confidence for trial in trials])))
    found = share([trial.confidence < median for trial in trials], [trial.document for trial in trials])
    return Usual(median, round(found.value, PLACES), round(found.effective, PLACES))


def _floor(confidence: float) -> float:
    steps = 10.0**PLACES
    return math.floor(confidence * steps) / steps
