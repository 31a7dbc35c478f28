"""The check of what was written: house style, figures and names; and what becomes of a bullet that fails.

A bullet that tells a figure as what it is not, last quarter's as this one's, is corrected where the document
says what it is. A failing bullet is written once more with all behind it; a summary with few bullets is, for
one bullet more, from the sentences that none of them tells. What fails then is mended: cut back to clauses
that pass, or replaced by a sentence of the document, or dropped; or all is kept with its faults, as the
settings say. A summary that breaks the style even so is not given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from shared.examples import Bullet, SummaryExample, SummaryPrediction, aligned
from shared.typed_config import check
from tasks.summarization.evidence import Source
from tasks.summarization.faults import TWICE, Rules
from tasks.summarization.kinds import plainness
from tasks.summarization.mending import cut_back, mended
from tasks.summarization.places import place
from tasks.summarization.style import HouseStyle, instruction
from tasks.summarization.style_forms import Order
from tasks.summarization.style_rules import has_value

REWRITTEN = "rewritten"  # what the check did to a bullet: written in the second run,
ADDED = "added"  # written in the second run from sentences that no bullet told,
CORRECTED = "corrected"  # told of another quarter, as a result or as not adjusted
_REPEATING = ("repeats", TWICE)  # rules by which a bullet is left out and nothing stands in


class Failed(Enum):
    """What becomes of a bullet that fails and has no clause to keep."""

    replace = "replace"  # by the nearest sentence of the document that passes, else it is dropped
    drop = "drop"
    keep = "keep"  # as it is written, whole


@dataclass(frozen=True)
class Check:
    """The rules, and what follows from breaking them; a `shared.contracts.Reviewer`.

    The bullets it is given were written: none is quoted. A quoted one that it gives passes, so that no fault
    holds words of a document.
    """

    style: HouseStyle
    rewrite: bool  # write once more from the first bullet that fails
    failed: Failed
    # What the runs of old lack
    more: int = 0  # write once more for another bullet where there are fewer
    kinds: bool = False  # whether figures must be told as what the document says they are
    placed: bool = False  # whether bullets stand where the style's `places` put them

    def __post_init__(self) -> None:
        check(
            ("head.check.more", self.more, self.more >= 0, "0 or more"),
            (
                "head.check.more",
                self.more,
                not (self.more and self.failed is Failed.keep),
                "0 with failed=keep",
            ),
        )

    @cached_property
    def rules(self) -> Rules:
        """What a summary must keep to."""
        return Rules(self.style, kinds=self.kinds)

    def instruction(self) -> str:
        """Return the style told to a language model."""
        return instruction(self.style)

    def again(
        self, examples: Sequence[SummaryExample], predictions: Sequence[SummaryPrediction]
    ) -> list[SummaryExample]:
        """Return the documents to write once more: those with a bullet that fails, or with few bullets.

        Bullets too many and what the summary lacks as a whole are no reason: `settle` mends them.
        """
        asked = (self._again(example, answer) for example, answer in aligned(examples, predictions))
        return [example for example in asked if example]

    def _again(self, example: SummaryExample, prediction: SummaryPrediction) -> SummaryExample | None:
        if begun := self._standing(example, prediction):
            return begun
        if not self.more:
            return None
        given = self._settled(example, prediction, None)
        told = {index for bullet in given.bullets for index in bullet.sources}
        left = tuple(index for index in prediction.read if index not in told)
        few = 0 < len(given.bullets) < self.more
        return replace(example, bullets=(), chosen=left) if few and left else None

    def _standing(self, example: SummaryExample, prediction: SummaryPrediction) -> SummaryExample | None:
        """Return the document with the bullets before the first that fails; None if none does."""
        if not self.rewrite:
            return None
        source = Source.of(example)
        lines = [self._corrected(line, source) for line in self._lines(prediction)][: self.style.bullets.max]
        faults = self.rules.faults(lines, source)
        failing = [fault.bullet for fault in faults if fault.bullet is not None]
        if not failing:
            return None
        return replace(example, bullets=(), chosen=prediction.read, begun=tuple(lines[: min(failing)]))

    def settle(
        self,
        examples: Sequence[SummaryExample],
        predictions: Sequence[SummaryPrediction],
        second: Sequence[SummaryPrediction],
    ) -> list[SummaryPrediction]:
        """Return the summaries to give: each bullet with its evidence and with what was done to it.

        Where kinds are checked, a bullet is as sure as the document says it plainly. A second version is
        taken unless fewer of its bullets pass.
        """
        known = {prediction.id: prediction for prediction in second}
        return [
            self._sure(example, self._completed_by(known.get(prediction.id), example, prediction))
            for example, prediction in aligned(examples, predictions)
        ]

    def _sure(self, example: SummaryExample, prediction: SummaryPrediction) -> SummaryPrediction:
        if not self.kinds:
            return prediction
        source = Source.of(example)
        bullets = (replace(own, confidence=plainness(own.text, source)) for own in prediction.bullets)
        return replace(prediction, bullets=tuple(bullets))

    def _completed_by(
        self, second: SummaryPrediction | None, example: SummaryExample, first: SummaryPrediction
    ) -> SummaryPrediction:
        if second is None or self._standing(example, first):
            return self._settled(example, first, second)
        return self._with_another(second, example, self._settled(example, first, None))

    def _with_another(
        self, second: SummaryPrediction, example: SummaryExample, given: SummaryPrediction
    ) -> SummaryPrediction:
        """Return the summary with the first bullet of the second version that passes and is new."""
        source, told = Source.of(example), [bullet.text for bullet in given.bullets]
        written = cut_back(self._judged(second, second, source), source=source, rules=self.rules)
        right = (bullet for bullet in written if not bullet.faults)
        new = [bullet for bullet in right if not self.rules.tells_again(bullet.text, told, source)]
        if not new or len(given.bullets) >= self.style.bullets.max:
            return given
        bullets = sorted([*given.bullets, replace(new[0], mark=ADDED)], key=self._place)
        return self._whole(replace(given, bullets=tuple(bullets)))

    def _settled(
        self, example: SummaryExample, first: SummaryPrediction, second: SummaryPrediction | None
    ) -> SummaryPrediction:
        if first.abstained:
            return first
        source = Source.of(example)
        versions = [
            self._judged(version, first, source) for version in (second, first) if version is not None
        ]
        bullets = max(versions, key=lambda version: sum(not bullet.faults for bullet in version))
        if self.failed is Failed.keep:
            return replace(first, bullets=tuple(bullets))
        bullets = cut_back(bullets, source=source, rules=self.rules)
        if self.failed is Failed.replace:
            given = mended(bullets, source=source, read=first.read, rules=self.rules)
        else:
            given = [bullet for bullet in bullets if not bullet.faults][: self.style.bullets.max]
        return self._whole(replace(first, bullets=tuple(sorted(given, key=self._place))))

    def _lines(self, prediction: SummaryPrediction) -> list[str]:
        return [bullet.text for bullet in sorted(prediction.bullets, key=self._place)]

    def _corrected(self, line: str, source: Source) -> str:
        return line if self.failed is Failed.keep else self.rules.corrected(line, source)

    def _place(self, bullet: Bullet) -> tuple[bool, float]:
        """Return what puts the bullets into the style's order."""
        behind = self.style.order is Order.figures_first and not has_value(bullet.text)
        return behind, place(bullet.text, self.style.places) if self.placed else 0.0

    def _judged(
        self, prediction: SummaryPrediction, first: SummaryPrediction, source: Source
    ) -> list[Bullet]:
        """Return the bullets with evidence and faults; where faults are not kept, without repetitions."""
        stood = {bullet.text for bullet in first.bullets}
        written = self._lines(prediction)
        lines = [self._corrected(line, source) for line in written]
        found = self.rules.faults(lines, source)
        bullets = []
        for number, (line, before) in enumerate(zip(lines, written, strict=True)):
            faults = [fault for fault in found if fault.bullet == number]
            if self.failed is Failed.keep or all(fault.rule not in _REPEATING for fault in faults):
                mark = CORRECTED if line != before else "" if line in stood else REWRITTEN
                told = tuple(map(str, faults))
                bullets.append(Bullet(line, source.evidence(line), mark=mark, faults=told))
        return bullets

    def _whole(self, prediction: SummaryPrediction) -> SummaryPrediction:
        """Return the summary, or an abstention where it breaks the style as a whole."""
        if not prediction.bullets:
            return replace(prediction, abstained="no bullet passed the check")
        if broken := sorted(self.rules.lacking(prediction.bullets)):
            reason = f"the summary breaks the style: {', '.join(broken)}"
            return replace(prediction, bullets=(), abstained=reason)
        return prediction
