"""Strict entity F1: a span counts only if both ends and its label are right, as in seqeval's strict IOB2.

No gold and no prediction give 0 for precision, recall and F1, as in seqeval with `zero_division=0`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from shared.contracts import Score, Trial, Trials
from shared.examples import Span, SpanExample, SpanPrediction, aligned
from shared.sums import bootstrapped, divided

if TYPE_CHECKING:
    from shared.intervals import Array, Statistic
    from shared.record import Counts

COLUMNS = ["tp", "predicted", "gold"]
MISSED, SPURIOUS, BOUNDARY = "missed", "spurious", "wrong boundary"


@dataclass(frozen=True)
class EntityF1:
    """Micro F1 over all spans, beside it per type, macro, and the softer partial and type-only scores."""

    version: ClassVar[str] = "1"
    main: ClassVar[str] = "f1"

    def bind(self, types: Mapping[str, Any]) -> EntityF1:
        """Return the metric itself: spans carry their labels."""
        return self

    def quick(self, examples: Sequence[SpanExample], predictions: Sequence[SpanPrediction]) -> float:
        """Return micro F1."""
        right = predicted = gold = 0
        for example, prediction in aligned(examples, predictions):
            expected, found = _keys(example.spans), _keys(prediction.spans)
            right += len(expected & found)
            predicted += len(found)
            gold += len(expected)
        return 2 * right / (predicted + gold) if predicted + gold else 0.0

    def score(
        self, examples: Sequence[SpanExample], predictions: Sequence[SpanPrediction]
    ) -> dict[str, Score]:
        """Return every score by name, with its 95 % interval over documents.

        They are f1, precision and recall (micro), the same per type as f1/PER, and macro_f1 over the types in
        gold or predictions; partial_f1 and type_f1 are nervaluate's and have no interval.
        """
        counts = self.counts(examples, predictions)
        scores = bootstrapped(list(counts.rows.values()), _statistics(counts.groups))
        for name, value in _soft_scores(examples, predictions, labels=counts.groups).items():
            scores[name] = Score(value)
        return scores

    def counts(self, examples: Sequence[SpanExample], predictions: Sequence[SpanPrediction]) -> Counts:
        """Return true positives, predicted and gold spans by document and type.

        Types are those of gold, sorted, then those only predicted.
        """
        from shared.record import Counts

        pairs = aligned(examples, predictions)
        in_gold = {span.label for example, _ in pairs for span in example.spans}
        predicted = {span.label for _, prediction in pairs for span in prediction.spans}
        labels = [*sorted(in_gold), *sorted(predicted - in_gold)]
        rows = {example.document: [0.0] * (3 * len(labels)) for example in examples}
        for example, prediction in pairs:
            row = rows[example.document]
            expected, found = _keys(example.spans), _keys(prediction.spans)
            for column, keys in enumerate((expected & found, found, expected)):
                for _, _, label in keys:
                    row[3 * labels.index(label) + column] += 1
        return Counts(groups=labels, columns=COLUMNS, rows=rows)

    def main_statistic(self) -> Statistic:
        """Return the main score as a function of summed counts (..., 3 x types)."""
        return micro_f1

    def trials(self, examples: Sequence[SpanExample], predictions: Sequence[SpanPrediction]) -> Trials:
        """Return each predicted span and each text that has a probability.

        A span is right where gold has the same ends and label, a text where its spans are gold's.
        """
        pairs = aligned(examples, predictions)
        spans = [
            Trial(example.document, span.probability, span.key in gold, raw=span.raw_probability)
            for example, prediction in pairs
            for gold in [_keys(example.spans)]
            for span in prediction.spans
            if span.probability is not None
        ]
        texts = [
            Trial(
                example.document,
                prediction.probability,
                _keys(example.spans) == _keys(prediction.spans),
                raw=prediction.raw_probability,
            )
            for example, prediction in pairs
            if prediction.probability is not None
        ]
        return {unit: trials for unit, trials in (("spans", spans), ("texts", texts)) if trials}

    def wrong(
        self, examples: Sequence[SpanExample], predictions: Sequence[SpanPrediction]
    ) -> Iterator[dict[str, Any]]:
        """Yield id, text, missed and spurious spans of each example that is not wholly right."""
        for example, prediction in aligned(examples, predictions):
            expected, found = _keys(example.spans), _keys(prediction.spans)
            if expected != found:
                yield {
                    "id": example.id,
                    "text": example.text,
                    "missed": [_shown(example.text, span) for span in example.spans if span.key not in found],
                    "spurious": [
                        _shown(example.text, span) for span in prediction.spans if span.key not in expected
                    ],
                }

    def details(self, examples: Sequence[SpanExample], predictions: Sequence[SpanPrediction]) -> str:
        """Return the confusion table: gold types down, what was answered across."""
        from tabulate import tabulate

        table = self.confusion(examples, predictions)
        types = sorted({name for pair in table for name in pair} - {MISSED, SPURIOUS, BOUNDARY})
        across = [*types, BOUNDARY, MISSED]
        rows = [[gold, *(table[gold, found] for found in across)] for gold in (*types, SPURIOUS)]
        return str(tabulate(rows, headers=["gold", *across]))

    def confusion(
        self, examples: Sequence[SpanExample], predictions: Sequence[SpanPrediction]
    ) -> Counter[tuple[str, str]]:
        """Return how often gold (first) was answered by (second).

        The second is a type on the same span, a wrong boundary (an overlapping span) or missed; a predicted
        span that overlaps no gold is (spurious, its type).
        """
        table: Counter[tuple[str, str]] = Counter()
        for example, prediction in aligned(examples, predictions):
            for span in example.spans:
                same = [found.label for found in prediction.spans if found.key[:2] == span.key[:2]]
                touching = any(_overlap(span, found) for found in prediction.spans)
                table[span.label, same[0] if same else BOUNDARY if touching else MISSED] += 1
            for found in prediction.spans:
                if not any(_overlap(found, span) for span in example.spans):
                    table[SPURIOUS, found.label] += 1
        return table


def micro_f1(summed: Array) -> Array:
    """Return F1 over all types from summed counts (..., 3 x types)."""
    return _f1(*(summed[..., column::3].sum(axis=-1) for column in range(3)))


def _statistics(labels: Sequence[str]) -> dict[str, Statistic]:
    def macro(summed: Array) -> Array:
        parts = [
            _f1(*(summed[..., 3 * index + column] for column in range(3))) for index in range(len(labels))
        ]
        mean: Array = sum(parts[1:], parts[0]) / len(parts)
        return mean

    statistics: dict[str, Statistic] = {
        "f1": micro_f1,
        "precision": lambda summed: divided(summed[..., 0::3].sum(-1), summed[..., 1::3].sum(-1)),
        "recall": lambda summed: divided(summed[..., 0::3].sum(-1), summed[..., 2::3].sum(-1)),
    }
    if labels:
        statistics["macro_f1"] = macro
    for index, label in enumerate(labels):
        at = 3 * index
        statistics[f"f1/{label}"] = lambda s, at=at: _f1(s[..., at], s[..., at + 1], s[..., at + 2])  # type: ignore[misc]
        statistics[f"precision/{label}"] = lambda s, at=at: divided(s[..., at], s[..., at + 1])  # type: ignore[misc]
        statistics[f"recall/{label}"] = lambda s, at=at: divided(s[..., at], s[..., at + 2])  # type: ignore[misc]
    return statistics


def _soft_scores(
    examples: Sequence[SpanExample], predictions: Sequence[SpanPrediction], *, labels: Sequence[str]
) -> dict[str, float]:
    from nervaluate import Evaluator

    pairs = aligned(examples, predictions)
    if not labels:
        return {"partial_f1": 0.0, "type_f1": 0.0}
    gold = [[_row(span) for span in example.spans] for example, _ in pairs]
    found = [[_row(span) for span in prediction.spans] for _, prediction in pairs]
    overall = Evaluator(gold, found, tags=list(labels), loader="dict").evaluate()["overall"]
    return {"partial_f1": float(overall["partial"].f1), "type_f1": float(overall["ent_type"].f1)}


def _row(span: Span) -> dict[str, Any]:
    return {"label": span.label, "start": span.start, "end": span.end - 1}  # nervaluate's ends are inclusive


def _keys(spans: Sequence[Span]) -> set[tuple[int, int, str]]:
    return {span.key for span in spans}


def _shown(text: str, span: Span) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "label": span.label, "text": text[span.start : span.end]}


def _overlap(left: Span, right: Span) -> bool:
    return left.start < right.end and right.start < left.end


def _f1(right: Array, predicted: Array, gold: Array) -> Array:
    return divided(2 * right, predicted + gold)
