"""The check of what was written: house style, figures and names; and what becomes of a bullet that fails.

A failing bullet is written once more with all behind it. What fails then is replaced by the nearest sentence
of the document in house style, or dropped, or kept with its faults, as the settings say. A summary that still
breaks the style as a whole is not given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from shared.examples import Bullet, SummaryExample, SummaryPrediction, aligned
from tasks.summarization.evidence import Source
from tasks.summarization.figures import find_figures, unsupported
from tasks.summarization.names import unsupported_names
from tasks.summarization.style import Fault, HouseStyle, check_style, instruction, rendered
from tasks.summarization.style_forms import Order

REWRITTEN, REPLACED = "rewritten", "replaced"  # what the check did to a bullet


class Failed(Enum):
    """What becomes of a bullet that fails."""

    replace = "replace"  # by the nearest sentence of the document that passes, else it is dropped
    drop = "drop"
    keep = "keep"


@dataclass(frozen=True)
class Check:
    """The rules, and what follows from breaking them; a `shared.contracts.Reviewer`."""

    style: HouseStyle
    rewrite: bool  # write once more from the first bullet that fails
    failed: Failed

    @cached_property
    def _wording(self) -> frozenset[str]:
        return frozenset(self.style.wording)

    def instruction(self) -> str:
        """Return the style told to a language model."""
        return instruction(self.style)

    def faults(self, lines: Sequence[str], source: Source) -> list[Fault]:
        """Return what the summary breaks: rules of style, figures and names that the document lacks."""
        return [*check_style(lines, style=self.style), *self._made_up(lines, source)]

    def _made_up(self, lines: Sequence[str], source: Source) -> list[Fault]:
        faults, text = [], "\n".join(source.sentences)
        for number, line in enumerate(lines):
            figures = [figure.text for figure in unsupported(line, source.all_figures)]
            names = unsupported_names(line, source=text, wording=self._wording)
            faults += [Fault("figures", number, f"not in the document: {found}") for found in figures]
            faults += [Fault("names", number, f"not in the document: {found}") for found in names]
        return faults

    def again(
        self, examples: Sequence[SummaryExample], predictions: Sequence[SummaryPrediction]
    ) -> list[SummaryExample]:
        """Return the documents to write once more, with the bullets that stand: those before the first fault."""
        if not self.rewrite:
            return []
        found = []
        for example, prediction in aligned(examples, predictions):
            lines = [bullet.text for bullet in prediction.bullets]
            failing = [f.bullet for f in self.faults(lines, Source.of(example)) if f.bullet is not None]
            if failing:
                begun = tuple(lines[: min(failing)])
                found.append(replace(example, bullets=(), chosen=prediction.read, begun=begun))
        return found

    def settle(
        self,
        examples: Sequence[SummaryExample],
        predictions: Sequence[SummaryPrediction],
        second: Sequence[SummaryPrediction],
    ) -> list[SummaryPrediction]:
        """Return the summaries to give: each bullet with its evidence and with what was done to it."""
        rewritten = {prediction.id: prediction for prediction in second}
        return [
            self._settled(example, prediction, rewritten.get(prediction.id))
            for example, prediction in aligned(examples, predictions)
        ]

    def _settled(
        self, example: SummaryExample, first: SummaryPrediction, second: SummaryPrediction | None
    ) -> SummaryPrediction:
        if first.abstained:
            return first
        source = Source.of(example)
        stood = {bullet.text for bullet in first.bullets}
        lines = [bullet.text for bullet in (second or first).bullets]
        faults = self.faults(lines, source)
        bullets: list[Bullet] = []
        for number, line in enumerate(lines):
            broken = tuple(str(fault) for fault in faults if fault.bullet == number)
            mark = "" if line in stood else REWRITTEN
            bullet = Bullet(line, source.evidence(line), mark=mark, faults=broken)
            bullets += self._kept(bullet, bullets, source=source, read=first.read)
        return self._whole(replace(first, bullets=self._ordered(bullets)))

    def _kept(
        self, bullet: Bullet, before: Sequence[Bullet], *, source: Source, read: Sequence[int]
    ) -> list[Bullet]:
        """Return what stands in the bullet's place: itself, its replacement, or nothing."""
        if not bullet.faults or self.failed is Failed.keep:
            return [bullet]
        if self.failed is Failed.drop:
            return []
        used = {place for other in before for place in other.sources}
        nearest = source.nearest(bullet.text, among=[index for index in read if index not in used])
        for index in nearest:
            line = rendered(source.sentences[index], style=self.style)
            lines = [*(other.text for other in before), line]
            if not any(fault.bullet == len(before) for fault in self.faults(lines, source)):
                return [Bullet(line, (index,), quoted=True, mark=REPLACED)]
        return []

    def _ordered(self, bullets: Sequence[Bullet]) -> tuple[Bullet, ...]:
        if self.style.order is Order.figures_first:
            bullets = sorted(bullets, key=lambda bullet: not find_figures(bullet.text))
        return tuple(bullets[: self.style.bullets.max] if self.failed is not Failed.keep else bullets)

    def _whole(self, prediction: SummaryPrediction) -> SummaryPrediction:
        """Return the summary, or an abstention where it breaks the style as a whole."""
        if self.failed is Failed.keep:
            return prediction
        if not prediction.bullets:
            return replace(prediction, abstained="no bullet passed the check")
        broken = check_style([bullet.text for bullet in prediction.bullets], style=self.style)
        if broken:
            return replace(prediction, bullets=(), abstained=str(broken[0]))
        return prediction
