"""Which passages answer a query: asked for as the numbers of those that do, best first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared.contracts import Types
from shared.errors import UserError
from shared.labelling.contracts import Agreement, Form, Merged, Prompt, Reading, Unreadable, named_types
from shared.labelling.voting import expected, kappa
from shared.passages import RankingExample, RankingPrediction

MAJORITY = 0.5  # of the answers must name a passage


@dataclass(frozen=True)
class RelevanceForm:
    """The relevant ones of the passages that a query comes with."""

    prompt: Prompt
    types: dict[str, Any] = field(default_factory=dict)

    def bind(self, types: Types) -> Form:
        """Return the form."""
        return replace(self, types=dict(types))

    def labels(self) -> list[dict[str, str]]:
        """Return the one thing there is to say of a passage."""
        return named_types(self.types)

    def shown(self, example: RankingExample) -> dict[str, Any]:
        """Return the query and its passages, numbered from 1."""
        passages = [
            {"number": number, "text": passage.whole}
            for number, passage in enumerate(example.passages, start=1)
        ]
        return {"text": example.text, "passages": passages}

    def schema(self, example: RankingExample) -> dict[str, Any]:
        """Return {"relevant": [numbers]}."""
        number = {"type": "integer", "minimum": 1, "maximum": max(len(example.passages), 1)}
        return {
            "type": "object",
            "properties": {"relevant": {"type": "array", "items": number}},
            "required": ["relevant"],
            "additionalProperties": False,
        }

    def written(self, example: RankingExample, prediction: RankingPrediction) -> dict[str, Any]:
        """Return the numbers of the relevant passages that are shown."""
        numbers = {passage.id: number for number, passage in enumerate(example.passages, start=1)}
        return {"relevant": [numbers[name] for name in prediction.ranked if name in numbers]}

    def read(self, value: Any, example: RankingExample) -> Reading:
        """Return the passages of the numbers; another number is counted and left out."""
        given = value.get("relevant") if isinstance(value, Mapping) else None
        if not isinstance(given, list):
            raise Unreadable('no "relevant" with a list of numbers')
        numbers = [one for one in given if type(one) is int and 1 <= one <= len(example.passages)]
        ranked = tuple(dict.fromkeys(example.passages[number - 1].id for number in numbers))
        faults = Counter({"no number of a passage": len(given) - len(numbers)})
        prediction = RankingPrediction(example.id, ranked, nothing=not ranked)
        return Reading(prediction, {**+faults})

    def merge(self, voices: Sequence[RankingPrediction], *, lead: RankingPrediction | None = None) -> Merged:
        """Return the passages that more than half of the answers name, or `lead`'s, by that share.

        The doubt is the number of passages that a further answer is expected to differ in.
        """
        votes = Counter(name for voice in voices for name in set(voice.ranked))
        most = [name for name, count in votes.most_common() if count > MAJORITY * len(voices)]
        ranked = lead.ranked if lead else tuple(most)
        shares = tuple(votes[name] / len(voices) for name in ranked)
        prediction = RankingPrediction(voices[0].id, ranked, probabilities=shares, nothing=not ranked)
        chances = [expected(count, len(voices)) for count in votes.values()]
        same = sum(set(voice.ranked) == set(ranked) for voice in voices) / len(voices)
        return Merged(prediction, same, sum(min(p, 1 - p) for p in chances))

    def editor(self, example: RankingExample, prediction: RankingPrediction) -> dict[str, Any]:
        """Return the query and its passages, with those that are chosen."""
        passages = [{"name": passage.id, "label": passage.whole} for passage in example.passages]
        facet = {
            "name": "relevant",
            "label": "Which passages answer it?",
            "kind": "any number",
            "options": passages,
            "answered": True,
            "chosen": list(prediction.ranked),
            "value": None,
            "probability": None,
        }
        return {"kind": "facets", "text": example.text, "pair": "", "facets": [facet]}

    def edited(self, example: RankingExample, value: Any) -> RankingPrediction:
        """Return the passages of {"relevant": [ids]}."""
        given = value.get("relevant") if isinstance(value, Mapping) else None
        known = {passage.id for passage in example.passages}
        if not isinstance(given, list) or not set(given) <= known:
            raise UserError(f"relevant is {given!r}; allowed: ids of the passages")
        return RankingPrediction(example.id, tuple(given), nothing=not given)

    def blank(self, example: RankingExample) -> RankingExample:
        """Return the example without judgements."""
        return replace(example, grades={})

    def labelled(self, example: RankingExample, prediction: RankingPrediction) -> RankingExample:
        """Return the example with grade 1 for the relevant passages, 0 for the others that were shown."""
        grades = {passage.id: int(passage.id in prediction.ranked) for passage in example.passages}
        return replace(example, grades=grades)

    def agreement(self, pairs: Sequence[tuple[RankingPrediction, RankingPrediction]]) -> list[Agreement]:
        """Return Cohen's kappa over the passages that either named."""
        words = []
        for left, right in pairs:
            named = {*left.ranked, *right.ranked}
            words += [(str(name in left.ranked), str(name in right.ranked)) for name in sorted(named)]
        return [kappa("", words)]
