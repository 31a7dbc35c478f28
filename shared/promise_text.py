"""Promises as a person reads them: after training, and after they were put to the test."""

from __future__ import annotations

from collections.abc import Sequence

from tabulate import tabulate

from shared.promise import MOVED, Promises
from shared.record import Kept, Promise

NOTHING = "nothing can be promised: no answer is given"


def promises_text(promises: Sequence[Promises]) -> str:
    """Return a table of what validation allows to promise."""
    rows = [
        [f"at most {promise.risk:.0%} of {own.unit} given are wrong", _answered(promise), promise.num]
        for own in promises
        for promise in own.promises
    ]
    if not rows:
        return "no promise: these answers have no confidence"
    title = f"promised with {promises[0].promises[0].confidence:.0%} confidence"
    if (outside := promises[0].out_of_scope) is not None:
        title += f", {outside:.0%} of the texts out of scope"
    return str(tabulate(rows, headers=[title, "given on validation", "validation answers"]))


def kept_text(kept: Sequence[Kept]) -> str:
    """Return a table of what became of the promises, and whether the texts are unlike validation's."""
    rows = [
        [
            f"at most {own.promise.risk:.0%} of {own.promise.unit} given are wrong",
            f"{own.coverage:.1%} of {own.num:,}",
            "" if own.risk is None else f"{own.risk.value:.2%} [{own.risk.low:.2%}, {own.risk.high:.2%}]",
            own.verdict,
        ]
        for own in kept
    ]
    table = str(tabulate(rows, headers=["promise", "given", "wrong of them", "it was"]))
    return "\n".join([table, *dict.fromkeys(filter(None, map(_drifted, kept)))])


def _answered(promise: Promise) -> str:
    return NOTHING if promise.threshold is None else f"{promise.coverage:.1%}"


def _drifted(own: Kept) -> str:
    if own.drift is None or own.drift >= MOVED:
        return ""
    return (
        f"the confidences of {own.promise.unit} are unlike validation's (p = {own.drift:.2g}): "
        "these texts are others, and the promises may not hold for them"
    )
