"""The check of what was written: house style, figures and names; and what becomes of a bullet that fails.

A failing bullet is written once more with all behind it. What fails then is replaced by the nearest sentence
of the document in house style, or dropped, or kept with its faults, as the settings say. Where sentences may
stand in, they also fill a summary that is too short or lacks as a whole what the style asks for. A summary
that breaks the style even so is not given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from shared.examples import Bullet, SummaryExample, SummaryPrediction, aligned
from tasks.summarization.evidence import Source
from tasks.summarization.figures import unsupported
from tasks.summarization.names import unsupported_names
from tasks.summarization.style import Fault, HouseStyle, check_style, instruction, rendered
from tasks.summarization.style_forms import Order
from tasks.summarization.style_rules import has_value

REWRITTEN = "rewritten"  # what the check did to a bullet: written in the second run,
REPLACED = "replaced"  # a sentence of the document, where a bullet or the whole failed


class Failed(Enum):
    """What becomes of a bullet that fails."""

    replace = "replace"  # by the nearest sentence of the document that passes, else it is dropped
    drop = "drop"
    keep = "keep"


@dataclass(frozen=True)
class Check:
    """The rules, and what follows from breaking them; a `shared.contracts.Reviewer`.

    The bullets it is given were written: none is quoted. A quoted one that it gives passes, so that no fault
    holds words of a document.
    """

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

    def _made_up(self, lines: Sequence[str], source: Source) -> Iterator[Fault]:
        for number, line in enumerate(lines):
            for figure in unsupported(line, source.all_figures):
                yield Fault("figures", number, f"not in the document: {figure.text}")
            for name in unsupported_names(line, source=source.text, wording=self._wording):
                yield Fault("names", number, f"not in the document: {name}")

    def again(
        self, examples: Sequence[SummaryExample], predictions: Sequence[SummaryPrediction]
    ) -> list[SummaryExample]:
        """Return the documents to write once more, with the bullets that stand: those before the first fault.

        Bullets too many and what the summary lacks as a whole are no reason: `settle` mends them.
        """
        if not self.rewrite:
            return []
        found = []
        for example, prediction in aligned(examples, predictions):
            lines = self._lines(prediction)[: self.style.bullets.max]
            faults = self.faults(lines, Source.of(example))
            failing = [fault.bullet for fault in faults if fault.bullet is not None]
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
        """Return the summaries to give: each bullet with its evidence and with what was done to it.

        A second version is taken unless fewer of its bullets pass.
        """
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
        versions = [
            self._judged(version, first, source) for version in (second, first) if version is not None
        ]
        bullets = max(versions, key=lambda version: sum(not bullet.faults for bullet in version))
        if self.failed is Failed.keep:
            return replace(first, bullets=tuple(bullets))
        if self.failed is Failed.replace:
            given = self._mended(bullets, source=source, read=first.read)
        else:
            given = [bullet for bullet in bullets if not bullet.faults][: self.style.bullets.max]
        return self._whole(replace(first, bullets=tuple(sorted(given, key=self._place))))

    def _lines(self, prediction: SummaryPrediction) -> list[str]:
        return [bullet.text for bullet in sorted(prediction.bullets, key=self._place)]

    def _place(self, bullet: Bullet) -> bool:
        """Return what puts the bullets into the style's order."""
        return self.style.order is Order.figures_first and not has_value(bullet.text)

    def _judged(
        self, prediction: SummaryPrediction, first: SummaryPrediction, source: Source
    ) -> list[Bullet]:
        """Return the bullets with evidence and faults; where faults are not kept, without repetitions."""
        stood = {bullet.text for bullet in first.bullets}
        lines = self._lines(prediction)
        found = self.faults(lines, source)
        bullets = []
        for number, line in enumerate(lines):
            faults = [fault for fault in found if fault.bullet == number]
            if self.failed is Failed.keep or all(fault.rule != "repeats" for fault in faults):
                mark = "" if line in stood else REWRITTEN
                told = tuple(map(str, faults))
                bullets.append(Bullet(line, source.evidence(line), mark=mark, faults=told))
        return bullets

    def _mended(self, bullets: Sequence[Bullet], *, source: Source, read: Sequence[int]) -> list[Bullet]:
        """Return the bullets that pass, at most `style.bullets.max`, with sentences where anything failed."""
        given = self._replaced(bullets, source=source, read=read)[: self.style.bullets.max]
        near = source.nearest("\n".join(bullet.text for bullet in bullets), among=read)
        return self._completed(given, source=source, spare=[*near, *read])

    def _replaced(self, bullets: Sequence[Bullet], *, source: Source, read: Sequence[int]) -> list[Bullet]:
        """Return the bullets, each that fails replaced by a sentence, or left out where none fits."""
        beside = [bullet for bullet in bullets if not bullet.faults]
        found = []
        for bullet in bullets:
            if not bullet.faults:
                found.append(bullet)
                continue
            near = [*source.nearest(bullet.text, among=read), *source.with_figures(bullet.text)]
            if quote := next(self._quotes(near, source=source, beside=beside), None):
                found.append(quote)
                beside.append(quote)
        return found

    def _quotes(
        self, indices: Iterable[int], *, source: Source, beside: Sequence[Bullet]
    ) -> Iterator[Bullet]:
        """Yield the sentences in house style that pass, and that the bullets beside do not tell already."""
        told = {index for bullet in beside for index in bullet.sources}
        for index in [index for index in indices if index not in told]:
            line = rendered(source.sentences[index], style=self.style)
            lines = [*(bullet.text for bullet in beside), line]
            broken = {fault.rule for fault in self.faults([line], source) if fault.bullet is not None}
            broken |= {fault.rule for fault in check_style(lines, style=self.style)} & {"repeats"}
            if not broken:
                yield Bullet(line, (index,), quoted=True, mark=REPLACED)

    def _completed(self, bullets: list[Bullet], *, source: Source, spare: Sequence[int]) -> list[Bullet]:
        """Return the bullets with sentences for what the summary as a whole lacks, as far as any has it."""
        for index in spare:
            if not (lacking := self._lacking(bullets)):
                break
            if quote := next(self._quotes([index], source=source, beside=bullets), None):
                helps = lacking - self._lacking([quote])
                if helps or len(bullets) < self.style.bullets.min:
                    bullets = self._with(bullets, quote, helps=helps)
        return bullets

    def _with(self, bullets: list[Bullet], quote: Bullet, *, helps: set[str]) -> list[Bullet]:
        """Return the bullets with the quote; if it does not help so, it stands for the last that lacks it."""
        longer = [*bullets, quote]
        settled = len(longer) <= self.style.bullets.max and not helps & self._lacking(longer)
        if settled or len(bullets) < self.style.bullets.min:
            return longer
        *_, last = (bullet for bullet in bullets if helps & self._lacking([bullet]))
        return [bullet for bullet in longer if bullet is not last]

    def _lacking(self, bullets: Sequence[Bullet]) -> set[str]:
        """Return the rules that the summary breaks as a whole."""
        faults = check_style([bullet.text for bullet in bullets], style=self.style)
        return {fault.rule for fault in faults if fault.bullet is None}

    def _whole(self, prediction: SummaryPrediction) -> SummaryPrediction:
        """Return the summary, or an abstention where it breaks the style as a whole."""
        if not prediction.bullets:
            return replace(prediction, abstained="no bullet passed the check")
        if broken := sorted(self._lacking(prediction.bullets)):
            reason = f"the summary breaks the style: {', '.join(broken)}"
            return replace(prediction, bullets=(), abstained=reason)
        return prediction
