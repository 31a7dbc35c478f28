"""What a person looks at after the scores: wrong examples, the worst concepts, the commonest confusions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from shared.ontology import Cardinality, Ontology
from tasks.ontology.calibration import COVERAGES, risk_coverage
from tasks.ontology.counting import class_counts
from tasks.ontology.judged import Judged, Pairs, judged, of_facet
from tasks.ontology.scores import macro_f1

NUM_SHOWN = 10
NOTHING, ABSTAINED = "(none)", "(no answer)"


def wrong_rows(pairs: Pairs, *, ontology: Ontology) -> Iterator[dict[str, Any]]:
    """Yield a row for each example whose labelled concepts are not all right; numbers are never wrong.

    An abstained facet has its reason, and the guess that was not given as its answer.
    """
    rows = {example.document: 0 for example, _ in pairs}
    for (example, _), own in zip(pairs, judged(ontology.facets, pairs, rows=rows), strict=True):
        wrong = [item for item in own if item.value is None and not item.right]
        if wrong:
            pair = {"pair": example.pair} if example.pair else {}
            facets = {item.facet.id: _shown(item, ontology) for item in wrong}
            yield {"id": example.id, "text": example.text, **pair, "facets": facets}


def details_text(pairs: Pairs, *, ontology: Ontology) -> str:
    """Return a page of text, facet by facet; facets that are numbers are left out."""
    rows = {example.document: 0 for example, _ in pairs}
    items = judged(ontology.facets, pairs, rows=rows)
    return "\n\n".join(
        _facet_text(own, ontology)
        for facet in ontology.facets
        if facet.cardinality is not Cardinality.number and (own := of_facet(facet, items))
    )


def confusions(items: Sequence[Judged]) -> Counter[tuple[str, str]]:
    """Return how often gold (first) was wrongly answered by (second)."""
    return Counter((_names(item.gold), _answer(item)) for item in items if not item.right)


def _shown(item: Judged, ontology: Ontology) -> dict[str, Any]:
    return {
        "gold": list(item.gold),
        "answer": list(item.answer.concepts),
        "path": [ontology.path(concept) for concept in item.answer.concepts],
        **({"abstained": item.answer.abstained} if item.answer.abstained else {}),
    }


def _facet_text(items: Sequence[Judged], ontology: Ontology) -> str:
    from tabulate import tabulate

    worst = tabulate(_worst(items, ontology), headers=["concept", "F1", "gold", "predicted"], floatfmt=".3f")
    confused = [(gold, given, count) for (gold, given), count in confusions(items).most_common(NUM_SHOWN)]
    parts = [items[0].facet.label, f"worst concepts\n{worst}"]
    if confused:
        parts.append(f"commonest confusions\n{tabulate(confused, headers=['gold', 'answer', 'texts'])}")
    if items[0].facet.single and (accuracies := risk_coverage(items)):
        headers = [f"{coverage:.0%}" for coverage in COVERAGES]
        row = tabulate([accuracies], headers=headers, floatfmt=".3f")
        parts.append(f"accuracy of the surest guesses, by share of texts in scope\n{row}")
    return "\n\n".join(parts)


def _worst(items: Sequence[Judged], ontology: Ontology) -> list[tuple[str, float, int, int]]:
    """Return concept, F1, gold and predicted of the lowest F1s, the more frequent one first in a tie."""
    table = class_counts(items, ontology=ontology, num_rows=1)
    by_class = table.values.reshape(len(table.groups), -1)
    rows = [
        (group.split("/", 1)[1], float(macro_f1(counts)), int(counts[2]), int(counts[1]))
        for group, counts in zip(table.groups, by_class, strict=True)
    ]
    return sorted(rows, key=lambda row: (row[1], -row[2], row[0]))[:NUM_SHOWN]


def _names(concepts: Sequence[str]) -> str:
    return ", ".join(sorted(concepts)) or NOTHING


def _answer(item: Judged) -> str:
    return _names(item.answer.concepts) if item.answered else ABSTAINED
