"""Two systems on the same examples: the difference with its interval, and every item whose answer changed.

Left is what there was, right is what there is now. A side has one or more runs: seeds, or the same question
asked again.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from shared.contracts import Examples, Metric
from shared.errors import UserError
from shared.examples import Example, Prediction
from shared.intervals import (
    DECIMALS,
    Array,
    Difference,
    Interval,
    Ranking,
    Statistic,
    bootstrap,
    paired_difference,
    stack_counts,
)
from shared.record import Counts

WORSE, CHANGED, BETTER = "got worse", "changed", "got better"
_ORDER = (WORSE, CHANGED, BETTER)

Run = Sequence[Prediction]
Answer = tuple[Any, ...]


@dataclass(frozen=True)
class ChangedItem:
    """An example that the two sides answer differently; answers are as a person reads them, one list per run.

    `left_right` and `right_right` are the shares of each side's runs that answer wholly right. `left_score`
    and `right_score` are the main score on the example alone, means over runs, where it is a document of its
    own and the score is a sum over documents: a summary is hardly ever wholly right.
    """

    id: str
    change: str  # one of WORSE, CHANGED (as often right as before), BETTER
    left_right: float
    right_right: float
    text: str
    gold: list[dict[str, Any]]
    left: list[list[dict[str, Any]]]
    right: list[list[dict[str, Any]]]
    left_score: float | None
    right_score: float | None

    @property
    def gain(self) -> float:
        """How much the main score rose; 0 where it has none of its own."""
        return (self.right_score or 0.0) - (self.left_score or 0.0)


@dataclass(frozen=True)
class Comparison:
    """Both main scores (means over runs), right minus left, and the changed items, the worse ones first.

    `changed_share` is the mean over pairs of a left and a right run; `left_churn` and `right_churn` are the
    same between two runs of one side, None for a single run: so often a system changes its mind by itself.
    """

    score: str
    num_items: int
    left: Interval
    right: Interval
    difference: Difference
    changed_share: float
    left_churn: float | None
    right_churn: float | None
    items: list[ChangedItem]


def compare(examples: Examples, left: Sequence[Run], right: Sequence[Run], *, metric: Metric) -> Comparison:
    """Return how the runs on the right differ from those on the left, paired by document.

    Raises `UserError` when a run does not answer exactly these examples, or when the metric has no counts.
    """
    tables = _tables(examples, left, right, metric=metric)
    left_counts, right_counts = _stacked(tables)
    documents = _documents(tables)
    statistic = metric.main_statistic()
    before, now = [_answers(run) for run in left], [_answers(run) for run in right]
    return Comparison(
        score=metric.main,
        num_items=len(examples),
        left=bootstrap(left_counts, statistic),
        right=bootstrap(right_counts, statistic),
        difference=paired_difference(right_counts, left_counts, statistic),
        changed_share=_changed_share(list(itertools.product(before, now))) or 0.0,
        left_churn=_changed_share(list(itertools.combinations(before, 2))),
        right_churn=_changed_share(list(itertools.combinations(now, 2))),
        items=_changed_items(
            examples,
            left,
            right,
            metric=metric,
            scores=[
                _own_scores(examples, documents, counts, statistic) for counts in (left_counts, right_counts)
            ],
        ),
    )


def paired_counts(
    examples: Examples, left: Sequence[Run], right: Sequence[Run], *, metric: Metric
) -> list[Array]:
    """Return the counts (documents, runs, k) of both sides, with the same k."""
    return _stacked(_tables(examples, left, right, metric=metric))


def _tables(
    examples: Examples, left: Sequence[Run], right: Sequence[Run], *, metric: Metric
) -> list[list[Counts]]:
    sides = [[metric.counts(examples, run) for run in side] for side in (left, right)]
    tables = [[table for table in side if table is not None] for side in sides]
    if [len(side) for side in tables] != [len(left), len(right)] or not all(tables):
        raise UserError(
            f"{metric.main} is no sum over documents, or a side has no run: it cannot be compared"
        )
    return tables


def _stacked(tables: Sequence[Sequence[Counts]]) -> list[Array]:
    groups = list(dict.fromkeys(group for side in tables for table in side for group in table.groups))
    return [stack_counts(side, documents=_documents(tables), groups=groups) for side in tables]


def _documents(tables: Sequence[Sequence[Counts]]) -> list[str]:
    return sorted(tables[0][0].rows)  # as leaderboards do: the same draws, the same interval


def comparison_row(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as a JSON object; it holds the texts of the changed items."""
    return asdict(comparison)


def comparison_text(comparison: Comparison, *, left: str, right: str, max_items: int) -> str:
    """Return a page of text with the first `max_items` changed items; `left` and `right` are names."""
    from tabulate import tabulate

    found = comparison
    rows = [
        ["left", _shown_score(found.left), ""],
        ["right", _shown_score(found.right), ""],
        ["right minus left", _shown_score(found.difference), f"{found.difference.p:.4f}"],
    ]
    table = tabulate(rows, headers=["", f"{found.score} [95 %]", "p"], disable_numparse=True)
    lines = [f"left:  {left}", f"right: {right}", "", table, "", _shown_changes(found)]
    lines += [_shown_item(item, score=found.score) for item in found.items[:max_items]]
    if len(found.items) > max_items:
        lines.append(f"... and {len(found.items) - max_items} more")
    return "\n".join(lines)


def one_line(shown: Sequence[Mapping[str, Any]]) -> str:
    """Return an answer as `Prediction.shown` gives it on one line."""
    return ", ".join(_one_answer(item) for item in shown) or "-"


def _own_scores(
    examples: Examples, documents: Sequence[str], counts: Array, statistic: Statistic
) -> dict[str, float]:
    """Return example -> its main score, the mean over runs, for those that are documents of their own."""
    if isinstance(statistic, Ranking):
        return {}
    means = statistic(counts).mean(axis=1).round(DECIMALS)  # runs in another order have the same mean
    scores = dict(zip(documents, means.tolist(), strict=True))  # of those that the metric counts
    examples_of = Counter(example.document for example in examples)
    alone = (e for e in examples if examples_of[e.document] == 1 and e.document in scores)
    return {example.id: scores[example.document] for example in alone}


def _changed_items(
    examples: Examples,
    left: Sequence[Run],
    right: Sequence[Run],
    *,
    metric: Metric,
    scores: Sequence[Mapping[str, float]],
) -> list[ChangedItem]:
    """Return the changed items in the order of `_ORDER`, then the least gain first, then as the examples."""
    runs = [{prediction.id: prediction for prediction in run} for run in (*left, *right)]
    wrong = [{row["id"] for row in metric.wrong(examples, run)} for run in (*left, *right)]
    items = []
    for example in examples:
        answers = [run[example.id] for run in runs]
        right_answers = [example.id not in ids for ids in wrong]
        own = [side.get(example.id) for side in scores]
        item = _changed_item(example, answers, right_answers, own, num_left=len(left))
        if item is not None:
            items.append(item)
    return sorted(items, key=lambda item: (_ORDER.index(item.change), item.gain))


def _changed_item(
    example: Example,
    answers: Run,
    is_right: Sequence[bool],
    scores: Sequence[float | None],
    *,
    num_left: int,
) -> ChangedItem | None:
    """Return None when both sides give the same answers; their runs stand one after the other, left first."""
    before = sum(is_right[:num_left]) / num_left
    now = sum(is_right[num_left:]) / (len(is_right) - num_left)
    keys = [answer.key for answer in answers]
    if before == now and set(keys[:num_left]) == set(keys[num_left:]):
        return None
    shown = [answer.shown(example.text) for answer in answers]
    return ChangedItem(
        id=example.id,
        change=WORSE if now < before else BETTER if now > before else CHANGED,
        left_right=before,
        right_right=now,
        text=example.text,
        gold=example.gold().shown(example.text),
        left=shown[:num_left],
        right=shown[num_left:],
        left_score=scores[0],
        right_score=scores[1],
    )


def _changed_share(pairs: Sequence[tuple[Mapping[str, Answer], Mapping[str, Answer]]]) -> float | None:
    """Return the share of items answered differently, over all pairs; None without a pair or an item."""
    differ = [answer != now[id] for before, now in pairs for id, answer in before.items()]
    return sum(differ) / len(differ) if differ else None


def _answers(run: Run) -> dict[str, Answer]:
    return {prediction.id: prediction.key for prediction in run}


def _shown_score(found: Interval | Difference) -> str:
    sign = "+" if isinstance(found, Difference) else ""
    return f"{found.value:{sign}.4f} [{found.low:{sign}.4f}, {found.high:{sign}.4f}]"


def _shown_changes(found: Comparison) -> str:
    counts = [f"{sum(item.change == change for item in found.items)} {change}" for change in _ORDER]
    churn = [
        f"; runs of {name} differ among themselves on {100 * share:.1f} %"
        for name, share in (("the left", found.left_churn), ("the right", found.right_churn))
        if share is not None
    ]
    share = f"answers differ on {100 * found.changed_share:.1f} % of {found.num_items} items"
    return f"{share}{''.join(churn)}\nitems: {', '.join(counts)}{_shown_gains(found)}"


def _shown_gains(found: Comparison) -> str:
    """Return how many of those as often right as before scored less and more, where any did."""
    gains = [item.gain for item in found.items if item.change == CHANGED and item.gain]
    if not gains:
        return ""
    less = sum(gain < 0 for gain in gains)
    return f"; of the changed, {less} with a lower {found.score} alone, {len(gains) - less} with a higher"


def _shown_item(item: ChangedItem, *, score: str) -> str:
    def side(runs: Sequence[Sequence[Mapping[str, Any]]]) -> str:
        return " / ".join(one_line(shown) for shown in runs)

    gold = one_line(item.gold)
    heading = f"{item.id}: {item.change}"
    if item.change == CHANGED and item.gain:
        heading += f", {score} {item.left_score:.4f} to {item.right_score:.4f}"
    return (
        f"\n{heading}\n  {item.text}\n  gold:  {gold}\n"
        f"  left:  {side(item.left)}\n  right: {side(item.right)}"
    )


def _one_answer(item: Mapping[str, Any]) -> str:
    return f"{item['text']} ({item['label']})" if "label" in item else f"{item['facet']}: {item['answer']}"
