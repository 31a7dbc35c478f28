"""Why a text is odd: each part is left out in turn, and those whose absence lowers the score are named.

Occlusion as in Zeiler and Fergus (arXiv 1311.2901), on the words of a text or the texts of a window.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from shared.examples import AnomalyExample, AnomalyPrediction, Part

PARTS_SHOWN = 3


@dataclass(frozen=True)
class Occlusion:
    """See `shared.contracts.Inspector`; a text has at most `max_parts` parts, runs of words in a long one."""

    max_parts: int

    def key(self, example: AnomalyExample) -> Hashable:
        """Return the texts: whatever has the same ones has the same answer."""
        return example.texts

    def probes(
        self, examples: Sequence[AnomalyExample], predictions: Sequence[AnomalyPrediction]
    ) -> list[AnomalyExample]:
        """Return each alarm's example without one of its parts, for every part."""
        return [
            replace(example, id=f"{example.id}#{start}", texts=self._without(example, start, end))
            for example, prediction in zip(examples, predictions, strict=True)
            if prediction.alarm
            for start, end in self._parts(example)
        ]

    def explain(
        self,
        examples: Sequence[AnomalyExample],
        predictions: Sequence[AnomalyPrediction],
        probed: Sequence[AnomalyPrediction],
    ) -> list[AnomalyPrediction]:
        """Return the predictions, each alarm with the parts whose absence lowers its score most."""
        answers, found = iter(probed), []
        for example, prediction in zip(examples, predictions, strict=True):
            if prediction.alarm and prediction.reasons is not None:
                parts = [
                    Part(start, end, prediction.score - next(answers).score)
                    for start, end in self._parts(example)
                ]
                raising = sorted((part for part in parts if part.rise > 0), key=lambda part: -part.rise)
                reasons = replace(prediction.reasons, parts=tuple(raising[:PARTS_SHOWN]))
                found.append(replace(prediction, reasons=reasons))
            else:
                found.append(prediction)
        return found

    def _parts(self, example: AnomalyExample) -> list[tuple[int, int]]:
        """Return the parts as offsets in `example.text`: the texts of a window, or the words of one text."""
        if len(example.texts) > 1:
            return [match.span() for match in _LINE.finditer(example.text)]
        spans = [match.span() for match in _WORD.finditer(example.text)]
        size = -(-len(spans) // self.max_parts) or 1
        return [
            (spans[first][0], spans[min(first + size, len(spans)) - 1][1])
            for first in range(0, len(spans), size)
        ]

    def _without(self, example: AnomalyExample, start: int, end: int) -> tuple[str, ...]:
        """Return the example's texts without the part; its place between blanks is kept."""
        rest = example.text[:start] + example.text[end:]
        if len(example.texts) > 1:
            return tuple(line for line in rest.split("\n") if line)
        return (rest,)


_WORD = re.compile(r"\S+")
_LINE = re.compile(r"[^\n]+")
