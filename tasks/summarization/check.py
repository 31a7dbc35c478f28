"""The check of what was written: house style, figures and names; and what becomes of a bullet that fails.

A failing bullet is written once more with all behind it; a summary with few bullets is, for one bullet more,
from the sentences that none of them tells. What fails then is cut back to the clauses in front that pass: of
"sales $5 million versus an estimate of $6 million" a document may bear out the first alone. Where none
passes, the nearest sentence of the document stands in, in house style, or the bullet is dropped; or all is
kept with its faults, as the settings say. Where sentences may stand in, they also fill a summary that is too
short or lacks as a whole what the style asks for. A summary that breaks the style even so is not given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

from shared.examples import Bullet, SummaryExample, SummaryPrediction, aligned
from shared.typed_config import check
from tasks.summarization.evidence import Source
from tasks.summarization.figures import unsupported
from tasks.summarization.names import unsupported_names
from tasks.summarization.style import Fault, HouseStyle, check_style, instruction, rendered
from tasks.summarization.style_forms import Order
from tasks.summarization.style_rules import has_value

REWRITTEN = "rewritten"  # what the check did to a bullet: written in the second run,
ADDED = "added"  # written in the second run from sentences that no bullet told,
SHORTENED = "shortened"  # without its last clauses,
REPLACED = "replaced"  # a sentence of the document, where a bullet or the whole failed

# Where a clause ends that is true without the next one
_CLAUSE = re.compile(r"[,;]\s|\s(?:versus|vs\.?|compared|against|from|while|which|but)\s", re.IGNORECASE)


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
    more: int = 0  # write once more for another bullet where there are fewer; the runs of old lack it

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
        lines = self._lines(prediction)[: self.style.bullets.max]
        faults = self.faults(lines, Source.of(example)) if self.rewrite else []
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

        A second version is taken unless fewer of its bullets pass.
        """
        known = {prediction.id: prediction for prediction in second}
        return [
            self._completed_by(known.get(prediction.id), example, prediction)
            for example, prediction in aligned(examples, predictions)
        ]

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
        source, told = Source.of(example), {bullet.text for bullet in given.bullets}
        written = self._cut_back(self._judged(second, second, source), source)
        new = [bullet for bullet in written if not bullet.faults and bullet.text not in told]
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
        bullets = self._cut_back(bullets, source)
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

    def _cut_back(self, bullets: Sequence[Bullet], source: Source) -> list[Bullet]:
        """Return the bullets, those that fail cut back to what passes, or left out where others tell that."""
        told = {bullet.text for bullet in bullets if not bullet.faults}
        found = []
        for bullet in bullets:
            short = self._shortened(bullet, source) if bullet.faults else None
            if short is None:
                found.append(bullet)
            elif short.text not in told:
                found.append(short)
                told.add(short.text)
        return found

    def _shortened(self, bullet: Bullet, source: Source) -> Bullet | None:
        """Return as many of the bullet's first clauses as pass, with a figure if it has one."""
        for end in reversed([match.start() for match in _CLAUSE.finditer(bullet.text)]):
            line = rendered(bullet.text[:end], style=self.style)
            broken = [fault for fault in self.faults([line], source) if fault.bullet is not None]
            if not broken and has_value(line) >= has_value(bullet.text):
                return Bullet(line, source.evidence(line), mark=SHORTENED)
        return None

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
