"""Why a text is odd: each part is left out in turn, and those whose absence lowers the score are named.

Occlusion as in Zeiler and Fergus (arXiv 1311.2901), on the words of a text or the texts of a window. A text
without one of its words is odd for that alone, so a part's rise is by how much its absence lowers the score
more than that of the median part.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from shared.examples import AnomalyExample, AnomalyPrediction, Part

PARTS_SHOWN = 3
ROUNDING = 1e-3  # scores so near are equal: padding, and a merged LoRA, move those of the same text a little


@dataclass(frozen=True)
class Occlusion:
    """See `shared.contracts.Inspector`; a text has at most `max_parts` parts, runs of words in a long one.

    `blank` stands where words are left out: the unknown token of the encoder's tokenizer.
    """

    max_parts: int
    blank: str

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
        """Return the predictions, each alarm with the parts whose absence lowers its score most.

        A text of one part has none beside it, and none is named.
        """
        answers, found = iter(probed), []
        for example, prediction in zip(examples, predictions, strict=True):
            if prediction.alarm and prediction.reasons is not None:
                scores = [(next(answers).score, span) for span in self._parts(example)]
                usual = median(score for score, _ in scores) if scores else 0.0
                parts = [Part(*span, usual - score) for score, span in scores]
                raising = sorted(
                    (part for part in parts if part.rise > ROUNDING), key=lambda part: -part.rise
                )
                reasons = replace(prediction.reasons, parts=tuple(raising[:PARTS_SHOWN]))
                found.append(replace(prediction, reasons=reasons))
            else:
                found.append(prediction)
        return found

    def _parts(self, example: AnomalyExample) -> list[tuple[int, int]]:
        """Return the parts as offsets in `example.text`: the texts of a window, or the words of one text.

        Equal texts are one part: without one of two that are equally odd the score would stay.
        """
        if len(example.texts) > 1:
            return _first_places(example.texts)
        spans = [match.span() for match in _WORD.finditer(example.text)]
        size = -(-len(spans) // self.max_parts) or 1
        return [
            (spans[first][0], spans[min(first + size, len(spans)) - 1][1])
            for first in range(0, len(spans), size)
        ]

    def _without(self, example: AnomalyExample, start: int, end: int) -> tuple[str, ...]:
        """Return the example's texts without the part; of a window of equal texts an empty one is left."""
        if len(example.texts) > 1:
            part = example.text[start:end]
            return tuple(text for text in example.texts if text != part) or ("",)
        return (example.text[:start] + self.blank + example.text[end:],)


_WORD = re.compile(r"\S+")


def _first_places(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Return where each different text stands first in the texts, one a line."""
    first: dict[str, tuple[int, int]] = {}
    start = 0
    for text in texts:
        first.setdefault(text, (start, start + len(text)))
        start += len(text) + 1
    return list(first.values())
