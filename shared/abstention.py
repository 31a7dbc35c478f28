"""Answers that are not given: those whose confidence is below what a bundle's promise asks for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.errors import UserError
from shared.promise import MOVED, Promises, Usual, drift
from shared.record import Promise

ENOUGH = 30  # texts from which on their confidences are compared with validation's


@dataclass
class Gate:
    """Gives the answers that keep a promise, holds the others back, and counts both."""

    promise: Promise
    usual: Usual
    given: int = 0
    confidences: list[float] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """Why an answer is held back, the kind of reason before the colon."""
        kind = f"not sure enough for {self.promise.risk:.0%} risk"
        if self.promise.threshold is None:
            return f"{kind}: on validation nothing was"
        return f"{kind}: {self.promise.threshold:.4g} is needed"

    @property
    def least(self) -> float:
        """The confidence from which on answers are given."""
        return math.inf if self.promise.threshold is None else self.promise.threshold

    def held_back(self, prediction: Any) -> Any:
        """Return the prediction without what is not sure enough, and count its answers."""
        found = prediction.confidences(self.promise.unit)
        self.confidences += found
        self.texts += [prediction.id] * len(found)
        self.given += sum(confidence >= self.least for confidence in found)
        return prediction.held_back(self.promise.unit, self.least, self.reason)

    def report(self) -> str:
        """Return how many answers were given, and whether these texts are like validation's."""
        num, unit = len(self.confidences), self.promise.unit
        share = f" ({self.given / num:.1%})" if num else ""
        text = f"given: {self.given:,} of {num:,} {unit}{share}; on validation {self.promise.coverage:.1%}"
        moved = drift(self.usual, self.confidences, self.texts) if len(set(self.texts)) >= ENOUGH else None
        if moved is None or moved >= MOVED:
            return text
        return (
            f"{text}\nthese texts are unlike validation's: their confidences are other ones "
            f"(p = {moved:.2g}), and the promise may not hold for them"
        )


def make_gate(promises: Sequence[Promises], *, risk: float, unit: str) -> Gate:
    """Return the gate of the promise that is asked for; raises `UserError` naming those there are."""
    if not promises:
        raise UserError(
            f"predict.risk={risk}: this bundle promises nothing, its answers have no confidence, or it is "
            "older than promises: the verb calibrate makes them"
        )
    units = [own.unit for own in promises]
    if unit and unit not in units:
        raise UserError(f"predict.unit={unit}: this bundle promises of {', '.join(units)}")
    own = promises[units.index(unit) if unit else 0]
    if (promise := own.at(risk)) is None:
        known = ", ".join(f"{promise.risk:g}" for promise in own.promises)
        raise UserError(
            f"predict.risk={risk}: this bundle promises risks of {known}; "
            f"calibrate run=... promise.risks=[{risk}] makes another"
        )
    return Gate(promise, own.usual)
