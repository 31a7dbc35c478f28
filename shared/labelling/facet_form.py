"""Concepts of an ontology: asked for facet by facet, read so that nothing contradicts itself."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from shared.contracts import Types
from shared.errors import UserError, few, suggest
from shared.examples import FacetAnswer, FacetExample, FacetPrediction, Span
from shared.labelling.contracts import Agreement, Form, Merged, Prompt, Reading, Unreadable
from shared.labelling.voting import expected, kappa
from shared.ontology import Cardinality, Facet, Ontology, read_ontology_row

NONE = "none"  # said of a facet that the text has no concept of


@dataclass(frozen=True)
class FacetForm:
    """A concept, or several, or a number for each facet of the ontology."""

    prompt: Prompt
    types: dict[str, Any] = field(default_factory=dict)

    def bind(self, types: Types) -> Form:
        """Return the form for this ontology."""
        return replace(self, types=dict(types))

    @cached_property
    def ontology(self) -> Ontology:
        """The ontology."""
        return read_ontology_row(self.types)

    def labels(self) -> list[dict[str, str]]:
        """Return the concepts by facet, with the label or definition that says what they mean."""
        kinds = {facet.id: _KINDS[facet.cardinality] for facet in self.ontology.facets}
        own = [
            {
                "name": concept.id,
                "meaning": concept.text,
                "group": concept.facet,
                "kind": kinds[concept.facet],
            }
            for concept in self.ontology.concepts
        ]
        numbers = [facet for facet in self.ontology.facets if facet.cardinality is Cardinality.number]
        return own + [
            {"name": "", "meaning": facet.label, "group": facet.id, "kind": kinds[facet.id]}
            for facet in numbers
        ]

    def shown(self, example: FacetExample) -> dict[str, Any]:
        """Return the text with its marked stretches as <e1>...</e1>, and what it is paired with."""
        return {"text": _marked(example.text, example.marks), "pair": example.pair}

    def schema(self, example: FacetExample) -> dict[str, Any]:
        """Return an object with a key for each facet."""
        facets = {facet.id: self._schema(facet) for facet in self.ontology.facets}
        return {
            "type": "object",
            "properties": facets,
            "required": list(facets),
            "additionalProperties": False,
        }

    def written(self, example: FacetExample, prediction: FacetPrediction) -> dict[str, Any]:
        """Return the most specific concepts of each facet that is answered."""
        return {name: self._value(name, answer) for name, answer in prediction.facets.items()}

    def read(self, value: Any, example: FacetExample) -> Reading:
        """Return the facets whose concepts are known, most specific; what is unknown or too many is left out.

        A facet whose concepts exclude those of an earlier facet is left out as a whole.
        """
        if not isinstance(value, Mapping):
            raise Unreadable("no object with the facets")
        faults: Counter[str] = Counter(f"facet {key!r} unknown" for key in value if key not in self._facets)
        answers: dict[str, FacetAnswer] = {}
        for facet in self.ontology.facets:
            answer = self._read(facet, value[facet.id], faults) if facet.id in value else None
            if answer is None:
                faults["facet without an answer"] += 1
            elif self._excluded([*answers.values(), answer]):
                faults["concepts that exclude each other"] += 1
            else:
                answers[facet.id] = answer
        if not answers:
            raise Unreadable("no facet that can be read")
        return Reading(FacetPrediction(example.id, answers), {**faults})

    def merge(self, voices: Sequence[FacetPrediction], *, lead: FacetPrediction | None = None) -> Merged:
        """Return facet by facet what most answers say, or `lead`, with the share of answers that say it.

        The doubt is the number of facets that a further answer is expected to differ in.
        """
        names = dict.fromkeys(name for voice in ([lead] if lead else voices) for name in voice.facets)
        answers, doubt = {}, 0.0
        for name in names:
            given = [voice.facets[name] for voice in voices if name in voice.facets]
            chosen = lead.facets[name] if lead else _usual(given)
            same = sum(_alike(answer, chosen) for answer in given)
            answers[name] = replace(chosen, probability=same / len(given))
            doubt += 1 - expected(same, len(given))
        prediction = FacetPrediction(voices[0].id, answers)
        agreed = sum(voice.key == prediction.key for voice in voices) / len(voices)
        return Merged(prediction, agreed, doubt)

    def editor(self, example: FacetExample, prediction: FacetPrediction) -> dict[str, Any]:
        """Return the text, and the concepts of each facet with those that are chosen."""
        facets = []
        for facet in self.ontology.facets:
            answer = prediction.facets.get(facet.id, FacetAnswer())
            concepts = [self.ontology.concepts[place] for place in self.ontology.by_facet[facet.id]]
            facets.append(
                {
                    "name": facet.id,
                    "label": facet.label,
                    "kind": _KINDS[facet.cardinality],
                    "options": [{"name": one.id, "label": one.label} for one in concepts],
                    "answered": facet.id in prediction.facets,
                    "chosen": list(answer.concepts),
                    "value": answer.value,
                    "probability": answer.probability,
                }
            )
        shown = self.shown(example)
        return {"kind": "facets", "text": shown["text"], "pair": shown["pair"], "facets": facets}

    def edited(self, example: FacetExample, value: Any) -> FacetPrediction:
        """Return the facets of {facet: [concept, ...] or a number or null}."""
        if not isinstance(value, Mapping):
            raise UserError(
                f"facets are {value!r}; allowed: an object with a list of concepts for each facet"
            )
        faults: Counter[str] = Counter()
        answers = {}
        for name, given in value.items():
            if name not in self._facets:
                raise UserError(f"facet {name!r} is unknown{suggest(name, self._facets)}")
            if given is None:
                continue
            answer = self._read(self._facets[name], given, faults)
            if answer is None or faults:
                raise UserError(f"{name} is {given!r}; allowed: {self._allowed(self._facets[name])}")
            answers[name] = answer
        if self._excluded(list(answers.values())):
            raise UserError("the concepts exclude each other")
        return FacetPrediction(example.id, answers)

    def blank(self, example: FacetExample) -> FacetExample:
        """Return the example without labels."""
        return replace(example, labels={}, values={})

    def labelled(self, example: FacetExample, prediction: FacetPrediction) -> FacetExample:
        """Return the example with these concepts and numbers."""
        labels = {name: one.given for name, one in prediction.facets.items() if one.value is None}
        values = {name: one.value for name, one in prediction.facets.items() if one.value is not None}
        return replace(example, labels=labels, values=values)

    def agreement(self, pairs: Sequence[tuple[FacetPrediction, FacetPrediction]]) -> list[Agreement]:
        """Return Cohen's kappa of each facet's answers as wholes, and over all facets together."""
        sides: dict[str, list[tuple[str, str]]] = {}
        for left, right in pairs:
            for name in left.facets.keys() & right.facets.keys():
                words = tuple(f"{name}:{_word(side.facets[name])}" for side in (left, right))
                sides.setdefault(name, []).append((words[0], words[1]))
        everything = [pair for own in sides.values() for pair in own]
        return [kappa("", everything), *(kappa(name, own) for name, own in sorted(sides.items()))]

    @cached_property
    def _facets(self) -> dict[str, Facet]:
        return {facet.id: facet for facet in self.ontology.facets}

    def _names(self, facet: Facet) -> list[str]:
        return [self.ontology.concepts[place].id for place in self.ontology.by_facet[facet.id]]

    def _allowed(self, facet: Facet) -> str:
        names = self._names(facet)
        return (
            "a number"
            if facet.cardinality is Cardinality.number
            else f"{_KINDS[facet.cardinality]}: {few(names)}"
        )

    def _schema(self, facet: Facet) -> dict[str, Any]:
        if facet.cardinality is Cardinality.number:
            return {"type": "number"}
        names = self._names(facet)
        if facet.cardinality is Cardinality.any_number:
            return {"type": "array", "items": {"type": "string", "enum": names}}
        return {"type": "string", "enum": [*names, NONE]}

    def _value(self, name: str, answer: FacetAnswer) -> Any:
        if answer.value is not None:
            return answer.value
        if self._facets[name].cardinality is Cardinality.any_number:
            return list(answer.concepts)
        return answer.concepts[0] if answer.concepts else NONE

    def _read(self, facet: Facet, value: Any, faults: Counter[str]) -> FacetAnswer | None:
        if facet.cardinality is Cardinality.number:
            known = (
                isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
            )
            return FacetAnswer(value=float(value)) if known else None
        given = value if isinstance(value, list) else [value]
        names = [name for name in given if isinstance(name, str) and name != NONE]
        own = set(self._names(facet))
        faults["unknown concept"] += len(given) - given.count(NONE) - sum(name in own for name in names)
        faults += Counter()
        known_names = [name for name in names if name in own]
        if given and not known_names and NONE not in given:
            return None
        found = self.ontology.most_specific(known_names)
        if facet.single and len(found) > 1:
            faults["more than one concept"] += 1
            return None
        return FacetAnswer(concepts=found)

    def _excluded(self, answers: Sequence[FacetAnswer]) -> bool:
        chosen = [concept for answer in answers for concept in answer.concepts]
        named = frozenset[str]().union(*(self.ontology.closure[concept] for concept in chosen))
        return any(set(pair) <= named for pair in self.ontology.disjoint)


_KINDS = {
    Cardinality.exactly_one: "one",
    Cardinality.ordinal: "one",
    Cardinality.at_most_one: "one or none",
    Cardinality.any_number: "any number",
    Cardinality.number: "a number",
}


def _marked(text: str, marks: Sequence[Span]) -> str:
    for mark in sorted(marks, key=lambda mark: -mark.start):
        inside = text[mark.start : mark.end]
        text = f"{text[: mark.start]}<{mark.label}>{inside}</{mark.label}>{text[mark.end :]}"
    return text


def _word(answer: FacetAnswer) -> str:
    return ", ".join(sorted(answer.concepts)) if answer.value is None else f"{answer.value:.1f}"


def _alike(left: FacetAnswer, right: FacetAnswer) -> bool:
    return _word(left) == _word(right)


def _usual(answers: Sequence[FacetAnswer]) -> FacetAnswer:
    """Return the answer that most give, of numbers their median."""
    values = [answer.value for answer in answers if answer.value is not None]
    if values:
        return FacetAnswer(value=statistics.median(values))
    word, _ = Counter(_word(answer) for answer in answers).most_common(1)[0]
    return FacetAnswer(concepts=next(answer for answer in answers if _word(answer) == word).concepts)
