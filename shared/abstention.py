"""Answers that are not given: those whose confidence is below what a bundle's promise asks for."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.errors import UserError
from shared.promise import MOVED, Promises, Usual, drift
from shared.record import Promise

ENOUGH = 30  # texts from which on their confidences are compared with validation's
LATEST = 20_000  # answers that are compared, so that a stream without end is followed in constant memory


@dataclass
class Gate:
    """Gives the answers that keep a promise, holds the others back, and counts both."""

    promise: Promise
    usual: Usual
    given: int = 0
    num: int = 0
    latest: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=LATEST))  # with its text

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
        self.num += len(found)
        self.latest.extend((confidence, prediction.id) for confidence in found)
        self.given += sum(confidence >= self.least for confidence in found)
        return prediction.held_back(self.promise.unit, self.least, self.reason)

    def report(self) -> str:
        """Return how many answers were given, and whether these texts are like validation's."""
        share = f" ({self.given / self.num:.1%})" if self.num else ""
        what = f"{self.given:,} of {self.num:,} {self.promise.unit}{share}"
        text = f"given: {what}; on validation {self.promise.coverage:.1%}"
        confidences, texts = [sure for sure, _ in self.latest], [name for _, name in self.latest]
        moved = drift(self.usual, confidences, texts) if len(set(texts)) >= ENOUGH else None
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
