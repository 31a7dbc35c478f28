"""Slices of a split, the parts that a mean can hide: by label, by length, by the source of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.contracts import Examples
from shared.examples import AnomalyExample, FacetPrediction, SpanPrediction

if TYPE_CHECKING:
    from shared.intervals import Array

LABEL, LENGTH, SOURCE = "label", "length", "source"
KINDS = (LABEL, LENGTH, SOURCE)
COLUMNS = ["right", "given", "gold"]  # answers with a label
SHORTEST_BAND = 10  # words; each further band ends at twice as many

Tally = tuple[float, float, float]  # COLUMNS of one example
Labelled = set[tuple[str, Any]]  # (label, what else makes the answer right)


@dataclass(frozen=True)
class Slice:
    """Examples that share a label of gold, a band of lengths, or a source; `ids` are theirs."""

    kind: str  # one of KINDS
    name: str
    ids: frozenset[str]

    @property
    def title(self) -> str:
        """The kind and the name."""
        return f"{self.kind} {self.name}"


def find_slices(examples: Examples, kinds: Sequence[str]) -> list[Slice]:
    """Return the slices of these kinds, each kind's in the order of the examples.

    A label is that of a span, `facet/concept`, or the kind of an anomaly. Lengths are words of the text, in
    bands of 1-10, 11-20, 21-40 and so on. A source is the document's name without the number it ends with,
    such as `wire` of `wire-17`. Lengths or sources that are one for all examples are left out.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for example in examples:
        for kind in kinds:
            for name in _names(example, kind):
                found.setdefault((kind, name), []).append(example.id)
    slices = [Slice(kind, name, frozenset(ids)) for (kind, name), ids in found.items()]
    whole = {part.kind for part in slices if len(part.ids) == len(examples)}
    return [part for part in slices if part.kind == LABEL or part.kind not in whole]


def tally_labels(example: Any, prediction: Any) -> dict[str, Tally]:
    """Return by label how many of the answers with it are right, given and gold.

    Of a facet that was not labelled no answer counts. An alarm has no kind: it is right or not for that of
    gold.
    """
    if isinstance(example, AnomalyExample):
        right = float(example.anomalous == prediction.alarm)
        return dict.fromkeys(_names(example, LABEL), (right, 1.0, 1.0))
    gold = _labelled(example.gold())
    if isinstance(prediction, FacetPrediction):
        facets = {name: prediction.facets[name] for name in example.labels if name in prediction.facets}
        prediction = FacetPrediction(prediction.id, facets)
    given = _labelled(prediction)
    return {
        label: (
            float(len(_only(gold & given, label))),
            float(len(_only(given, label))),
            float(len(_only(gold, label))),
        )
        for label in dict.fromkeys(label for label, _ in gold | given)
    }


def label_f1(summed: Array) -> Array:
    """Return the F1 of one label from summed counts (..., COLUMNS); 0 where nothing is given or gold."""
    from shared.sums import divided

    return divided(2 * summed[..., 0], summed[..., 1] + summed[..., 2])


def _names(example: Any, kind: str) -> Iterator[str]:
    """Yield the names of the slices of a kind that the example is in, each once."""
    if kind == LABEL:
        yield from _label_names(example)
    elif kind == LENGTH:
        yield _band(len(example.text.split()))
    elif source := re.sub(r"[\W_]*\d+$", "", example.document):
        yield source


def _label_names(example: Any) -> list[str]:
    if isinstance(example, AnomalyExample):
        if example.anomalous is None:
            return []
        return [(example.kind or "anomalous") if example.anomalous else "normal"]
    return sorted({label for label, _ in _labelled(example.gold())})


def _labelled(answer: Any) -> Labelled:
    """Return the labelled parts of an answer; those of an order, a summary or a query are none."""
    if isinstance(answer, SpanPrediction):
        return {(span.label, (span.start, span.end)) for span in answer.spans}
    if isinstance(answer, FacetPrediction):
        return {
            (f"{name}/{concept}", None) for name, facet in answer.facets.items() for concept in facet.given
        }
    return set()


def _only(labelled: Labelled, label: str) -> Labelled:
    return {item for item in labelled if item[0] == label}


def _band(num_words: int) -> str:
    first, last = 1, SHORTEST_BAND
    while num_words > last:
        first, last = last + 1, 2 * last
    return f"{first}-{last} words"
