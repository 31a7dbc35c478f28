"""What a summary breaks: rules of its house style, and what its document does not bear out.

That is a figure or a name that it lacks, and a figure told as what it is not (`tasks.summarization.kinds`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from shared.examples import Bullet
from tasks.summarization.evidence import Source
from tasks.summarization.figures import unsupported
from tasks.summarization.kinds import corrected, told_as_another, wrong_kinds
from tasks.summarization.names import unsupported_names
from tasks.summarization.style import Fault, HouseStyle, check_style

TWICE = "twice"  # the rule that one figure is told as one kind


@dataclass(frozen=True)
class Rules:
    """What holds for summaries of one house style."""

    style: HouseStyle
    kinds: bool = True  # whether a figure must be told as what the document says it is

    @cached_property
    def _wording(self) -> frozenset[str]:
        return frozenset(self.style.wording)

    def faults(self, lines: Sequence[str], source: Source) -> list[Fault]:
        """Return what the summary breaks: rules of style, and what the document does not bear out."""
        wrong = self._wrong_kinds(lines, source) if self.kinds else ()
        return [*check_style(lines, style=self.style), *self._made_up(lines, source), *wrong]

    def tells_again(self, line: str, beside: Sequence[str], source: Source) -> bool:
        """Return whether one of the bullets beside is the line, or tells it as another kind."""
        return line in beside or (self.kinds and bool(told_as_another([*beside, line], source)))

    def corrected(self, line: str, source: Source) -> str:
        """Return the bullet with its figures told as what the document says they are, as far as it does."""
        return corrected(line, source) if self.kinds else line

    def broken_by(self, line: str, source: Source) -> list[Fault]:
        """Return what one bullet breaks, whatever stands beside it."""
        return [fault for fault in self.faults([line], source) if fault.bullet is not None]

    def lacking(self, bullets: Sequence[Bullet]) -> set[str]:
        """Return the rules that the summary breaks as a whole."""
        faults = check_style([bullet.text for bullet in bullets], style=self.style)
        return {fault.rule for fault in faults if fault.bullet is None}

    def _made_up(self, lines: Sequence[str], source: Source) -> Iterator[Fault]:
        for number, line in enumerate(lines):
            for figure in unsupported(line, source.all_figures):
                yield Fault("figures", number, f"not in the document: {figure.text}")
            for name in unsupported_names(line, source=source.text, wording=self._wording):
                yield Fault("names", number, f"not in the document: {name}")

    def _wrong_kinds(self, lines: Sequence[str], source: Source) -> Iterator[Fault]:
        twice = told_as_another(lines, source)
        for number, line in enumerate(lines):
            for rule, words in wrong_kinds(line, source).items():
                yield Fault(rule, number, f"not so in the document: {words!r}")
            if number in twice:
                yield Fault(TWICE, number, f"bullet {twice[number] + 1} tells it as another kind")
