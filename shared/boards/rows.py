"""Rows of a leaderboard: the runs of one name become one row of values, with an interval and a paired test.

A row is a nested dict that columns address by dotted paths: `score.value`, `training.wall_seconds`.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from shared.errors import UserError
from shared.intervals import (
    Array,
    Difference,
    Statistic,
    difference_of,
    draw_means,
    interval_of,
    over_runs,
    paired_runs,
    score_counts,
    stack_counts,
)
from shared.record import DataFacts, Kept, Record
from shared.reliability import averaged

Row = dict[str, Any]

REASON = "abstained"  # the key of an answer that says why there is none


@dataclass(frozen=True)
class Cited:
    """A published figure; `runs` are its scores by name, one mapping per seed, or one for their mean."""

    name: str
    data: str
    split: str
    comparable: bool  # same split and same scoring rule as the measured rows
    note: str
    source: str
    computed: str  # by whom and how
    repeats: int
    unit: str  # of `repeats`: seed or run
    runs: list[dict[str, float]]
    parameters: int | None
    support: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """The main score of a row, and its means on draws of documents that all rows of a data set share.

    Rows whose runs divide the data anew are compared by the scores of each seed instead.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    documents: list[str] = field(default_factory=list)
    means: Array | None = None  # (RESAMPLES,)
    divided: bool = False  # anew in each run
    by_seed: dict[int, float] = field(default_factory=dict)


def group_runs(records: Sequence[Record]) -> list[list[Record]]:
    """Return the runs of each row, by seed; raises `UserError` for runs that must not share a row."""
    ordered = sorted(records, key=lambda record: (record.name, record.seed, record.id))
    groups = [list(group) for _, group in itertools.groupby(ordered, key=lambda record: record.name)]
    for group in groups:
        for first, other in itertools.pairwise(group):
            _check_same(first, other)
    return groups


def sample_row(group: Sequence[Record], *, statistic: Statistic) -> Sample:
    """Return the main score of one group's mean over its runs, with what its interval and tests come from."""
    values = {record.seed: record.scores[record.metric.main].value for record in group}
    value = _mean([record.scores[record.metric.main].value for record in group])
    if any(record.counts is None for record in group):
        alone = group[0].scores[group[0].metric.main] if len(group) == 1 else None
        return Sample(group[0].name, value, alone.low if alone else None, alone.high if alone else None)
    if divides_anew(group):
        for record in group:
            _check_counts([record], score_counts(_stack([record], _documents([record])), statistic))
        spread = over_runs(list(values.values()))
        return Sample(group[0].name, value, spread.low, spread.high, divided=True, by_seed=values)
    documents = _documents(group)
    counts = _stack(group, documents)
    _check_counts(group, score_counts(counts, statistic))
    means = draw_means(counts, statistic)
    interval = interval_of(value, means)
    return Sample(
        group[0].name, value, interval.low, interval.high, documents=documents, means=means, by_seed=values
    )


def record_row(group: Sequence[Record], sample: Sample) -> Row:
    """Return the row of one group: means over its runs, and the interval of the mean main score."""
    main = group[0].metric.main
    known = [replace(record, config={}, counts=None, reliability=None, promises=[]) for record in group]
    row: Row = _mean([asdict(record) for record in known])
    row["scores"] = _scores(group)
    row["score"] = {"value": sample.value, "low": sample.low, "high": sample.high}
    row["reliability"] = _reliability(group)
    row["promises"] = _promises(group)
    unit = "seed" if group[0].kind == "measured" else "run"
    row["runs"] = _runs([record.scores[main].value for record in group], unit=unit)
    row["ids"] = [record.id for record in group]
    row["comparable"] = True
    row["note"] = "; ".join(dict.fromkeys(_made(record) for record in group))
    return row


def cited_row(cited: Cited, *, main: str) -> Row:
    """Return the row of a published figure; it has no interval, no record, and maybe not the main score."""
    names = [name for name in cited.runs[0] if all(name in run for run in cited.runs)]
    scores = {name: _mean([run[name] for run in cited.runs]) for name in names}
    values = [run[main] for run in cited.runs] if main in scores else []
    runs = _runs(values, unit=cited.unit) if values else None
    if runs and len(values) < cited.repeats:  # the source gives their mean alone
        runs = {**runs, "count": cited.repeats, "min": None, "max": None}
    return {
        "name": cited.name if cited.comparable else f"{cited.name} (not comparable: {cited.note})",
        "kind": "cited",
        "data": {"name": cited.data},
        "comparable": cited.comparable,
        "scores": scores,
        "score": {"value": scores[main], "low": None, "high": None} if values else None,
        "runs": runs,
        "parameters": {"total": cited.parameters},
        "source": cited.source,
        "note": "; ".join(part for part in (cited.computed, cited.note) if part),
    }


def compare_rows(left: Sample, right: Sample) -> Row | None:
    """Return the difference of mean main scores, left minus right, with interval and p; None if uncounted."""
    if left.divided or right.divided:
        return asdict(_paired_by_seed(left, right))
    if left.means is None or right.means is None:
        return None
    if left.documents != right.documents:
        raise UserError(f"rows {left.name!r} and {right.name!r} count different documents")
    return asdict(difference_of(left.value - right.value, left.means, right.means))


def divides_anew(group: Sequence[Record]) -> bool:
    """Return whether the runs were scored on different documents of one data set."""
    return len({frozenset(record.counts.rows) for record in group if record.counts is not None}) > 1


def churn(answers: Sequence[Mapping[str, str]]) -> list[float]:
    """Return, for each pair of runs, the share of ids whose answer differs."""
    return [
        sum(answer != right.get(id) for id, answer in left.items()) / len(left)
        for left, right in itertools.combinations(answers, 2)
    ]


def read_answers(path: Path, *, ignored: Sequence[str]) -> dict[str, str]:
    """Return id -> answer of a predictions file, without the keys that do not count (`probability`).

    Of the reason for an abstention counts its kind, before the colon: the figures behind it change with any
    score.
    """

    def counted(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        kept = {key: value for key, value in pairs if key not in ignored}
        if isinstance(reason := kept.get(REASON), str):
            kept[REASON] = reason.partition(":")[0]
        return kept

    decode = json.JSONDecoder(object_pairs_hook=counted).decode
    encode = json.JSONEncoder(sort_keys=True).encode
    answers = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = decode(line)
        id = row.pop("id")
        answers[id] = encode(row)
    return answers


def _made(record: Record) -> str:
    if record.code is None:
        return record.created
    return f"commit {record.code.commit[:10]}{'' if record.code.clean else ' with changes'}, {record.created}"


def _check_same(first: Record, other: Record) -> None:
    if first.kind == "measured" and first.seed == other.seed:
        raise UserError(
            f"records {first.id} and {other.id} are the same row and seed: remove one, or give another name"
        )
    for what in ("kind", "experiment", "data", "metric"):
        if _comparable(getattr(first, what)) != _comparable(getattr(other, what)):
            raise UserError(
                f"records {first.id} and {other.id} share the row {first.name!r} but differ in {what}: "
                f"{getattr(first, what)} and {getattr(other, what)}; give one another name or remove it"
            )


def _comparable(fact: Any) -> Any:
    """Return the fact without the sizes of a split: runs may divide the same data anew."""
    return replace(fact, num_examples=0, num_documents=0) if isinstance(fact, DataFacts) else fact


def _paired_by_seed(left: Sample, right: Sample) -> Difference:
    seeds = sorted(left.by_seed)
    if seeds != sorted(right.by_seed):
        raise UserError(
            f"rows {left.name!r} and {right.name!r} divide the data anew in each run, and have other "
            f"seeds: {seeds} and {sorted(right.by_seed)}; publish the same ones"
        )
    return paired_runs([left.by_seed[seed] for seed in seeds], [right.by_seed[seed] for seed in seeds])


def _reliability(group: Sequence[Record]) -> Row | None:
    """Return the means over the runs, None if one lacks them; the curve to ten thousandths, for the page."""
    known = [record.reliability for record in group if record.reliability is not None]
    if len(known) < len(group):
        return None
    found = averaged(known)
    curve = [[round(coverage, 4), round(risk, 4)] for coverage, risk in found.curve]
    return asdict(replace(found, curve=curve))


def _scores(group: Sequence[Record]) -> dict[str, float]:
    """Return the mean of each score over the runs that have it: older ones lack those that came later."""
    names = dict.fromkeys(name for record in group for name in record.scores)
    return {
        name: float(_mean([record.scores[name].value for record in group if name in record.scores]))
        for name in names
    }


def _promises(group: Sequence[Record]) -> Row:
    """Return unit -> risk in percent -> means over the runs that promise, and what became of each."""
    found: dict[tuple[str, float], list[Kept]] = {}
    for record in group:
        for own in record.promises:
            found.setdefault((own.promise.unit, own.promise.risk), []).append(own)
    rows: Row = {}
    for (unit, risk), kept in found.items():
        rows.setdefault(unit, {})[f"{100 * risk:g}"] = {
            "given": _mean([own.coverage for own in kept]),
            "wrong": _mean([asdict(own.risk) for own in kept if own.risk is not None] or [None]),
            "verdict": _verdicts(kept, of=len(group)),
        }
    return rows


def _verdicts(kept: Sequence[Kept], *, of: int) -> str:
    """Return how the promises stand; of several runs, how many stand so, and how many make none."""
    counts = Counter(own.verdict for own in kept)
    if of == 1:
        return kept[0].verdict
    parts = [f"{number} {verdict}" for verdict, number in counts.items()]
    return ", ".join([*parts, *([f"{of - len(kept)} not asked"] if of > len(kept) else [])])


def _check_counts(group: Sequence[Record], scores: Array) -> None:
    for record, score in zip(group, scores, strict=True):
        given = record.scores[record.metric.main].value
        if abs(given - score) > 1e-9:
            raise UserError(f"record {record.id}: its counts give {score:.6f}, its score says {given:.6f}")


def _documents(records: Sequence[Record]) -> list[str]:
    known = [sorted(record.counts.rows) for record in records if record.counts is not None]
    for record, documents in zip(records, known, strict=True):
        if documents != known[0]:
            raise UserError(f"records {records[0].id} and {record.id} count different documents")
    return known[0]


def _stack(records: Sequence[Record], documents: Sequence[str]) -> Array:
    """Return counts (documents, runs, k), k the groups of all runs times the columns."""
    tables = [record.counts for record in records if record.counts is not None]
    groups = list(dict.fromkeys(group for table in tables for group in table.groups))
    return stack_counts(tables, documents=documents, groups=groups)


def _runs(values: Sequence[float], *, unit: str) -> Row:
    return {"count": len(values), "unit": unit, "min": min(values), "max": max(values)}


def _mean(values: Sequence[Any]) -> Any:
    """Return the mean of numbers, of dicts by key; text that differs is joined; None if one run has none."""
    if all(value == values[0] for value in values):
        return values[0]
    if any(value is None for value in values):
        return None
    if all(isinstance(value, dict) for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        return {key: _mean([value.get(key) for value in values]) for key in keys}
    if all(isinstance(value, int | float) for value in values):
        return sum(values) / len(values)
    return "; ".join(sorted({str(value) for value in values}))
