"""What a summary breaks: rules of its house style, and figures or names that its document lacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from shared.examples import Bullet
from tasks.summarization.evidence import Source
from tasks.summarization.figures import unsupported
from tasks.summarization.names import unsupported_names
from tasks.summarization.style import Fault, HouseStyle, check_style


@dataclass(frozen=True)
class Rules:
    """What holds for summaries of one house style."""

    style: HouseStyle

    @cached_property
    def _wording(self) -> frozenset[str]:
        return frozenset(self.style.wording)

    def faults(self, lines: Sequence[str], source: Source) -> list[Fault]:
        """Return what the summary breaks: rules of style, figures and names that the document lacks."""
        return [*check_style(lines, style=self.style), *self._made_up(lines, source)]

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
