"""Learning curves: how the score of a row grows with the examples that were labelled for it.

The runs of one size are a point. Its interval is that of any row: documents of the test split are drawn anew,
for the mean over seeds. Each seed also draws its own training examples, see `shared.sampling`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from shared.boards.rows import group_runs, sample_row
from shared.boards.tables import Column, markdown_table
from shared.errors import UserError
from shared.intervals import Statistic
from shared.record import Record

CURVE = "learning_curve"  # how the name of an experiment ends whose runs are points, not a row
_COLUMNS = [
    Column("labelled examples", "examples", "whole"),
    Column("score [95 %]", "score", "interval"),
    Column("seeds", "seeds", "whole"),
]


@dataclass(frozen=True)
class Point:
    """The mean main score over seeds that each trained on so many examples, with its 95 % interval."""

    examples: int
    value: float
    low: float | None  # None where the metric has no counts
    high: float | None
    seeds: int


def is_point(record: Record) -> bool:
    """Return whether the record is one of a learning curve, which is no row of the tables."""
    return record.experiment.endswith(CURVE)


def curves(records: Sequence[Record], *, statistic: Statistic) -> dict[str, list[Point]]:
    """Return the points of each row by the row's name, fewest examples first, from a data set's records.

    A curve belongs to the row whose name its runs carry (`title` of the experiment). Other records are left
    out; raises `UserError` for a point that does not say how many examples it trained on.
    """
    found: dict[str, list[Point]] = {}
    for examples, runs in itertools.groupby(sorted(filter(is_point, records), key=_examples), key=_examples):
        for group in group_runs(list(runs)):
            sample = sample_row(group, statistic=statistic)
            point = Point(examples, sample.value, sample.low, sample.high, seeds=len(group))
            found.setdefault(sample.name, []).append(point)
    return found


def crossing(points: Sequence[Point], target: float) -> int | None:
    """Return the number of examples from which on the mean score is at least `target`, None if it never is.

    Between two points the score is taken to grow in a straight line over log2 of the examples. Where every
    point reaches the target it is the first point's number: fewer may do as well. A curve that falls below
    the target again counts from where it last rises to it.
    """
    below = [index for index, point in enumerate(points) if point.value < target]
    if not below:
        return points[0].examples
    if below[-1] == len(points) - 1:
        return None
    last, first = points[below[-1]], points[below[-1] + 1]
    share = (target - last.value) / (first.value - last.value)
    return round(last.examples * math.pow(first.examples / last.examples, share))


def curve_markdown(points: Sequence[Point], target: tuple[str, float] | None) -> str:
    """Return the points as a table, and how many examples it takes to reach the target, a row's score."""
    rows = [
        {
            "examples": point.examples,
            "score": {"value": point.value, "low": point.low, "high": point.high},
            "seeds": point.seeds,
        }
        for point in points
    ]
    table = markdown_table(rows, _COLUMNS)
    return table if target is None else f"{table}\n\n{_crossing_text(points, *target)}"


def _crossing_text(points: Sequence[Point], target_name: str, target: float) -> str:
    found, named = crossing(points, target), f"{target_name} ({target:.3f})"
    if found is None:
        return f"With up to {points[-1].examples:,} labelled examples the mean does not reach {named}."
    if found == points[0].examples:
        return f"The mean is at or above {named} from the smallest size on, {found:,} labelled examples."
    return (
        f"The mean reaches {named} at about {found:,} labelled examples, interpolated between two sizes on a "
        "logarithmic scale."
    )


def _examples(record: Record) -> int:
    if record.training is None or record.training.examples is None:
        raise UserError(
            f"record {record.id} is a point of a learning curve, and does not say how many examples it "
            "trained on: train and evaluate it again, or remove it"
        )
    return record.training.examples
