"""Lines of text, bullets of a summary or queries of a passage: asked for as a list."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from shared.contracts import Types
from shared.errors import UserError
from shared.examples import Bullet, SummaryExample, SummaryPrediction
from shared.labelling.contracts import Agreement, Form, Merged, Prompt, Reading, Unreadable, named_types
from shared.passages import QueryExample, QueryPrediction

Lines = tuple[str, ...]

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


class Kind(Enum):
    """What the lines are, and the key of the reply's list."""

    bullets = "bullets"
    queries = "queries"


@dataclass(frozen=True)
class LinesForm:
    """Several lines of free text for each text; of several answers, that which is most like the others."""

    prompt: Prompt
    kind: Kind
    types: dict[str, Any] = field(default_factory=dict)

    def bind(self, types: Types) -> Form:
        """Return the form."""
        return replace(self, types=dict(types))

    def labels(self) -> list[dict[str, str]]:
        """Return what is to be written."""
        return named_types(self.types)

    def shown(self, example: Any) -> dict[str, Any]:
        """Return the text."""
        return {"text": example.text}

    def schema(self, example: Any) -> dict[str, Any]:
        """Return {"bullets": [...]} or {"queries": [...]}."""
        lines = {"type": "array", "items": {"type": "string"}}
        return {
            "type": "object",
            "properties": {self.kind.value: lines},
            "required": [self.kind.value],
            "additionalProperties": False,
        }

    def written(self, example: Any, prediction: Any) -> dict[str, Any]:
        """Return the lines."""
        return {self.kind.value: list(self._lines(prediction))}

    def read(self, value: Any, example: Any) -> Reading:
        """Return the lines, each once; one with a number that the text does not have is counted."""
        given = value.get(self.kind.value) if isinstance(value, Mapping) else value
        if not isinstance(given, list) or not all(isinstance(line, str) for line in given):
            raise Unreadable(f'no "{self.kind.value}" with a list of texts')
        worded = [line for line in given if any(letter.isalnum() for letter in line)]
        lines = tuple(dict.fromkeys(" ".join(line.split()) for line in worded))
        if not lines:
            raise Unreadable("no line")
        faults: Counter[str] = Counter()
        if self.kind is Kind.bullets:
            known = set(_NUMBER.findall(example.text))
            faults["line with a number that is not in the text"] += sum(
                not set(_NUMBER.findall(line)) <= known for line in lines
            )
        faults["line said twice or without a word"] += len(given) - len(lines)
        return Reading(self._prediction(example.id, lines), {**+faults})

    def merge(self, voices: Sequence[Any], *, lead: Any = None) -> Merged:
        """Return the answer whose words are most like the others', or `lead`; the doubt says how unlike."""
        words = [Counter(" ".join(self._lines(voice)).lower().split()) for voice in voices]
        if lead is None:
            likeness = [sum(_overlap(one, other) for other in words) for one in words]
            lead = voices[likeness.index(max(likeness))]
        own = Counter(" ".join(self._lines(lead)).lower().split())
        alike = sum(_overlap(own, other) for other in words) / len(words)
        same = sum(voice.key == lead.key for voice in voices) / len(voices)
        return Merged(lead, same, 1 - alike)

    def editor(self, example: Any, prediction: Any) -> dict[str, Any]:
        """Return the text and the lines."""
        return {"kind": "lines", "text": example.text, "lines": list(self._lines(prediction))}

    def edited(self, example: Any, value: Any) -> Any:
        """Return the answer of a list of lines."""
        if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
            raise UserError(f"{self.kind.value} are {value!r}; allowed: a list of texts")
        lines = tuple(" ".join(line.split()) for line in value if line.strip())
        if not lines:
            raise UserError(f"there is no line; reject the text where it has no {self.kind.value}")
        return self._prediction(example.id, lines)

    def blank(self, example: Any) -> Any:
        """Return the example without its lines."""
        return replace(example, **{self.kind.value: ()})

    def labelled(self, example: Any, prediction: Any) -> SummaryExample | QueryExample:
        """Return the example with these lines."""
        found: SummaryExample | QueryExample = replace(example, **{self.kind.value: self._lines(prediction)})
        return found

    def agreement(self, pairs: Sequence[tuple[Any, Any]]) -> list[Agreement]:
        """Return the F1 of one's words by the other's."""
        both = total = 0
        for left, right in pairs:
            one, other = (Counter(" ".join(self._lines(side)).lower().split()) for side in (left, right))
            both, total = both + (one & other).total(), total + one.total() + other.total()
        return [Agreement("F1", "", 2 * both / total if total else None, total)]

    def _lines(self, prediction: Any) -> Lines:
        if isinstance(prediction, SummaryPrediction):
            return tuple(bullet.text for bullet in prediction.bullets)
        found: Lines = prediction.queries
        return found

    def _prediction(self, name: str, lines: Lines) -> SummaryPrediction | QueryPrediction:
        if self.kind is Kind.queries:
            return QueryPrediction(name, lines)
        return SummaryPrediction(name, tuple(Bullet(line) for line in lines))


def _overlap(left: Counter[str], right: Counter[str]) -> float:
    """Return the F1 of one's words by the other's; 1 of two answers without a word."""
    total = left.total() + right.total()
    return 2 * (left & right).total() / total if total else 1.0
