"""Entities: asked for as a list of words with their labels, read into spans of characters."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared.contracts import Types
from shared.errors import UserError, suggest
from shared.examples import Span, SpanExample, SpanPrediction
from shared.labelling.contracts import Agreement, Form, Merged, Prompt, Reading, Unreadable

Key = tuple[int, int, str]

MAJORITY = 0.5  # of the answers must have more than this share of a span: such spans never overlap
_QUOTES = str.maketrans("“”„‘’‚", "\"\"\"'''")


@dataclass(frozen=True)
class SpanForm:
    """Spans with a label; a teacher names the words, in the order of the text, each mention by itself."""

    prompt: Prompt
    definitions: dict[str, str]  # label -> what it means, where its name does not say it
    types: dict[str, Any] = field(default_factory=dict)

    def bind(self, types: Types) -> Form:
        """Return the form for these labels; a definition of another label is a `UserError`."""
        if unknown := [label for label in self.definitions if label not in types]:
            raise UserError(
                f"form.definitions.{unknown[0]} is no label{suggest(unknown[0], types)}; "
                f"labels: {', '.join(types)}"
            )
        return replace(self, types=dict(types))

    def labels(self) -> list[dict[str, str]]:
        """Return the labels with their definition, or their name in words."""
        return [
            {"name": label, "meaning": self.definitions.get(label, str(name)), "group": ""}
            for label, name in self.types.items()
        ]

    def shown(self, example: SpanExample) -> dict[str, Any]:
        """Return the text."""
        return {"text": example.text}

    def schema(self, example: SpanExample) -> dict[str, Any]:
        """Return {"entities": [{"text", "label"}]}."""
        entity = {
            "type": "object",
            "properties": {"text": {"type": "string"}, "label": {"type": "string", "enum": list(self.types)}},
            "required": ["text", "label"],
            "additionalProperties": False,
        }
        return {
            "type": "object",
            "properties": {"entities": {"type": "array", "items": entity}},
            "required": ["entities"],
            "additionalProperties": False,
        }

    def written(self, example: SpanExample, prediction: SpanPrediction) -> dict[str, Any]:
        """Return the mentions in their order."""
        return {
            "entities": [
                {"text": example.text[span.start : span.end], "label": span.label}
                for span in prediction.spans
            ]
        }

    def read(self, value: Any, example: SpanExample) -> Reading:
        """Return the spans of the mentions that are in the text, at the bounds of words.

        Mentions are found in the order they are named, each behind the one before, else at the first place
        that is free. Words that are named once and stand in the text several times are meant everywhere.
        """
        mentions = _mentions(value)
        faults: Counter[str] = Counter()
        known = []
        for words, label in mentions:
            if label in self.types:
                known.append((words, label))
            else:
                faults["unknown label"] += 1
        spans = _placed(known, example, faults)
        return Reading(SpanPrediction(example.id, tuple(spans)), {**faults})

    def merge(self, voices: Sequence[SpanPrediction], *, lead: SpanPrediction | None = None) -> Merged:
        """Return the spans that more than half of the answers have, or those of `lead`, with that share.

        An answer with a probability of its own for a span adds that, not 1. The doubt is the number of spans
        that a further answer is expected to differ by: min(p, 1 - p) of all spans that any has, where n
        answers with v votes for a span leave p = (v + 1/2) / (n + 1) to be expected (Jeffreys' prior).
        """
        votes: dict[Key, float] = {}
        for span in (span for voice in voices for span in voice.spans):
            sure = 1.0 if span.probability is None else span.probability
            votes[span.key] = votes.get(span.key, 0.0) + sure
        shares = {key: vote / len(voices) for key, vote in votes.items()}
        given = lead.spans if lead else [Span(*key) for key, share in shares.items() if share > MAJORITY]
        spans = sorted((Span(*span.key, shares[span.key]) for span in given), key=lambda span: span.start)
        prediction = SpanPrediction(voices[0].id, tuple(spans))
        same = sum(voice.key == prediction.key for voice in voices) / len(voices)
        expected = [(vote + 0.5) / (len(voices) + 1) for vote in votes.values()]
        return Merged(replace(prediction, probability=same), same, sum(min(p, 1 - p) for p in expected))

    def editor(self, example: SpanExample, prediction: SpanPrediction) -> dict[str, Any]:
        """Return the text, its words and the spans."""
        spans = [[span.start, span.end, span.label, span.probability] for span in prediction.spans]
        return {"kind": "spans", "text": example.text, "words": example.words, "spans": spans}

    def edited(self, example: SpanExample, value: Any) -> SpanPrediction:
        """Return the spans of [[start, end, label], ...]."""
        if not isinstance(value, list):
            raise UserError(f"spans are {value!r}; allowed: a list of [start, end, label]")
        spans = sorted((self._span(one, example) for one in value), key=lambda span: span.start)
        for left, right in itertools.pairwise(spans):
            if right.start < left.end:
                raise UserError(
                    f"the spans {left.key} and {right.key} overlap; allowed: one label for a word"
                )
        return SpanPrediction(example.id, tuple(spans))

    def blank(self, example: SpanExample) -> SpanExample:
        """Return the example without its spans."""
        return replace(example, spans=())

    def labelled(self, example: SpanExample, prediction: SpanPrediction) -> SpanExample:
        """Return the example with these spans, without their probabilities."""
        return replace(example, spans=tuple(Span(*span.key) for span in prediction.spans))

    def agreement(self, pairs: Sequence[tuple[SpanPrediction, SpanPrediction]]) -> list[Agreement]:
        """Return the strict F1 of one by the other, which is the same either way."""
        return [_f1(pairs, label) for label in ("", *self.types)]

    def _span(self, given: Any, example: SpanExample) -> Span:
        starts, ends = {start for start, _ in example.words}, {end for _, end in example.words}
        if not isinstance(given, list) or len(given) < 3:
            raise UserError(f"span {given!r}; allowed: [start, end, label]")
        start, end, label = given[:3]
        if start not in starts or end not in ends or start >= end:
            raise UserError(f"span {start!r} to {end!r}; allowed: from the start of a word to the end of one")
        if label not in self.types:
            raise UserError(f"label {label!r}; allowed: {', '.join(self.types)}")
        return Span(start, end, label)


def _mentions(value: Any) -> list[tuple[str, str]]:
    entities = value.get("entities") if isinstance(value, Mapping) else value
    if not isinstance(entities, list):
        raise Unreadable('no "entities" with a list')
    found = []
    for entity in entities:
        words, label = (
            (entity.get("text"), entity.get("label")) if isinstance(entity, Mapping) else (None, None)
        )
        if not isinstance(words, str) or not isinstance(label, str):
            raise Unreadable('an entity without "text" and "label"')
        found.append((words, label))
    return found


def _placed(mentions: Sequence[tuple[str, str]], example: SpanExample, faults: Counter[str]) -> list[Span]:
    """Return where the mentions are, without overlap, sorted; what has no place is counted."""
    times = Counter(mentions)
    taken: list[Span] = []
    behind = 0
    for words, label in mentions:
        places = list(_places(words, example))
        free = [place for place in places if not any(s.start < place[1] and place[0] < s.end for s in taken)]
        if not places:
            faults["not in the text"] += 1
        elif not free:
            faults["said twice or overlapping"] += 1
        else:
            ahead = [place for place in free if place[0] >= behind]
            first = (ahead or free)[0]
            everywhere = times[words, label] == 1
            chosen = free if everywhere else [first]
            faults["meant everywhere"] += len(chosen) - 1
            taken += [Span(*place, label) for place in chosen]
            behind = max(behind, first[1])
    if not faults["meant everywhere"]:
        del faults["meant everywhere"]
    return sorted(taken, key=lambda span: span.start)


def _places(words: str, example: SpanExample) -> Iterator[tuple[int, int]]:
    """Yield where the words stand, from the start of a word to the end of one; in any case if need be."""
    starts, ends = {start for start, _ in example.words}, {end for _, end in example.words}
    parts = [re.escape(part) for part in words.translate(_QUOTES).split()]
    if not parts:
        return
    pattern = r"\s+".join(parts)
    text = example.text.translate(_QUOTES)
    for flags in (0, re.IGNORECASE):
        found = [match.span() for match in re.finditer(pattern, text, flags)]
        fitting = [place for place in found if place[0] in starts and place[1] in ends]
        if fitting:
            yield from fitting
            return


def _f1(pairs: Sequence[tuple[SpanPrediction, SpanPrediction]], label: str) -> Agreement:
    both = total = 0
    for left, right in pairs:
        one, other = _keys(left, label), _keys(right, label)
        both, total = both + len(one & other), total + len(one) + len(other)
    return Agreement("F1", label, 2 * both / total if total else None, total)


def _keys(prediction: SpanPrediction, label: str) -> set[Key]:
    return {span.key for span in prediction.spans if not label or span.label == label}
