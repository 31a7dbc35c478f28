"""All scores with their intervals: blocks of counts side by side, so that one bootstrap serves them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from shared.contracts import Score
from shared.intervals import Array, SumStatistic
from shared.ontology import Cardinality, Facet, Ontology
from shared.sums import bootstrapped, brier, ece
from tasks.ontology import calibration, consistency, counting, scores
from tasks.ontology.judged import Judged, Pairs, judged, of_facet

_CONCEPTS: dict[Callable[..., counting.Table], dict[str, SumStatistic]] = {
    counting.right_counts: {"accuracy": scores.accuracy},
    counting.class_counts: {
        "macro_f1": scores.macro_f1,
        "micro_f1": scores.micro_f1,
        "weighted_f1": scores.weighted_f1,
    },
    counting.level2_counts: {"level2_accuracy": scores.level2_accuracy},
    counting.hierarchy_counts: {"hp": scores.hp, "hr": scores.hr, "hf1": scores.hf1},
    counting.relation_counts: {"official_f1": scores.official_f1},
    counting.candidate_counts: {
        "set_coverage": scores.set_coverage,
        "set_size": scores.set_size,
        "sure_share": scores.sure_share,
        "sure_right": scores.sure_right,
    },
}
_Item = TypeVar("_Item")
_NUMBERS: dict[str, SumStatistic] = {"r2": scores.r2, "mse": scores.mse, "mae": scores.mae}


@dataclass(frozen=True)
class Block:
    """Counts (documents, k) and the scores they give, of one facet ('' where it is of all together)."""

    facet: str
    values: Array
    statistics: Mapping[str, SumStatistic]


def all_scores(
    pairs: Pairs, *, ontology: Ontology, rows: Mapping[str, int], facet: str, asked_accuracy: float
) -> dict[str, Score]:
    """Return every score that there is ground for, first those of `facet` (or the mean), then by facet.

    `rows` is document -> its row, see `judged.documents`.
    """
    everything = judged(ontology.facets, pairs, rows=rows)
    items = {it.id: of_facet(it, everything) for it in ontology.facets}
    blocks = [*_whole_blocks(pairs, everything, ontology=ontology, rows=rows)]
    for each in ontology.facets:
        if items[each.id]:
            blocks += _facet_blocks(each, items[each.id], ontology=ontology, num_rows=len(rows))
    found = _intervals(blocks, facet=facet)
    found |= _oddity(items, num_rows=len(rows), facet=facet, asked_accuracy=asked_accuracy)
    return dict(sorted(found.items(), key=lambda pair: "/" in pair[0]))


def _whole_blocks(
    pairs: Pairs, items: Sequence[Sequence[Judged]], *, ontology: Ontology, rows: Mapping[str, int]
) -> Iterator[Block]:
    concepts = [[item for item in own if item.value is None] for own in items]
    exact = counting.exact_counts(concepts, num_rows=len(rows))
    if exact.groups:
        yield Block("", exact.values, {"exact_match": scores.exact_match})
    broken = consistency.violation_counts(pairs, ontology=ontology, rows=rows)
    if broken.groups:
        yield Block("", broken.values, {"violation_share": scores.accuracy})
    alone = consistency.independent_counts(pairs, ontology=ontology, rows=rows)
    if alone.groups:
        yield Block("", alone.values, {"violation_share_independent": scores.accuracy})


def _facet_blocks(
    facet: Facet, items: Sequence[Judged], *, ontology: Ontology, num_rows: int
) -> Iterator[Block]:
    answers = counting.answer_counts(items, ontology=ontology, num_rows=num_rows)
    in_scope, out_of_scope = answers.values.sum(axis=0)[[2, 4]]
    if out_of_scope:
        yield Block(facet.id, answers.values, {"oos_recall": scores.oos_recall})
    if facet.cardinality is Cardinality.number:
        numbers = counting.number_counts(items, ontology=ontology, num_rows=num_rows)
        yield Block(facet.id, numbers.values, _NUMBERS)
        yield Block(facet.id, answers.values, {"number_coverage": scores.coverage})
        return
    if in_scope:
        answered = {"coverage": scores.coverage, "accuracy_answered": scores.accuracy_answered}
        yield Block(facet.id, answers.values, answered)
    for count, statistics in _CONCEPTS.items():
        table = count(items, ontology=ontology, num_rows=num_rows)
        if table.groups:
            yield Block(facet.id, table.values, statistics)
    if facet.single:
        yield from _calibration_blocks(facet, items, num_rows=num_rows)


def _calibration_blocks(facet: Facet, items: Sequence[Judged], *, num_rows: int) -> Iterator[Block]:
    for suffix, raw in (("", False), ("_raw", True)):
        values = calibration.calibration_counts(items, num_rows=num_rows, raw=raw)
        if values.any():
            statistics = {f"ece{suffix}": ece, f"brier{suffix}": brier}
            yield Block(facet.id, values, statistics)


def _intervals(blocks: Sequence[Block], *, facet: str) -> dict[str, Score]:
    """Return the scores of each block, and by name alone that of `facet` or the mean over facets."""
    statistics: dict[str, SumStatistic] = {}
    by_name: dict[str, dict[str, SumStatistic]] = {}
    start = 0
    for block in blocks:
        stop = start + block.values.shape[1]
        for name, statistic in block.statistics.items():
            sliced = _sliced(statistic, start, stop)
            by_name.setdefault(name, {})[block.facet] = sliced
            if block.facet:
                statistics[f"{name}/{block.facet}"] = sliced
        start = stop
    for name, by_facet in by_name.items():
        statistics[name] = _averaged(_chosen(by_facet, facet))
    counts = np.concatenate([block.values for block in blocks], axis=1)
    return bootstrapped(counts, statistics)


def _oddity(
    items: Mapping[str, Sequence[Judged]], *, num_rows: int, facet: str, asked_accuracy: float
) -> dict[str, Score]:
    by_name: dict[str, dict[str, Array]] = {}
    for name, own in items.items():
        if calibration.has_oddity(own):
            found = calibration.oddity_scores(own, num_rows=num_rows, asked_accuracy=asked_accuracy)
            for score, values in found.items():
                by_name.setdefault(score, {})[name] = values
    result = {}
    for score, by_facet in by_name.items():
        result[score] = _score(np.mean(_chosen(by_facet, facet), axis=0))
        result |= {f"{score}/{name}": _score(values) for name, values in by_facet.items()}
    return result


def _chosen(by_facet: Mapping[str, _Item], facet: str) -> list[_Item]:
    return [by_facet[facet]] if facet in by_facet else list(by_facet.values())


def _sliced(statistic: SumStatistic, start: int, stop: int) -> SumStatistic:
    return lambda summed: statistic(summed[..., start:stop])


def _averaged(statistics: Sequence[SumStatistic]) -> SumStatistic:
    def mean(summed: Array) -> Array:
        found: Array = np.mean([statistic(summed) for statistic in statistics], axis=0)
        return found

    return mean


def _score(values: Array) -> Score:
    """Return the score of the split (first) with its interval over resamples (the others)."""
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return Score(float(values[0]), float(low), float(high))
